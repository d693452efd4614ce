import type { BfdStatus } from '../core/bfd/events.ts';
import { type Instant, since, toMillis, toSeconds } from '../core/time.ts';
import type { VrrpStatus } from '../core/vrrp/events.ts';
import { aligned, lasting, paint } from '../io/screen.ts';
import type { CheckState, Role, SyncState, VrrpState } from './messages.ts';
import { orderWords, stateWord } from './standing.ts';

/** How one of the daemon's processes does. */
export interface ChildReport {
  readonly role: Role;
  /** Undefined while it waits for a restart. */
  readonly pid: number | undefined;
  readonly restarts: number;
}

/** What `vipkeeper status --json` prints. A process that does not run, or has not spoken yet, is null. */
export interface DaemonStatus {
  readonly version: string;
  readonly pid: number;
  /** Seconds since the start. */
  readonly uptime: number;
  readonly configuration: string;
  readonly maintenance: boolean;
  readonly processes: readonly ChildReport[];
  readonly vrrp: VrrpState | null;
  readonly check: CheckState | null;
  readonly sync: SyncState | null;
}

/** The answer to `vipkeeper reload`. */
export interface Reload {
  /** False: the configuration has errors, and what ran goes on. */
  readonly applied: boolean;
  readonly complaints: readonly string[];
}

const STATE_STYLE = { MASTER: 'green', BACKUP: 'cyan', FAULT: 'red', INIT: 'gray' } as const;

const SESSION_STYLE = { Up: 'green', Init: 'cyan', Down: 'red', AdminDown: 'gray' } as const;

const heading = (text: string): string => paint('bold', text);
const header = (...names: string[]): string[] => names.map((name) => paint('gray', name));

/** The status as lines for a person; `at` is the monotonic clock of this host. */
export function statusLines(status: DaemonStatus, at: Instant): string[] {
  const up = lasting(status.uptime);
  const lines = [
    `${heading(`vipkeeperd ${status.version}`)}  process ${status.pid}, up ${up}, ${status.configuration}`,
  ];
  if (status.maintenance) lines.push(paint('yellow', 'MAINTENANCE: this director holds no virtual address'));
  if (status.vrrp !== null && status.vrrp.instances.length > 0)
    lines.push('', ...routerLines(status.vrrp, status.maintenance, at), ...advertLines(status.vrrp));
  if (status.vrrp !== null && status.vrrp.bfd.length > 0) lines.push('', ...sessionLines(status.vrrp, at));
  if (status.check !== null) lines.push('', ...serverLines(status.check, at));
  if (status.sync !== null) lines.push('', ...syncLines(status.sync));
  lines.push('', ...processLines(status.processes));
  return lines;
}

/** The adverts that were dropped, by reason, and those that were odd but taken. */
function advertLines({ instances, malformed, unknownVrids }: VrrpState): string[] {
  const rows = instances.flatMap(({ name, statistics: { rejected, noticed } }) => {
    const [dropped, odd] = [countsOf(rejected), countsOf(noticed)];
    return [
      ...(dropped === '' ? [] : [[name, paint('yellow', 'dropped'), dropped]]),
      ...(odd === '' ? [] : [[name, 'taken, but unexpected', odd]]),
    ];
  });
  if (malformed > 0) rows.push(['-', paint('yellow', 'dropped'), `malformed ${malformed}`]);
  if (unknownVrids > 0) rows.push(['-', 'for other virtual routers', String(unknownVrids)]);
  if (rows.length === 0) return [];
  return ['', heading('Odd adverts'), ...aligned([header('ROUTER', 'WHAT', 'COUNTS'), ...rows], '  ')];
}

function routerLines({ instances }: VrrpState, maintenance: boolean, at: Instant): string[] {
  const style = maintenance ? ({ ...STATE_STYLE, FAULT: 'yellow' } as const) : STATE_STYLE;
  const rows = instances.map((instance) => [
    instance.name,
    paint(style[instance.state], instance.state),
    String(instance.priority),
    lasting(toSeconds(since(at, instance.since))),
    masterOf(instance),
    instance.cause,
  ]);
  const names = header('ROUTER', 'STATE', 'PRIORITY', 'FOR', 'MASTER', 'WHY');
  return [heading('Virtual routers'), ...aligned([names, ...rows], '  ')];
}

