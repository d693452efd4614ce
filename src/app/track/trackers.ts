import { describeSession } from '../../core/bfd/events.ts';
import type { Configuration } from '../../core/config/model.ts';
import type { ScriptState } from '../../core/dumpdata.ts';
import { quorumNews } from '../../core/serving/quorums.ts';
import { STATE_PERIOD } from '../../core/supervision/child.ts';
import { toMillis } from '../../core/time.ts';
import type { ProcessBlockStatus } from '../../core/track/processes.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import type { Driver } from '../../io/drive.ts';
import type { CheckState, Level, Role, ToCheck, ToVrrp, VrrpState } from '../messages.ts';
import { scriptRules } from '../notify/notifier.ts';
import { TrackedProcesses } from './processes.ts';
import { Scripts } from './scripts.ts';
import { TrackedFiles } from './trackedfiles.ts';

/** Tells a process of the daemon. */
interface Tell {
  (role: 'vrrp', message: ToVrrp): void;
  (role: 'check', message: ToCheck): void;
}

/**
 * What virtual routers track and checkers follow: scripts, files and processes, which the supervisor watches
 * itself, and what its processes tell each other of: BFD sessions and quorums.
 */
export class Trackers {
  readonly #tell: Tell;
  readonly #scripts: Scripts;
  readonly #files: TrackedFiles;
  readonly #processes: TrackedProcesses;
  /** All is told again and again, and files are read: while there is something to tell. */
  #again: NodeJS.Timeout | undefined;

  constructor(driver: Driver, tell: Tell, log: (level: Level, message: string) => void) {
    this.#tell = tell;
    const tellRouters = (events: readonly TrackEvent[]): void => tell('vrrp', { type: 'track', events });
    this.#scripts = new Scripts(driver, tellRouters, log);
    this.#files = new TrackedFiles((events) => {
      tellRouters(events);
      const numbers = events.flatMap((event) => (event.kind === 'file' ? [event] : []));
      tell('check', { type: 'file', files: numbers.map(({ name, value }) => ({ name, value })) });
    }, log);
    this.#processes = new TrackedProcesses(driver, tellRouters, log);
  }

  /** Watches for those roles that there are; `begin`: the daemon starts. */
  configure(configuration: Configuration, roles: ReadonlySet<Role>, begin: boolean): void {
    const routers = roles.has('vrrp') && configuration.instances.length > 0;
    const { scripts, processes } = routers ? configuration : { scripts: [], processes: [] };
    const files = routers || roles.has('check') ? configuration.files : [];
    this.#scripts.configure(scripts, scriptRules(configuration));
    this.#files.configure(files, begin);
    this.#processes.configure(processes);
    clearInterval(this.#again);
    const tracks = scripts.length + files.length + processes.length > 0;
    this.#again = tracks
      ? setInterval(() => this.tellAll('vrrp'), toMillis(STATE_PERIOD)).unref()
      : undefined;
  }

  /** A process of this role has begun: it knows nothing. */
  tellAll(role: Role): void {
    this.#files.tellAll();
    if (role !== 'vrrp') return;
    this.#scripts.tellAll();
    this.#processes.tellAll();
  }

  /** How the scripts stand. */
  scripts(): ReadonlyMap<string, ScriptState> {
    return this.#scripts.states();
  }

  processes(): ProcessBlockStatus[] {
    return this.#processes.status();
  }

  /** Checkers follow BFD sessions, which the VRRP process speaks for. */
  tellSessions(vrrp: VrrpState | undefined): void {
    if (vrrp === undefined || vrrp.bfd.length === 0) return;
    const sessions = vrrp.bfd
      .filter(({ tells }) => tells !== 'vrrp')
      .map((status) => ({ name: status.name, up: status.reachable, why: describeSession(status) }));
    this.#tell('check', { type: 'bfd', sessions });
  }

  /** Virtual routers track quorums, which the check process judges; `checked`: there is one. */
  tellQuorums(configuration: Configuration, check: CheckState | undefined, checked: boolean): void {
    const { instances, groups, virtualServers } = configuration;
    const events = quorumNews([...instances, ...groups], virtualServers, check?.services, checked);
    if (events.length > 0) this.#tell('vrrp', { type: 'track', events });
  }

  close(): void {
    this.#scripts.close();
  }
}
