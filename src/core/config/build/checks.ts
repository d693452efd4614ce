import type {
  BfdCheck,
  CheckSettings,
  DnsCheck,
  FileCheck,
  MiscCheck,
  PingCheck,
  SmtpCheck,
  TlsFiles,
  UdpCheck,
} from '../../check/settings.ts';
import { micros, seconds } from '../../time.ts';
import type { Runner } from '../facts.ts';
import type { Findings } from '../findings.ts';
import type { checkers } from '../grammar/checkers.ts';
import type { root } from '../grammar/root.ts';
import type { realServer } from '../grammar/virtual.ts';
import type { Entry, Section } from '../tree.ts';
import { connecting, type Inherited, type KindDefaults, tcpCheck, timingOf } from './check.ts';
import type { Context } from './context.ts';
import { globalSection } from './global.ts';
import { httpCheck, httpsCheck, tlsFiles } from './http.ts';
import { MEANINGS, runnerOf, scriptCommand } from './script.ts';

/** What the file says beside its virtual servers that checkers need. */
export interface CheckGlobals {
  readonly tls: TlsFiles;
  /** What the `track_file` blocks say of the weight. */
  readonly files: ReadonlyMap<string, { readonly weight: number; readonly reverse: boolean }>;
  /** `checker_log_all_failures`. */
  readonly logAll: boolean;
}

export function checkGlobals(file: Section<typeof root>): CheckGlobals {
  const files = file.all('track_file').map(({ section, values }) => {
    const [weight = 1, word] = section.last('weight')?.values ?? [];
    return [values[0], { weight, reverse: word === 'reverse' }] as const;
  });
  const logAll = globalSection(file).value('checker_log_all_failures') ?? false;
  return { tls: tlsFiles(file), files: new Map(files), logAll };
}

type Server = Section<typeof realServer>;
type Of<Name extends keyof typeof realServer> = Entry<(typeof realServer)[Name]>;

type Checkers = typeof checkers;
type Built = CheckSettings | readonly CheckSettings[] | undefined;

/** How each checker is built: one that the tables have and this has not does not compile. */
const BUILD: {
  readonly [Name in keyof Checkers]: (
    entry: Entry<Checkers[Name]>,
    from: Inherited,
    globals: CheckGlobals,
    context: Context,
  ) => Built;
} = {
  TCP_CHECK: (entry, from, _, { findings }) => tcpCheck(entry, from, findings),
  HTTP_GET: (entry, from, _, { findings }) => httpCheck(entry, from, findings),
  SSL_GET: (entry, from, { tls }, { findings }) => httpsCheck(entry, from, tls, findings),
  SMTP_CHECK: (entry, from, _, { findings }) => smtpChecks(entry, from, findings),
  DNS_CHECK: (entry, from, _, { findings }) => dnsCheck(entry, from, findings),
  UDP_CHECK: (entry, from, _, { findings }) => udpCheck(entry, from, findings),
  PING_CHECK: (entry, from, _, { findings }) => pingCheck(entry, from, findings),
  MISC_CHECK: (entry, from, _, context) => miscCheck(entry, from, context),
  FILE_CHECK: (entry, _, { files }) => fileCheck(entry, files),
  BFD_CHECK: bfdCheck,
};
const CHECKERS = Object.keys(BUILD) as (keyof Checkers)[];

export const hasChecks = (server: Server): boolean => CHECKERS.some((name) => server.has(name));

/** The checkers of a real server, by kinds. */
export function buildChecks(
  server: Server,
  from: Inherited,
  globals: CheckGlobals,
  context: Context,
): CheckSettings[] {
  const those = <Name extends keyof Checkers>(name: Name): Built[] => {
    const entries = server.all(name) as unknown as readonly Entry<Checkers[Name]>[];
    return entries.map((entry) => BUILD[name](entry, from, globals, context));
  };
  return CHECKERS.flatMap(those).flatMap((check) => check ?? []);
}

/** keepalived's default; a server that minds names has its own. */
const HELO = 'smtpchecker.keepalived.org';

/** Each `host` is a check of its own, as in keepalived; what it does not say the checker says. */
function smtpChecks(
  { section, keyword }: Of<'SMTP_CHECK'>,
  from: Inherited,
  findings: Findings,
): SmtpCheck[] {
  const helo = section.value('helo_name') ?? HELO;
  const hosts = section.all('host');
  if (hosts.length === 0) {
    const common = connecting({ section, keyword }, from, findings);
    return common === undefined ? [] : [{ kind: 'smtp', ...common, helo }];
  }
  const outer = connecting({ section, keyword }, from, findings);
  if (outer === undefined) return [];
  return hosts.flatMap((host) => {
    const own: Inherited = {
      ...from,
      ...outer,
      servicePeriod: from.servicePeriod,
      logAll: outer.logAll ?? false,
    };
    const common = connecting(host, own, findings);
    return common === undefined ? [] : [{ kind: 'smtp', ...common, helo } as const];
  });
}