function masterOf({ state, master }: VrrpStatus): string {
  if (state === 'MASTER') return 'this director';
  return master === undefined ? '-' : `${master.address} (${master.priority})`;
}

/** A session that its neighbour ended is down, but those who track it still count on it: yellow. */
function sessionLines({ bfd, bfdDiscarded }: VrrpState, at: Instant): string[] {
  const rows = bfd.map((session) => {
    const { name, state, reachable, neighbor, since: entered, detectionTime } = session;
    return [
      name,
      paint(reachable && state === 'Down' ? 'yellow' : SESSION_STYLE[state], state),
      neighbor,
      lasting(toSeconds(since(at, entered))),
      detectionTime === 0 ? '-' : `${toMillis(detectionTime)} ms`,
      whyOf(session),
    ];
  });
  const names = header('SESSION', 'STATE', 'NEIGHBOUR', 'FOR', 'DETECTS IN', 'WHY');
  const lines = [heading('BFD sessions'), ...aligned([names, ...rows], '  ')];
  const discarded = countsOf(bfdDiscarded);
  return discarded === '' ? lines : [...lines, paint('yellow', `  discarded packets: ${discarded}`)];
}

function whyOf({ state, reachable, received, cause }: BfdStatus): string {
  if (received === 0) return 'nothing heard of the neighbour yet';
  return reachable && state !== 'Up' ? `${cause}: no failure for who tracks it` : cause;
}

/** `checksum 3, ttl 1`: what was counted, the most frequent first; empty when nothing was. */
const countsOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');

function serverLines({ services, problems, foreign, foreignCount }: CheckState, at: Instant): string[] {
  const rows = services.flatMap(({ name, quorum, sorry, aliveWeight, suspended, servers }) => [
    [
      paint('bold', name),
      quorum ? paint('green', 'quorum') : paint('red', sorry ? 'sorry server serves' : 'no quorum'),
      String(aliveWeight),
      suspended ? paint('yellow', 'not checked: this director does not have its address') : '',
    ],
    ...servers.map((server) => [
      `  ${server.name}`,
      stateWord(server),
      String(server.weight),
      [orderWords(server, at), server.cause].filter(Boolean).join('; '),
    ]),
  ]);
  const table = aligned([header('SERVER', 'STATE', 'WEIGHT', 'WHY'), ...rows], '  ');
  return [
    heading('Virtual servers'),
    ...table,
    ...problems.map((text) => paint('red', `  ${text}`)),
    ...foreignLines(foreign, foreignCount),
  ];
}

/** Services that somebody else made: they are left alone. */
function foreignLines(foreign: CheckState['foreign'], count: number): string[] {
  if (count === 0) return [];
  const rows = foreign.map(({ name, scheduler }) => [name, scheduler]);
  const more = count - foreign.length;
  return [
    '',
    `${heading('Foreign services')}  in the kernel's table, not of this configuration: left alone`,
    ...aligned([header('SERVICE', 'SCHEDULER'), ...rows], '  '),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function syncLines({ running }: SyncState): string[] {
  const rows = running.map(({ role, interface: device, id }) => [role, device, `id ${id}`]);
  return [heading('Connection sync'), ...aligned(rows.length > 0 ? rows : [['not running']], '  ')];
}

function processLines(processes: readonly ChildReport[]): string[] {
  const rows = processes.map(({ role, pid, restarts }) => [
    role,
    pid === undefined ? paint('red', 'waits for its restart') : String(pid),
    restarts === 0 ? '' : paint('yellow', `restarted ${restarts === 1 ? 'once' : `${restarts} times`}`),
  ]);
  return [heading('Processes'), ...aligned(rows, '  ')];
}
