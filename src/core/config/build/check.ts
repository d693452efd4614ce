import type { CheckTiming, Connection, TcpCheck } from '../../check/settings.ts';
import { familyOf, type Ip } from '../../ip.ts';
import { type Duration, seconds } from '../../time.ts';
import type { Findings } from '../findings.ts';
import type { connection, schedule } from '../grammar/check.ts';
import type { realServer, virtualServer } from '../grammar/virtual.ts';
import type { Token } from '../lex.ts';
import type { Section } from '../tree.ts';

/** What the checkers of one real server take over where they say nothing themselves, and what they check. */
export interface Inherited {
  readonly address: Ip;
  /** 0: the server has none. */
  readonly port: number;
  readonly timeout: Duration;
  readonly period: Duration;
  readonly warmup: Duration | undefined;
  readonly retries: number | undefined;
  readonly retryDelay: Duration | undefined;
  readonly alpha: boolean;
  readonly logAll: boolean;
  /** `virtualhost`. */
  readonly host: string | undefined;
  /** The service's `delay_loop`. */
  readonly servicePeriod: Duration;
}

const PERIOD = seconds(60);

/** The real server's word, else the service's (keepalived: check/check_api.c, check/check_data.c). */
export function inherited(
  server: Section<typeof realServer>,
  service: Section<typeof virtualServer>,
  target: { readonly address: Ip; readonly port: number },
  logAll: boolean,
): Inherited {
  const servicePeriod = service.value('delay_loop') ?? PERIOD;
  return {
    ...target,
    timeout: server.value('connect_timeout') ?? service.value('connect_timeout') ?? seconds(5),
    period: server.value('delay_loop') ?? servicePeriod,
    warmup: server.value('warmup') ?? service.value('warmup'),
    retries: server.value('retry') ?? service.value('retry'),
    retryDelay: server.value('delay_before_retry') ?? service.value('delay_before_retry'),
    alpha: server.value('alpha') ?? service.has('alpha'),
    logAll,
    host: server.value('virtualhost') ?? service.value('virtualhost'),
    servicePeriod,
  };
}

/** A kind of checker's own defaults; a function gives them by its period. */
export interface KindDefaults {
  readonly retries: number;
  readonly retryDelay: (period: Duration) => Duration;
}
export const DEFAULTS: KindDefaults = { retries: 1, retryDelay: () => seconds(1) };

/** When a checker looks. The warm-up is the period where nobody says otherwise. */
export function timingOf(
  section: Section<typeof schedule>,
  from: Inherited,
  defaults = DEFAULTS,
): CheckTiming {
  const period = section.value('delay_loop') ?? from.period;
  const logAll = section.value('log_all_failures') ?? from.logAll;
  return {
    period,
    warmup: section.value('warmup') ?? from.warmup ?? period,
    retries: section.value('retry') ?? from.retries ?? defaults.retries,
    retryDelay: section.value('delay_before_retry') ?? from.retryDelay ?? defaults.retryDelay(period),
    alpha: section.value('alpha') ?? from.alpha,
    ...(logAll ? { logAll } : {}),
  };
}

/** Where a checker connects to, and from where. `portless`: there are no ports. */
export function connectionOf(
  section: Section<typeof connection>,
  keyword: Token,
  from: Inherited,
  findings: Findings,
  portless = false,
): Connection | undefined {
  const address = section.value('connect_ip') ?? from.address;
  const port = portless ? 0 : (section.value('connect_port') ?? from.port);
  if (port === 0 && !portless) {
    findings.error(keyword, `${keyword.text} has no port to connect to`, { hint: 'write connect_port' });
    return undefined;
  }
  const source = section.value('bindto');
  if (source !== undefined && familyOf(source) !== familyOf(address)) {
    findings.error(section.token('bindto') ?? keyword, `bindto is of another family than ${address}`);
  }
  for (const needless of portless ? (['connect_port', 'bind_port'] as const) : []) {
    const at = section.token(needless);
    if (at !== undefined) findings.warning(at, `${needless} has no effect in ${keyword.text}`);
  }
  const sourcePort = portless ? undefined : section.value('bind_port');
  const device = section.value('bind_if');
  const mark = section.value('fwmark');
  return {
    address,
    port,
    timeout: section.value('connect_timeout') ?? from.timeout,
    ...(source === undefined ? {} : { source }),
    ...(sourcePort === undefined ? {} : { sourcePort }),
    ...(device === undefined ? {} : { device }),
    ...(mark === undefined ? {} : { mark }),
  };
}

/** A checker that connects: both of the above. */
export function connecting(
  { section, keyword }: { section: Section<typeof connection & typeof schedule>; keyword: Token },
  from: Inherited,
  findings: Findings,
  { defaults = DEFAULTS, portless = false } = {},
): (Connection & CheckTiming) | undefined {
  const where = connectionOf(section, keyword, from, findings, portless);
  return where && { ...where, ...timingOf(section, from, defaults) };
}

/** A `TCP_CHECK`. */
export function tcpCheck(
  entry: Parameters<typeof connecting>[0],
  from: Inherited,
  findings: Findings,
): TcpCheck | undefined {
  const common = connecting(entry, from, findings);
  return common && { kind: 'tcp', ...common };
}
