import { type Instant, since, toSeconds } from '../core/time.ts';
import type { VrrpStatus } from '../core/vrrp/events.ts';
import { aligned, lasting, paint } from '../io/screen.ts';
import type { ChildReport } from './children.ts';
import type { CheckState, SyncState, VrrpState } from './messages.ts';

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

const heading = (text: string): string => paint('bold', text);
const header = (...names: string[]): string[] => names.map((name) => paint('gray', name));

/** The status as lines for a person; `at` is the monotonic clock of this host. */
export function statusLines(status: DaemonStatus, at: Instant): string[] {
  const up = lasting(status.uptime);
  const lines = [
    `${heading(`vipkeeperd ${status.version}`)}  process ${status.pid}, up ${up}, ${status.configuration}`,
  ];
  if (status.maintenance) lines.push(paint('yellow', 'MAINTENANCE: this director holds no virtual address'));
  if (status.vrrp !== null) lines.push('', ...routerLines(status.vrrp, status.maintenance, at));
  if (status.check !== null) lines.push('', ...serverLines(status.check));
  if (status.sync !== null) lines.push('', ...syncLines(status.sync));
  lines.push('', ...processLines(status.processes));
  return lines;
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

function serverLines({ services, problems }: CheckState): string[] {
  const rows = services.flatMap(({ name, quorum, sorry, aliveWeight, servers }) => [
    [
      paint('bold', name),
      quorum ? paint('green', 'quorum') : paint('red', sorry ? 'sorry server serves' : 'no quorum'),
      String(aliveWeight),
      '',
    ],
    ...servers.map((server) => [
      `  ${server.name}`,
      server.up ? paint('green', 'up') : paint('red', 'down'),
      String(server.weight),
      server.cause,
    ]),
  ]);
  const table = aligned([header('SERVER', 'STATE', 'WEIGHT', 'WHY'), ...rows], '  ');
  return [heading('Virtual servers'), ...table, ...problems.map((text) => paint('red', `  ${text}`))];
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
