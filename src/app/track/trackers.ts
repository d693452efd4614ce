import { describeSession } from '../../core/bfd/events.ts';
import type { Configuration } from '../../core/config/model.ts';
import type { ScriptState } from '../../core/dumpdata.ts';
import type { ProcessBlockStatus } from '../../core/vrrp/processes.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import type { Driver } from '../../io/drive.ts';
import type { CheckState, Level, Role, ToCheck, ToVrrp, VrrpState } from '../messages.ts';
import { scriptRules } from '../notify/notifier.ts';
import { TrackedProcesses } from './processes.ts';
import { quorumNews } from './quorums.ts';
import { Scripts } from './scripts.ts';
import { TrackedFiles } from './trackedfiles.ts';

/** What the trackers need of the supervisor. */
export interface TrackerSurroundings {
  readonly driver: Driver;
  tell(role: 'vrrp', message: ToVrrp): void;
  tell(role: 'check', message: ToCheck): void;
  log(level: Level, message: string): void;
}

/**
 * What virtual routers track and checkers follow: scripts, files and processes, which the supervisor watches
 * itself, and what its processes tell each other of: BFD sessions and quorums.
 */
export class Trackers {
  readonly #around: TrackerSurroundings;
  readonly #scripts: Scripts;
  readonly #files: TrackedFiles;
  readonly #processes: TrackedProcesses;

  constructor(around: TrackerSurroundings) {
    this.#around = around;
    const tell = (events: readonly TrackEvent[]): void => around.tell('vrrp', { type: 'track', events });
    const log = (level: Level, message: string): void => around.log(level, message);
    this.#scripts = new Scripts(around.driver, tell, log);
    this.#files = new TrackedFiles((events) => {
      tell(events);
      const numbers = events.flatMap((event) => (event.kind === 'file' ? [event] : []));
      around.tell('check', { type: 'file', files: numbers.map(({ name, value }) => ({ name, value })) });
    }, log);
    this.#processes = new TrackedProcesses(around.driver, tell, log);
  }

  /** Watches for those roles that there are; `begin`: the daemon starts. */
  configure(configuration: Configuration, roles: ReadonlySet<Role>, begin: boolean): void {
    const routers = roles.has('vrrp') && configuration.instances.length > 0;
    const { scripts, files, processes } = configuration;
    this.#scripts.configure(routers ? scripts : [], scriptRules(configuration));
    this.#files.configure(routers || roles.has('check') ? files : [], begin);
    this.#processes.configure(routers ? processes : []);
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
    this.#around.tell('check', { type: 'bfd', sessions });
  }

  /** Virtual routers track quorums, which the check process judges; `checked`: there is one. */
  tellQuorums(configuration: Configuration, check: CheckState | undefined, checked: boolean): void {
    const events = quorumNews(configuration, check?.services, checked);
    if (events.length > 0) this.#around.tell('vrrp', { type: 'track', events });
  }

  close(): void {
    this.#scripts.close();
  }
}
