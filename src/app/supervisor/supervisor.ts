import type { Configuration } from '../../core/config/model.ts';
import type { SyncRole } from '../../core/kernel/syncdaemon.ts';
import type { Happening } from '../../core/notify/happening.ts';
import { type Privileges, privilegesOfCheck, privilegesOfSync } from '../../core/privileges.ts';
import { type DaemonStatus, type RouterSetup, routerSetups } from '../../core/status/facts.ts';
import { EXIT_PERMANENT } from '../../core/supervision/child.ts';
import { since, toMillis, toSeconds } from '../../core/time.ts';
import { monotonicOrigin, now } from '../../io/clock.ts';
import { Driver } from '../../io/drive.ts';
import { type Log, openLog } from '../../io/log.ts';
import { ServiceNotifier, watchdogTimeout } from '../../io/notify.ts';
import { removePid } from '../../io/pidfile.ts';
import { nameProcess } from '../../io/placement.ts';
import { onSignal } from '../../io/signals.ts';
import { Store } from '../../io/store.ts';
import { forgetLastKnown, keepLastKnown } from '../lastknown.ts';
import { loadFile } from '../loading.ts';
import {
  type CheckState,
  type Level,
  ROLES,
  type Role,
  type SyncState,
  type VrrpNews,
  type VrrpState,
  withNews,
} from '../messages.ts';
import { Notifier } from '../notify/notifier.ts';
import { runOwnScript } from '../notify/ownscripts.ts';
import { type DaemonOptions, pidFiles } from '../options.ts';
import { saveConfiguration } from '../savedconfig.ts';
import type { Reload } from '../status.ts';
import { Trackers } from '../track/trackers.ts';
import { VERSION } from '../version.ts';
import { answer } from './answers.ts';
import { type Assignment, assignment } from './assignments.ts';
import { type ChildListener, Children } from './children.ts';
import { Control } from './control.ts';
import { Dumps } from './dumps.ts';
import { Firewall } from './firewall.ts';
import { Lookers } from './lookers.ts';
import { Orders } from './orders.ts';
import { Originals } from './originals.ts';
import { PlannedReload, withMarker } from './plannedreload.ts';

const EXIT_FAILED = 1;
const EXIT_CRASHED = 70;
/** How long the log of a crash may take. */
const CRASH_LOG_MS = 1000;

/** The process that starts and watches those that do the work, and answers the operator. */
export class Supervisor implements ChildListener {
  readonly #options: DaemonOptions;
  readonly #log: Log;
  readonly #children: Children;
  readonly #trackers: Trackers;
  readonly #planned: PlannedReload;
  readonly #firewall: Firewall;
  readonly #store: Store;
  readonly #orders: Orders;
  readonly #notifier: Notifier;
  readonly #control: Control;
  readonly #notify = new ServiceNotifier();
  readonly #started = now();
  readonly #states = new Map<Role, unknown>();
  /** What each process was told to do last. */
  readonly #told = new Map<Role, Assignment>();
  readonly #originals: Originals;
  readonly #awaited = new Set<Role>();
  readonly #lookers = new Lookers();
  #configuration: Configuration;
  #syncRole: SyncRole | undefined;
  #stopping = false;
  /** The last grave message: why a daemon that stops by itself does. */
  #grave: string | undefined;

