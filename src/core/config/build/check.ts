import type { BfdCheck } from '../../check/bfd.ts';
import type { TcpCheck } from '../../check/settings.ts';
import { familyOf, type Ip } from '../../ip.ts';
import { type Duration, seconds } from '../../time.ts';
import type { Findings } from '../findings.ts';
import type { realServer, virtualServer } from '../grammar/virtual.ts';
import type { Entry, Section } from '../tree.ts';

/** What a checker takes over where it says nothing itself: the real server's word, else the service's. */
export interface Inherited {
  readonly timeout: Duration;
  readonly period: Duration;
  readonly warmup?: Duration;
  readonly retries: number;
  readonly retryDelay: Duration;
  readonly alpha: boolean;
}

/** The defaults for the checkers of one real server (keepalived: check/check_api.c, check/check_data.c). */
export function inherited(
  server: Section<typeof realServer>,
  service: Section<typeof virtualServer>,
): Inherited {
  const warmup = server.value('warmup') ?? service.value('warmup');
  return {
    timeout: server.value('connect_timeout') ?? service.value('connect_timeout') ?? seconds(5),
    period: server.value('delay_loop') ?? service.value('delay_loop') ?? seconds(60),
    ...(warmup === undefined ? {} : { warmup }),
    retries: server.value('retry') ?? service.value('retry') ?? 1,
    retryDelay: server.value('delay_before_retry') ?? service.value('delay_before_retry') ?? seconds(1),
    alpha: server.value('alpha') ?? service.has('alpha'),
  };
}

/**
 * A `TCP_CHECK` of the real server at `address` and `port`; `undefined` when it has no port to probe. The
 * warm-up is the period where nobody says otherwise.
 */
export function tcpCheck(
  entry: Entry<(typeof realServer)['TCP_CHECK']>,
  address: Ip,
  serverPort: number,
  from: Inherited,
  findings: Findings,
): TcpCheck | undefined {
  const { section, keyword } = entry;
  const period = section.value('delay_loop') ?? from.period;
  const target = section.value('connect_ip') ?? address;
  const port = section.value('connect_port') ?? serverPort;
  if (port === 0) {
    findings.error(keyword, 'TCP_CHECK has no port to connect to', { hint: 'write connect_port' });
    return undefined;
  }
  const source = section.value('bindto');
  if (source !== undefined && familyOf(source) !== familyOf(target)) {
    findings.error(section.token('bindto') ?? keyword, `bindto is of another family than ${target}`);
  }
  const sourcePort = section.value('bind_port');
  return {
    kind: 'tcp',
    address: target,
    port,
    timeout: section.value('connect_timeout') ?? from.timeout,
    ...(source === undefined ? {} : { source }),
    ...(sourcePort === undefined ? {} : { sourcePort }),
    period,
    warmup: section.value('warmup') ?? from.warmup ?? period,
    retries: section.value('retry') ?? from.retries,
    retryDelay: section.value('delay_before_retry') ?? from.retryDelay,
    alpha: section.value('alpha') ?? from.alpha,
  };
}

/** A `BFD_CHECK`; `undefined` when it names no session, which `checkReferences` says. */
export function bfdCheck({ section }: Entry<(typeof realServer)['BFD_CHECK']>): BfdCheck | undefined {
  const session = section.value('name');
  if (session === undefined) return undefined;
  return { kind: 'bfd', session, alpha: section.value('alpha') ?? false };
}
