import { difference } from '../../core/config/difference.ts';
import type { Configuration } from '../../core/config/model.ts';
import type { Happening } from '../../core/notify/happening.ts';
import type { Privileges } from '../../core/privileges.ts';
import type { SyncRole } from '../../core/reconcile/syncdaemon.ts';
import { type DaemonStatus, type RouterSetup, routerSetups } from '../../core/status/facts.ts';
import { EXIT_PERMANENT } from '../../core/supervision/child.ts';
import { Reloads } from '../../core/supervision/reloads.ts';
import { since, toMillis, toSeconds } from '../../core/time.ts';
import { monotonicOrigin, now } from '../../io/clock.ts';
import { Driver } from '../../io/drive.ts';
import { KeptFiles } from '../../io/kept.ts';
import { pidText } from '../../io/pidfile.ts';
import { nameProcess } from '../../io/placement.ts';
import { Store } from '../../io/store.ts';
import { forgetLastKnown, keepLastKnown } from '../lastknown.ts';
import {
  type CheckConfiguration,
  type CheckState,
  type Level,
  type LogLine,
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
import { Arbiter } from './arbiter.ts';
import { type Assignment, assignment, hasWholeTable, privilegesOf, roleOfSync } from './assignments.ts';
import { CheckOrders } from './checkorders.ts';
import { type ChildListener, Children } from './children.ts';
import { Control } from './control.ts';
import { attempt, crash, EXIT_CRASHED, EXIT_FAILED, onDefect } from './defects.ts';
import { Dumps } from './dumps.ts';
import { Firewall } from './firewall.ts';
import { Leaving } from './leaving.ts';
import { Logbook } from './logbook.ts';
import { Lookers } from './lookers.ts';
import { LvsSysctls } from './lvssysctls.ts';
import { Orders } from './orders.ts';
import { Originals } from './originals.ts';
import { PlannedReload } from './plannedreload.ts';
import { Readiness } from './readiness.ts';
import { reexec } from './reexec.ts';
import { Remains } from './remains.ts';
import { readAgain } from './rereading.ts';
import { Signalled } from './signalled.ts';

/** The process that starts and watches those that do the work, and answers the operator. */
export class Supervisor implements ChildListener {
  readonly #options: DaemonOptions;
  readonly #log: Logbook;
  readonly #files: KeptFiles;
  readonly #signals: Signalled;
  readonly #children: Children;
  readonly #checks = new CheckOrders((message) => this.#children.send('check', message));
  readonly #lookers = new Lookers((role) => this.#children.send(role, { type: 'look' }));
  readonly #trackers: Trackers;
  readonly #planned: PlannedReload;
  readonly #sysctls: LvsSysctls;
  readonly #firewall: Firewall;
  readonly arbiter: Arbiter;
  readonly #store: Store;
  readonly leaving: Leaving;
  readonly #orders: Orders;
  readonly #notifier: Notifier;
  readonly #control: Control;
  readonly #readiness = new Readiness();
  readonly #started = now();
  readonly #states = new Map<Role, unknown>();
  /** What each process was told to do last. */
  readonly #told = new Map<Role, Assignment>();
  readonly remains = new Remains(this.#told, this.#states, (...said) => this.log(...said));
  readonly #originals: Originals;
  readonly #askReload: () => void;
  #configuration: Configuration;
  #syncRole: SyncRole | undefined;
  /** The start, as far as it has come; it ends where a stop finds it. */
  #begun: Promise<void> = Promise.resolve();
  readonly #startup = new AbortController();
  /** Whether what an earlier daemon left behind is gone. */
  #alone = false;

  constructor(options: DaemonOptions, configuration: Configuration) {
    this.#options = options;
    this.#configuration = configuration;
    const driver = new Driver();
    this.#log = new Logbook(options, driver);
    const { log } = this;
    const repeated = (level: Level, message: string): void => this.#log.repeated(level, message);
    const { runDir, stateDir } = options;
    const warn = (message: string): void => log('warning', message);
    this.#files = new KeptFiles(log);
    this.#signals = new Signalled((name) => log('info', `${name}: not now, the daemon stops`));
    const reloads = driver.attach(new Reloads(), () => {
      this.#reload();
      reloads.handle({ type: 'done' });
    });
    this.#askReload = () => reloads.handle({ type: 'asked' });
    this.#trackers = new Trackers(driver, (role, message) => this.#children.send(role, message), repeated);
    this.#planned = new PlannedReload(() => this.#reload(), log);
    this.#notifier = new Notifier(driver, configuration, repeated);
    this.#sysctls = new LvsSysctls(runDir, options.ipvsNamespace, this.#files, log);
    this.#firewall = new Firewall(runDir, this.#files, log);
    this.#children = new Children(driver, options, this.#files, this);
    this.arbiter = new Arbiter(driver, stateDir, this.#files, this.#children, this.happened, log);
    this.#control = new Control(runDir, (request) => this.#answer(request), log);
    this.#originals = new Originals(`${runDir}/originals`, this.#files, warn);
    this.#store = new Store(stateDir, this.#files, warn);
    this.leaving = new Leaving(this.#store, (message) => this.#children.send('vrrp', message), log);
    this.#orders = new Orders(this.#store, (message) => this.#children.send('check', message), log);
  }

  /** Begins; from here on every signal is answered, and the pid file says to whom it goes. */
  async run(): Promise<void> {
    this.log('notice', `vipkeeperd ${VERSION} starts with ${this.#options.useFile}`);
    this.#readiness.watch();
    this.#signals.on('STOP', () => this.#stop(0));
    this.#signals.on('RELOAD', () => this.#askReload());
    new Dumps({
      look: () => this.#lookers.look(),
      configuration: () => this.#configuration,
      status: () => this.#status(),
      processes: () => this.#trackers.processes(),
      scripts: () => this.#trackers.scripts(),
      onSignal: (name, act) => this.#signals.on(name, act),
      log: this.log,
    });
    onDefect(this.#log);
    for (const file of pidFiles(this.#options)) this.#files.keep(file, pidText(process.pid));
    this.#begun = this.#start();
    await this.#begun.catch((error) => crash(this.#log, error));
  }

  /** Ends early where a stop comes in between. */
  async #start(): Promise<void> {
    await runOwnScript(this.#configuration, 'startup', this.log, this.#startup.signal);
    if (this.#stopping) return;
    this.#notifier.configure(this.#configuration, false);
    this.#save();
    this.#orders.configure(this.#configuration.virtualServers);
    for (const role of ROLES) await this.#children.succeed(role, this.#assignment(role));
    this.#alone = true;
    if (this.#stopping) return;
    await this.#protect();
    if (this.#stopping) return;
    const roles = this.#wanted();
    this.#readiness.expect(roles);
    for (const role of roles) this.#children.start(role);
    this.#track(true);
    this.arbiter.configure(this.#configuration, roles.includes('vrrp'));
    this.#signals.running();
  }

  get #stopping(): boolean {
    return this.#signals.phase === 'stopping';
  }

  readonly log = (level: Level, message: string): void => {
    this.#log.log(level, message);
  };

  readonly said = (role: Role, pid = 0, line: LogLine): void => this.#log.said(role, pid, line);

  privileges(role: Role): Privileges | undefined {
    return privilegesOf(role, this.#configuration, this.#options);
  }

  /** Tells a process what it has to do; `again`: it knows what it was told before. */
  started(role: Role, again = false): void {
    if (role === 'check' && !again) this.#checks.begun();
    // One that is started only to put away what its predecessor left may have nothing to do any more.
    const configuration = this.#assignment(role) ?? this.#told.get(role);
    if (configuration === undefined) return;
    this.#told.set(role, configuration);
    if (role === 'vrrp') this.#children.introduce(this.#originals.all, this.#store.maintenance);
    const { logDetail: detail } = this.#options;
    if (role === 'check') this.#checks.tell(configuration as CheckConfiguration, this.#orders.all(), detail);
    else this.#children.send(role, { type: 'configure', configuration, detail });
    this.#trackers.tellAll(role);
    if (role === 'check') this.#trackers.tellSessions(this.#vrrp);
    else if (role === 'vrrp') this.#tellQuorums();
    else if (this.#syncRole !== undefined)
      this.#children.send('sync', { type: 'role', role: this.#syncRole });
  }

  ready(role: Role): void {
    this.log('info', `the ${role} process works`);
    this.#readiness.works(role);
  }

  state(role: Role, state: unknown): void {
    if (role === 'vrrp') this.#learned(state as VrrpNews);
    else this.#states.set(role, state);
    const complete = role === 'sync' ? hasWholeTable(state as SyncState) : undefined;
    if (complete !== undefined) this.#children.send('vrrp', { type: 'synced', complete });
    if (role === 'check') this.#tellQuorums();
    if (role === 'check') this.#lookers.check(state as CheckState);
  }

  #learned(news: VrrpNews): void {
    const state = withNews(this.#vrrp, news);
    this.#states.set('vrrp', state);
    this.#lookers.vrrp(news);
    if (news.originals !== undefined) this.#originals.keep(news.originals);
    this.#followMaster(state);
    this.#trackers.tellSessions(state);
    this.#notifier.knows(state);
  }

  readonly happened = (happening: Happening): void => this.#notifier.happened(happening);

  failed(role: Role, status: number | null): void {
    if (this.#stopping) return;
    if (status === EXIT_PERMANENT) {
      this.log('error', `the ${role} process can't work: the daemon stops`);
      this.#stop(EXIT_FAILED, this.#log.grave ?? `the ${role} process can't work`);
    } else {
      const why = `the ${role} process died (${status === null ? 'killed' : `status ${status}`})`;
      this.log('crit', `${why} and is not to be started again: the daemon stops`);
      this.#stop(EXIT_CRASHED, why);
    }
  }

  #assignment(role: Role): Assignment | undefined {
    return assignment(role, this.#configuration, this.#options);
  }

  #wanted(): Role[] {
    return ROLES.filter((role) => this.#assignment(role) !== undefined);
  }

  get #vrrp(): VrrpState | undefined {
    return this.#states.get('vrrp') as VrrpState | undefined;
  }

  get #check(): CheckState | undefined {
    return this.#states.get('check') as CheckState | undefined;
  }

  #tellQuorums(): void {
    this.#trackers.tellQuorums(this.#configuration, this.#check, this.#assignment('check') !== undefined);
  }

  /** The sync daemon has the role of the VRRP instance that it follows. */
  #followMaster(state: VrrpState): void {
    const role = roleOfSync(this.#configuration, state);
    if (role === undefined || role === this.#syncRole) return;
    this.#syncRole = role;
    this.#children.send('sync', { type: 'role', role });
  }

  /** Whatever goes wrong, the running configuration stays in force. */
  #reload(): Reload {
    const complaints: string[] = [];
    if (this.#stopping) return { applied: false, complaints: ['the daemon stops'] };
    this.#readiness.reloading();
    const configuration = readAgain(this.#options, this.#configuration, this.log, (level, text) => {
      this.log(level, text);
      complaints.push(text);
    });
    const before = this.#configuration;
    if (configuration !== undefined) this.#apply(configuration);
    // In words only when it is done: that takes as long as to read it.
    const changes = configuration && difference(before, configuration);
    this.#readiness.reloaded();
    if (changes === undefined) return { applied: false, complaints };
    this.log('notice', `reloaded ${this.#options.useFile}: ${changes}`);
    return { applied: true, complaints, changes };
  }

  /** Each part for itself: trouble with one keeps the others from nothing. */
  #apply(configuration: Configuration): void {
    const part = (what: string, work: () => void): void => attempt(this.log, what, work);
    const before = this.#wanted();
    this.#configuration = configuration;
    const wanted = this.#wanted();
    part('scripts, pipes and mails', () => this.#notifier.configure(configuration, true));
    part('decisions on real servers', () => this.#orders.configure(configuration.virtualServers));
    void this.#protect();
    for (const role of before) if (!wanted.includes(role)) void this.#retire(role);
    for (const role of wanted) {
      part(`the ${role} process`, () => {
        if (!this.#children.has(role)) this.#children.start(role);
        else if (!this.#children.renew(role)) this.started(role, true);
      });
    }
    part('what is tracked', () => this.#track(false));
    part('votes and fencing', () => this.arbiter.configure(configuration, wanted.includes('vrrp')));
    part('copies', () => this.#save());
  }

  #save(): void {
    saveConfiguration(this.#configuration, new Date(), this.log);
    const { useFile: configuration, runDir } = this.#options;
    keepLastKnown(this.#files, runDir, { version: VERSION, configuration, routers: this.#routers() });
  }

  /** Those that run here, as configured. */
  #routers(): RouterSetup[] {
    return this.#assignment('vrrp') === undefined ? [] : routerSetups(this.#configuration);
  }

  /** Gives the packet filter the rules that the virtual routers here need. */
  #protect(): Promise<void> {
    const { instances, global } = this.#configuration;
    this.#sysctls.configure(this.#options.vrrp ? [] : (global.lvsSysctls ?? []));
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

  /** Ends the daemon, with all of its processes. */
  #stop(status: number, why?: string): void {
    if (this.#stopping) return;
    this.#signals.stopping();
    void this.#end(status, why).catch((error) => crash(this.#log, error));
  }

  async #end(status: number, why?: string): Promise<void> {
    this.log('notice', 'vipkeeperd stops');
    this.#readiness.stopping();
    this.#startup.abort();
    await this.#begun;
    // What an earlier daemon left is to go as well.
    if (!this.#alone) for (const role of ROLES) await this.#children.endOrphan(role, true);
    // VRRP first: its priority-0 advert lets the other director begin while we clean up.
    const { stopGrace } = this.#configuration.global;
    for (const role of ROLES) await this.#children.stop(role, stopGrace);
    await this.#firewall.end(this.#configuration, this.#options);
    this.#trackers.close();
    if (!this.#options.dontReleaseIpvs) this.#sysctls.configure([]);
    this.#orders.close();
    await this.#notifier.close(toMillis(stopGrace));
    await runOwnScript(this.#configuration, 'shutdown', this.log);
    if (why !== undefined) await this.#readiness.failed(why);
    this.#control.close();
    for (const file of pidFiles(this.#options)) this.#files.keep(file, undefined);
    forgetLastKnown(this.#files, this.#options.runDir);
    await this.#log.close();
    process.exit(status);
  }

  #answer(request: unknown): unknown {
    const from = {
      orders: this.#orders,
      status: () => this.#lookers.look().then(() => this.#status()),
      reload: () => this.#reload(),
      reexec: () => reexec(this.#options, this.#readiness, this.log, () => this.#stopping),
      record: () => this.#children.recordings.all(),
      leaving: this.leaving,
      wants: (role: Role) => this.#wanted().includes(role),
      virtualServers: () => this.#configuration.virtualServers,
      check: () => this.#check,
      sync: () => this.#states.get('sync') as SyncState | undefined,
      pull: () => void this.#children.send('sync', { type: 'pull' }),
      ...{ fencer: this.arbiter.fencer, cluster: () => this.#configuration.cluster },
    };
    return answer(from, request);
  }

  #status(): DaemonStatus {
    return {
      ...{ version: VERSION, pid: process.pid, uptime: toSeconds(since(now(), this.#started)) },
      ...{ epoch: monotonicOrigin(), configuration: this.#options.useFile },
      ...{ maintenance: this.#store.maintenance, processes: this.#children.reports() },
      refusedRequests: this.#control.refused,
      troubles: [...this.#files.troubles, ...this.#notifier.troubles],
      ...{ routers: this.#routers(), vrrp: this.#vrrp ?? null, check: this.#check ?? null },
      sync: (this.#states.get('sync') as SyncState | undefined) ?? null,
      ...(this.#configuration.fencing !== undefined && { fencing: this.arbiter.fencer.status() }),
    };
  }
}