  constructor(options: DaemonOptions, configuration: Configuration) {
    this.#options = options;
    this.#configuration = configuration;
    this.#log = openLog({
      console: options.logConsole,
      syslog: options.syslog,
      detail: options.logDetail,
      facility: options.logFacility,
      ...(options.logFile === undefined ? {} : { file: options.logFile }),
    });
    const driver = new Driver();
    const log = (level: Level, message: string): void => this.log(level, message);
    this.#trackers = new Trackers({
      driver,
      tell: (role, message) => this.#children.send(role, message),
      log,
    });
    this.#planned = new PlannedReload(() => this.#reload(), log);
    this.#notifier = new Notifier(driver, configuration, log);
    this.#firewall = new Firewall(options.runDir, log);
    this.#children = new Children(driver, options, this);
    this.#control = new Control(options.runDir, (request) => this.#answer(request), log);
    this.#originals = new Originals(`${options.runDir}/originals`, (message) => this.log('warning', message));
    this.#store = new Store(options.stateDir, (message) => this.log('warning', message));
    this.#orders = new Orders(this.#store, (message) => this.#children.send('check', message), log);
  }

  async run(): Promise<void> {
    this.log('notice', `vipkeeperd ${VERSION} starts with ${this.#options.useFile}`);
    onSignal('STOP', () => void this.#stop(0));
    onSignal('RELOAD', () => this.#reload());
    new Dumps({
      configuration: () => this.#configuration,
      status: () => this.#status(),
      processes: () => this.#trackers.processes(),
      log: (level, message) => this.log(level, message),
    });
    process.on('uncaughtException', (error) => void this.#crash(error));
    await runOwnScript(this.#configuration, 'startup', (level, message) => this.log(level, message));
    if (this.#stopping) return;
    this.#notifier.configure(this.#configuration, false);
    this.#save();
    this.#orders.configure(this.#configuration.virtualServers);
    for (const role of ROLES) await this.#children.bury(role);
    await this.#protect();
    for (const role of this.#wanted()) {
      this.#awaited.add(role);
      this.#children.start(role);
    }
    this.#track(true);
    if (this.#awaited.size === 0) this.#allReady();
    const timeout = watchdogTimeout(process.pid);
    if (timeout !== undefined) setInterval(() => this.#notify.watchdog(), toMillis(timeout) / 2);
  }

  log(level: Level, message: string): void {
    if (level === 'crit') this.#grave = message;
    this.#log.log(level, message);
  }

  privileges(role: Role): Privileges | undefined {
    const elsewhere = this.#options.ipvsNamespace !== undefined;
    if (role === 'check') return privilegesOfCheck(this.#configuration, elsewhere);
    return role === 'sync' ? privilegesOfSync(elsewhere) : undefined;
  }

  started(role: Role): void {
    // One that is started only to put away what its predecessor left may have nothing to do any more.
    const configuration = this.#assignment(role) ?? this.#told.get(role);
    if (configuration === undefined) return;
    this.#told.set(role, configuration);
    if (role === 'vrrp') this.#children.send('vrrp', { type: 'inherit', originals: this.#originals.all });
    if (role === 'vrrp' && this.#store.maintenance)
      this.#children.send('vrrp', { type: 'maintenance', on: true });
    const orders = role === 'check' ? { orders: this.#orders.all() } : {};
    this.#children.send(role, { type: 'configure', configuration: { ...configuration, ...orders } });
    this.#trackers.tellAll(role);
    if (role === 'check') this.#trackers.tellSessions(this.#vrrp);
    if (role === 'vrrp') this.#tellQuorums();
    if (role === 'sync' && this.#syncRole !== undefined) {
      this.#children.send('sync', { type: 'role', role: this.#syncRole });
    }
  }

  ready(role: Role): void {
    this.log('info', `the ${role} process works`);
    if (this.#awaited.delete(role) && this.#awaited.size === 0) this.#allReady();
  }

  state(role: Role, state: unknown): void {
    if (role === 'vrrp') this.#learned(state as VrrpNews);
    else this.#states.set(role, state);
    if (role === 'check') this.#tellQuorums();
    if (role === 'check' && this.#check?.detailed === true) this.#lookers.answered();
  }

  #learned(news: VrrpNews): void {
    const state = withNews(this.#vrrp, news);
    this.#states.set('vrrp', state);
    if (news.originals !== undefined) this.#originals.keep(news.originals);
    this.#followMaster(state);
    this.#trackers.tellSessions(state);
    this.#notifier.knows(state);
  }

  happened(happening: Happening): void {
    this.#notifier.happened(happening);
  }

  failed(role: Role, status: number | null): void {
    if (this.#stopping) return;
    if (status === EXIT_PERMANENT) {
      this.log('error', `the ${role} process can't work: the daemon stops`);
      void this.#stop(EXIT_FAILED, this.#grave ?? `the ${role} process can't work`);
    } else {
      const why = `the ${role} process died (${status === null ? 'killed' : `status ${status}`})`;
      this.log('crit', `${why} and is not to be started again: the daemon stops`);
      void this.#stop(EXIT_CRASHED, why);
    }
  }

  #assignment(role: Role): Assignment | undefined {
    return assignment(role, this.#configuration, this.#options);
  }

  #wanted(): Role[] {
    return ROLES.filter((role) => this.#assignment(role) !== undefined);
  }

  #allReady(): void {
    this.#notify.ready('running');
    process.send?.({ type: 'ready' });
    if (process.connected) process.disconnect();
  }

  get #vrrp(): VrrpState | undefined {
    return this.#states.get('vrrp') as VrrpState | undefined;
  }

  get #check(): CheckState | undefined {
    return this.#states.get('check') as CheckState | undefined;
  }

  #tellQuorums(): void {
    const checked = this.#assignment('check') !== undefined;
    this.#trackers.tellQuorums(this.#configuration, this.#check, checked);
  }

  /** The sync daemon has the role of the VRRP instance that it follows. */
  #followMaster(state: VrrpState): void {
    const followed = this.#configuration.syncDaemon?.instance;
    const instance = state.instances.find(({ name }) => name === followed);
    if (instance === undefined) return;
    const role = instance.state === 'MASTER' ? 'master' : 'backup';
    if (role === this.#syncRole) return;
    this.#syncRole = role;
    this.#children.send('sync', { type: 'role', role });
  }

  #reload(): Reload {
    const complaints: string[] = [];
    if (this.#stopping) return { applied: false, complaints: ['the daemon stops'] };
    this.#notify.reloading(now());
    const { marker } = this.#configuration.global.reload;
    const mark = marker === '' ? `${this.#options.runDir}/keepalived.reload` : marker;
    const log = (severity: Level, text: string): void => this.log(severity, text);
    const configuration = withMarker(mark, log, () =>
      loadFile(this.#options, (severity, text) => {
        log(severity, text);
        complaints.push(text);
      }),
    );
    if (configuration === undefined) {
      this.log('error', 'the configuration was not reloaded: it has errors; what runs goes on as it was');
    } else if (movesAway(this.#configuration, configuration, this.#options)) {
      const why = 'net_namespace and net_namespace_ipvs do not change while the daemon runs: restart it';
      this.log('error', why);
      complaints.push(why);
      this.#notify.ready('running');
      return { applied: false, complaints };
    } else {
      this.#apply(configuration);
    }
    this.#notify.ready('running');
    return { applied: configuration !== undefined, complaints };
  }

  #apply(configuration: Configuration): void {
    const before = this.#wanted();
    this.#configuration = configuration;
    this.#notifier.configure(configuration, true);
    this.#orders.configure(configuration.virtualServers);
    void this.#protect();
    const wanted = this.#wanted();
    for (const role of before) if (!wanted.includes(role)) void this.#retire(role);
    for (const role of wanted) {
      if (!this.#children.has(role)) this.#children.start(role);
      else if (!this.#children.renew(role)) this.started(role);
    }
    this.#track(false);
    this.#save();
    this.log('notice', `reloaded ${this.#options.useFile}`);
  }

  #save(): void {
    saveConfiguration(this.#configuration, new Date(), (level, message) => this.log(level, message));
    const { useFile: configuration, runDir } = this.#options;
    const known = { version: VERSION, configuration, routers: this.#routers() };
    keepLastKnown(runDir, known, (why) => this.log('warning', why));
  }

  /** Those that run here, as configured. */
  #routers(): RouterSetup[] {
    return this.#assignment('vrrp') === undefined ? [] : routerSetups(this.#configuration);
  }

  /** Gives the packet filter the rules that the virtual routers here need. */
  #protect(): Promise<void> {
    const { instances, global } = this.#configuration;
    return this.#firewall.configure(this.#assignment('vrrp') === undefined ? [] : instances, global.firewall);
  }

  /** As long as there are virtual routers here to track them. */
  #track(begin: boolean): void {
    const { umask, reload, placements } = this.#configuration.global;
    nameProcess(placements.daemon);
    if (umask !== undefined) process.umask(umask);
    this.#planned.configure(reload);
    this.#trackers.configure(this.#configuration, new Set(this.#wanted()), begin);
    this.#tellQuorums();
  }

  /** Stops a process that has nothing to do any more; a reload in the meantime may want it again. */
  async #retire(role: Role): Promise<void> {
    await this.#children.stop(role, this.#configuration.global.stopGrace);
    this.#states.delete(role);
    this.#told.delete(role);
    if (!this.#stopping && this.#wanted().includes(role)) this.#children.start(role);
  }

  async #stop(status: number, why?: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.log('notice', 'vipkeeperd stops');
    this.#notify.stopping('giving up the virtual addresses');
    // VRRP first: its priority-0 advert lets the other director begin while we clean up.
    const { stopGrace } = this.#configuration.global;
    for (const role of ROLES) await this.#children.stop(role, stopGrace);
    if (!this.#options.dontReleaseVrrp) await this.#firewall.close();
    this.#trackers.close();
    this.#orders.close();
    await this.#notifier.close(toMillis(stopGrace));
    await runOwnScript(this.#configuration, 'shutdown', (level, message) => this.log(level, message));
    if (why !== undefined && process.connected) {
      await new Promise((sent) => process.send?.({ failed: why }, sent));
    }
    this.#control.close();
    for (const file of pidFiles(this.#options)) removePid(file);
    forgetLastKnown(this.#options.runDir);
    await this.#log.close();
    process.exit(status);
  }

  /** A defect here ends this process only: VRRP and the checks go on, and the service manager starts it again. */
  async #crash(error: Error): Promise<void> {
    setTimeout(() => process.exit(EXIT_CRASHED), CRASH_LOG_MS);
    this.log('crit', `the supervisor has a defect: ${error.stack ?? error.message}`);
    await this.#log.close();
    process.exit(EXIT_CRASHED);
  }

  #answer(request: unknown): unknown {
    const from = {
      orders: this.#orders,
      status: () => this.#look(),
      reload: () => this.#reload(),
      maintain: (on: boolean) => {
        this.#store.maintenance = on;
        this.#children.send('vrrp', { type: 'maintenance', on });
        this.log('notice', `maintenance ${on ? 'on: giving up all virtual addresses' : 'off'}`);
      },
      wants: (role: Role) => this.#wanted().includes(role),
      virtualServers: () => this.#configuration.virtualServers,
      check: () => this.#check,
    };
    return answer(from, request);
  }

  async #look(): Promise<DaemonStatus> {
    if (this.#children.has('check')) {
      this.#children.send('check', { type: 'look' });
      await this.#lookers.wait();
    }
    return this.#status();
  }

  #status(): DaemonStatus {
    return {
      version: VERSION,
      pid: process.pid,
      uptime: toSeconds(since(now(), this.#started)),
      epoch: monotonicOrigin(),
      configuration: this.#options.useFile,
      maintenance: this.#store.maintenance,
      processes: this.#children.reports(),
      routers: this.#routers(),
      vrrp: this.#vrrp ?? null,
      check: this.#check ?? null,
      sync: (this.#states.get('sync') as SyncState | undefined) ?? null,
    };
  }
}

/** Whether another configuration names other network namespaces; `-s` goes before what it says of ours. */
function movesAway(a: Configuration, b: Configuration, { namespace }: DaemonOptions): boolean {
  const [before, after] = [a, b].map(({ global }) => {
    const { own = null, ipvs = null } = global.namespaces;
    return JSON.stringify([namespace ?? own, ipvs]);
  });
  return before !== after;
}