const DNS_DEFAULTS: KindDefaults = { retries: 3, retryDelay: (period) => period };

function dnsCheck(entry: Of<'DNS_CHECK'>, from: Inherited, findings: Findings): DnsCheck | undefined {
  const { section } = entry;
  const common = connecting(entry, from, findings, { defaults: DNS_DEFAULTS });
  const name = section.value('name') ?? '.';
  const at = section.last('name')?.words[0];
  if (at !== undefined && name !== '.' && !/^([^.]{1,63}\.)*[^.]{1,63}\.?$/.test(name)) {
    findings.error(at, `${name} is no domain name`, {
      hint: 'labels of 1 to 63 characters with dots between',
    });
  }
  return common && { kind: 'dns', ...common, name, record: section.value('type') ?? 'SOA' };
}

const LONGEST_REPLY = 255;

function udpCheck(entry: Of<'UDP_CHECK'>, from: Inherited, findings: Findings): UdpCheck | undefined {
  const { section } = entry;
  const common = connecting(entry, from, findings);
  const required = section.last('require_reply');
  const pattern = required?.values[0];
  for (const name of ['min_reply_length', 'max_reply_length'] as const) {
    const at = section.token(name);
    if (at !== undefined && pattern === undefined) {
      const hint = 'as in keepalived';
      findings.warning(at, `${name} counts only with a pattern in require_reply: it has no effect`, { hint });
    }
  }
  const least = section.value('min_reply_length') ?? 0;
  const most = section.value('max_reply_length') ?? LONGEST_REPLY;
  const payload = section.value('payload');
  const expected = pattern === undefined ? { least: 0, most: LONGEST_REPLY } : { pattern, least, most };
  return (
    common && {
      kind: 'udp',
      ...common,
      ...(payload === undefined ? {} : { payload }),
      ...(required === undefined ? {} : { reply: expected }),
    }
  );
}

function pingCheck(entry: Of<'PING_CHECK'>, from: Inherited, findings: Findings): PingCheck | undefined {
  const common = connecting(entry, from, findings, { portless: true });
  return common && { kind: 'ping', ...common };
}

const MISC_DEFAULTS: KindDefaults = { retries: 0, retryDelay: () => seconds(1) };

/**
 * One whose program or user is not there fails: a server that nobody looks at must not count as up (in keepalived,
 * which leaves such a check out, it does).
 */
function miscCheck({ section }: Of<'MISC_CHECK'>, from: Inherited, context: Context): MiscCheck | undefined {
  const path = section.last('misc_path');
  const user = checkedAs(section, context);
  const as = user === undefined ? context : { ...context, scriptUser: user };
  const script = path && scriptCommand(path.values[0], path.keyword, 'checked', as);
  if (script === undefined) return undefined;
  const timeout = section.value('misc_timeout') ?? micros(0);
  return {
    kind: 'misc',
    command: script.command,
    ...(user === undefined ? {} : { user }),
    timeout: timeout === 0 ? from.servicePeriod : timeout,
    dynamic: section.has('misc_dynamic'),
    ...timingOf(section, from, MISC_DEFAULTS),
  };
}

/** Whom the check itself names, else `script_user`. */
function checkedAs(
  section: Of<'MISC_CHECK'>['section'],
  { facts, findings, scriptUser }: Context,
): Runner | undefined {
  const named = section.last('user');
  if (named === undefined) return scriptUser;
  const user = runnerOf(named.values, facts);
  if ('missing' in user)
    findings.warning(named.keyword, `there is no user ${user.missing.join(' ')}: ${MEANINGS.checked}`);
  return user;
}

/** What it does not say the `track_file` says; one that names no file is an error, said by `checkReferences`. */
function fileCheck({ section }: Of<'FILE_CHECK'>, files: CheckGlobals['files']): FileCheck | undefined {
  const name = section.value('track_file');
  const known = name === undefined ? undefined : files.get(name);
  if (name === undefined || known === undefined) return undefined;
  const [weight = known.weight, word] = section.last('weight')?.values ?? [];
  return {
    kind: 'file',
    file: name,
    weight,
    reverse: word === undefined ? known.reverse : word === 'reverse',
  };
}

/** `undefined` when it names no session, which `checkReferences` says. */
function bfdCheck({ section }: Of<'BFD_CHECK'>): BfdCheck | undefined {
  const session = section.value('name');
  return session === undefined ? undefined : { kind: 'bfd', session, alpha: section.value('alpha') ?? false };
}
