import { endpointName } from '../ip.ts';
import { type BfdNews, judgeBfd } from './bfd.ts';
import { type FileNews, judgeFile } from './file.ts';
import { type CheckSettings, type Connection, isProbed, type ReportedCheck } from './settings.ts';
import type { CheckResult } from './verdict.ts';

/** What checks without a probe are told of. */
export type News = BfdNews | FileNews;

/** What there is to be said of each kind of check: a kind that lacks a part does not compile. */
interface Kind<Check> {
  /** A check in few words, for the log: `tcp check of 10.0.0.2:80`. */
  describe(check: Check): string;
  /**
   * The text of the mail when it goes up or down, in keepalived's words (each of its check_*.c): people filter by them.
   * `reason`: what the checker saw.
   */
  alert(check: Check, up: boolean, reason: string): string;
}

/** A kind that waits for news instead of a probe. */
interface ReportedKind<Check> extends Kind<Check> {
  /** What it waits for news of. */
  source(check: Check): string;
  /** What news mean to it; `undefined`: they are none of its business. */
  judge(check: Check, news: News): CheckResult | undefined;
}

type Name = CheckSettings['kind'];
type Of<N extends Name> = Extract<CheckSettings, { kind: N }>;
type KindOf<Check extends CheckSettings> = Check extends ReportedCheck ? ReportedKind<Check> : Kind<Check>;

const target = ({ address, port }: Connection): string => endpointName(address, port);
const ended = (name: string, up: boolean): string => `${name} ${up ? 'succeed' : 'failed'} on service`;

const KINDS: { readonly [N in Name]: KindOf<Of<N>> } = {
  tcp: {
    describe: (check) => `tcp check of ${target(check)}`,
    alert: (_, up) => ended('TCP CHECK', up),
  },
  http: {
    describe: (check) => `${check.tls === undefined ? 'http' : 'https'} check of ${target(check)}`,
    alert: (_, up) => `${ended('CHECK', up)}${up ? '' : ' : HTTP request failed'}`,
  },
  smtp: {
    describe: (check) => `smtp check of ${target(check)}`,
    alert: (_, up, reason) => `${ended('CHECK', up)}${up ? '' : ` : ${reason}`}`,
  },
  dns: {
    describe: (check) => `dns check of ${target(check)} for ${check.name} ${check.record}`,
    alert: (_, up) => ended('DNS_CHECK:', up),
  },
  udp: {
    describe: (check) => `udp check of ${target(check)}`,
    alert: (_, up) => ended('UDP CHECK', up),
  },
  ping: {
    describe: ({ address }) => `ping of ${address}`,
    alert: (_, up) => ended('ICMP CHECK', up),
  },
  misc: {
    describe: ({ command }) => `script ${command.join(' ')}`,
    alert: (_, up) => `MISC CHECK ${up ? 'succeeded' : 'failed'} on service`,
  },
  file: {
    describe: ({ file }) => `file check of ${file}`,
    alert: (_, up) => ended('FILE CHECK', up),
    source: ({ file }) => `file ${file}`,
    judge: (check, news) => ('value' in news ? judgeFile(check, news) : undefined),
  },
  bfd: {
    describe: ({ session }) => `bfd check of ${session}`,
    alert: ({ session }, up) => `BFD CHECK ${session} ${up ? 'succeeded' : 'failed'} on service`,
    source: ({ session }) => `bfd ${session}`,
    judge: (_, news) => ('up' in news ? judgeBfd(news) : undefined),
  },
};

/** A check in few words, for the log. */
export function describeCheck(check: CheckSettings): string {
  const kind: Kind<CheckSettings> = KINDS[check.kind];
  return kind.describe(check);
}

/** The text of the mail when a check goes up or down. */
export function alertText(check: CheckSettings, up: boolean, reason: string): string {
  const kind: Kind<CheckSettings> = KINDS[check.kind];
  return kind.alert(check, up, reason);
}

/** What a check without a probe waits for news of. */
export function sourceOf(check: CheckSettings): string | undefined {
  if (isProbed(check)) return undefined;
  const kind: ReportedKind<ReportedCheck> = KINDS[check.kind];
  return kind.source(check);
}

/** What news mean to a check; `undefined`: they are none of its business. */
export function judgeNews(check: CheckSettings, news: News): CheckResult | undefined {
  if (isProbed(check)) return undefined;
  const kind: ReportedKind<ReportedCheck> = KINDS[check.kind];
  return kind.judge(check, news);
}
