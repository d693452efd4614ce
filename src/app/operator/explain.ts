import type { CheckStatus } from '../../core/check/checker.ts';
import type { Latency } from '../../core/check/record.ts';
import type { ServerStatus } from '../../core/serving/balancer.ts';
import { namesServer } from '../../core/serving/servernames.ts';
import { type Instant, millis, since, toMillis, toSeconds } from '../../core/time.ts';
import { aligned, lasting, paint } from '../../io/screen.ts';
import type { CheckState } from '../messages.ts';
import { orderWords } from '../standing.ts';

/** A real server of a virtual server, with what its checks saw. */
export interface Explained extends ServerStatus {
  readonly service: string;
}

/**
 * The real servers of that name: `ADDR:PORT`, `ADDR`, or a virtual server's name for all of its servers. Without a
 * name, those that are down.
 */
export function explained(state: CheckState | null, name: string | undefined): Explained[] {
  const all = (state?.services ?? []).flatMap(({ name: service, servers }) =>
    servers.map((server) => ({ service, ...server })),
  );
  if (name === undefined) return all.filter(({ up }) => !up);
  return all.filter((server) => namesServer(name, server.name) || server.service === name);
}

const header = (...names: string[]): string[] => names.map((name) => paint('gray', name));
const upDown = (up: boolean): string => (up ? paint('green', 'up') : paint('red', 'down'));

/** For a person; `at` is the monotonic clock of this host. */
export function explainLines(servers: readonly Explained[], at: Instant): string[] {
  if (servers.length === 0) return ['all real servers are up'];
  return servers.flatMap((server, i) => [...(i > 0 ? [''] : []), ...serverLines(server, at)]);
}

function serverLines(server: Explained, at: Instant): string[] {
  const { service, name, up, weight, cause, since: begun, checks = [] } = server;
  const long = begun === undefined ? '' : ` for ${lasting(toSeconds(since(at, begun)))}`;
  const order = orderWords(server, at);
  return [
    `${paint('bold', name)} of ${service}: ${upDown(up)}${long}, weight ${weight}`,
    ...(order === '' ? [] : [`  ${paint('yellow', order)}`]),
    `  ${checks.length === 0 ? 'nothing checks it' : cause}`,
    ...checks.flatMap((check) => ['', ...checkLines(check, at)]),
  ];
}

function checkLines(check: CheckStatus, at: Instant): string[] {
  const { up, since: begun, failures, results, latencies } = check;
  const failing = failures > 0 ? `, ${failures} bad in a row` : '';
  const rows = results
    .toReversed()
    .map(({ verdict, reason, count, first, last }) => [
      lasting(toSeconds(since(at, last))),
      lasting(toSeconds(since(at, first))),
      String(count),
      verdict === 'good' ? paint('green', verdict) : paint(verdict === 'bad' ? 'red' : 'yellow', verdict),
      reason,
    ]);
  const table =
    rows.length === 0 ? [] : aligned([header('LAST', 'FIRST', 'TIMES', 'RESULT', 'WHY'), ...rows], '    ');
  return [
    `  ${check.check}: ${upDown(up)} for ${lasting(toSeconds(since(at, begun)))}${failing}`,
    ...(rows.length === 0 ? ['    not checked yet'] : table),
    ...latencyLines(latencies),
  ];
}

const BAR = 40;

/** How long good probes took: a line for each class that has any, and those between. */
function latencyLines(latencies: readonly Latency[]): string[] {
  const first = latencies.findIndex(({ count }) => count > 0);
  if (first < 0) return [];
  const most = Math.max(...latencies.map(({ count }) => count));
  const rows = latencies
    .slice(first)
    .map(({ upTo, count }) => [
      upTo === null ? 'longer' : `to ${toMillis(millis(upTo / 1000))} ms`,
      String(count),
      '#'.repeat(Math.ceil((BAR * count) / most)),
    ]);
  return aligned([header('LATENCY', 'TIMES'), ...rows], '    ');
}
