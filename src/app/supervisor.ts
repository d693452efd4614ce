import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { Configuration } from '../core/config/model.ts';
import type { SyncDaemonSettings } from '../core/sync/settings.ts';
import type { SyncRole } from '../core/syncdaemon.ts';
import { type Duration, seconds, toMillis } from '../core/time.ts';
import { missingCapabilities } from '../io/capabilities.ts';
import { now } from '../io/clock.ts';
import { serveControl } from '../io/control.ts';
import { Driver } from '../io/drive.ts';
import { type Log, openLog } from '../io/log.ts';
import { ServiceNotifier, watchdogTimeout } from '../io/notify.ts';
import { isAlive, readPid, removePid, writePid } from '../io/pidfile.ts';
import { Store } from '../io/store.ts';
import { type ChildListener, Children } from './children.ts';
import { loadFile, loadForTerminal, testConfiguration } from './loading.ts';
import {
  type CheckConfiguration,
  type CheckState,
  type Level,
  ROLES,
  type Role,
  type SyncState,
  type VrrpConfiguration,
  type VrrpState,
} from './messages.ts';
import { type DaemonOptions, daemonOptions } from './options.ts';
import type { DaemonStatus } from './status.ts';
import { VERSION } from './version.ts';

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 2;
const EXIT_PERMISSION = 4;
/** `child_wait_time`'s default: how long a stop may take before children are killed. */
const STOP_GRACE: Duration = seconds(5);

/** `vipkeeperd`: reads the configuration, starts the processes that do the work, and answers the operator. */
export async function runSupervisor(argv: readonly string[]): Promise<void> {
  const options = daemonOptions(argv, VERSION);
  if (options.configTest !== undefined) process.exit(testConfiguration(options));
  const configuration = loadForTerminal(options);
  if (configuration === undefined) process.exit(EXIT_CONFIGURATION);
  const missing = missingCapabilities();
  if (missing.length > 0) {
    process.stderr.write(`vipkeeperd: run as root: missing ${missing.join(' and ')}\n`);
    process.exit(EXIT_PERMISSION);
  }
  const pidFile = options.pid ?? `${options.runDir}/vipkeeperd.pid`;
  const other = readPid(pidFile);
  if (other !== undefined && other !== process.pid && isAlive(other)) {
    process.stderr.write(`vipkeeperd: already running as process ${other} (${pidFile})\n`);
    process.exit(EXIT_FAILED);
  }
  if (!options.dontFork) return daemonise(argv);
  mkdirSync(options.runDir, { recursive: true });
  writePid(pidFile, process.pid);
  await new Supervisor(options, configuration, pidFile).run();
}

/** Starts the daemon proper in a session of its own; ends when that one is ready, or says why it is not. */
function daemonise(argv: readonly string[]): void {
  const daemon = fork(process.argv[1] ?? '', [...argv, '-n'], { detached: true, stdio: 'ignore' });
  daemon.on('message', (message: { readonly failed?: string }) => {
    if (message.failed !== undefined) process.stderr.write(`vipkeeperd: ${message.failed}\n`);
    process.exit(message.failed === undefined ? 0 : EXIT_FAILED);
  });
  daemon.on('exit', (status) => process.exit(status === 0 ? EXIT_FAILED : (status ?? EXIT_FAILED)));
}

class Supervisor implements ChildListener {
  readonly #options: DaemonOptions;
  readonly #pidFile: string;
  readonly #log: Log;
  readonly #children: Children;
  readonly #store: Store;
  readonly #notify = new ServiceNotifier();
  readonly #started = Date.now();
  readonly #states = new Map<Role, unknown>();
  readonly #awaited = new Set<Role>();
  #configuration: Configuration;
  #syncRole: SyncRole | undefined;
  #stopping = false;

  constructor(options: DaemonOptions, configuration: Configuration, pidFile: string) {
    this.#options = options;
    this.#configuration = configuration;
    this.#pidFile = pidFile;
    this.#log = openLog({
      console: options.logConsole,
      syslog: options.syslog,
      detail: options.logDetail > 0,
      facility: options.logFacility,
      ...(options.logFile === undefined ? {} : { file: options.logFile }),
    });
    this.#children = new Children(new Driver(), options.runDir, !options.dontRespawn, this);
    this.#store = new Store(options.stateDir, (message) => this.log('warning', message));
  }

  async run(): Promise<void> {
    this.log('notice', `vipkeeperd ${VERSION} starts with ${this.#options.useFile}`);
    process.on('SIGTERM', () => void this.#stop(0));
    process.on('SIGINT', () => void this.#stop(0));
    process.on('SIGHUP', () => this.#reload());
    process.on('SIGPIPE', () => undefined);
    serveControl(`${this.#options.runDir}/control.sock`, (request) => this.#answer(request)).on(
      'error',
      (error) => this.log('error', `the control socket: ${error.message}`),
    );
    for (const role of ROLES) await this.#children.bury(role);
    for (const role of this.#wanted()) {
      this.#awaited.add(role);
      this.#children.start(role);
    }
    if (this.#awaited.size === 0) this.#allReady();
    const timeout = watchdogTimeout(process.pid);
    if (timeout !== undefined) setInterval(() => this.#notify.watchdog(), toMillis(timeout) / 2);
  }

  log(level: Level, message: string): void {
    this.#log.log(level, message);
  }

  started(role: Role): void {
    const configuration = this.#assignment(role);
    if (configuration === undefined) return;
    if (role === 'vrrp' && this.#store.maintenance)
      this.#children.send('vrrp', { type: 'maintenance', on: true });
    this.#children.send(role, { type: 'configure', configuration });
    if (role === 'sync' && this.#syncRole !== undefined) {
      this.#children.send('sync', { type: 'role', role: this.#syncRole });
    }
  }

  ready(role: Role): void {
    this.log('info', `the ${role} process works`);
    if (this.#awaited.delete(role) && this.#awaited.size === 0) this.#allReady();
  }

  state(role: Role, state: unknown): void {
    this.#states.set(role, state);
    if (role === 'vrrp') this.#followMaster(state as VrrpState);
  }

  failed(role: Role, status: number | null): void {
    this.log('crit', `the ${role} process can't work (status ${status}): the daemon stops`);
    void this.#stop(EXIT_FAILED, `the ${role} process can't work; see the log`);
  }

  /** What a process of each role has to do; undefined: it is not needed. */
  #assignment(role: Role): VrrpConfiguration | CheckConfiguration | SyncDaemonSettings | undefined {
    const { instances, virtualServers, global, syncDaemon } = this.#configuration;
    const { vrrp: onlyVrrp, check: onlyCheck } = this.#options;
    if (role === 'vrrp') {
      if (onlyCheck || instances.length === 0) return undefined;
      const { realTimePriority } = global;
      return { instances, realTimePriority, release: !this.#options.dontReleaseVrrp };
    }
    if (onlyVrrp) return undefined;
    if (role === 'sync') return syncDaemon;
    if (virtualServers.length === 0) return undefined;
    return { virtualServers, global, release: !this.#options.dontReleaseIpvs };
  }

  #wanted(): Role[] {
    return ROLES.filter((role) => this.#assignment(role) !== undefined);
  }

  #allReady(): void {
    this.#notify.ready('running');
    process.send?.({ type: 'ready' });
    if (process.connected) process.disconnect();
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

  #reload(): string[] {
    this.#notify.reloading(now());
    const complaints: string[] = [];
    const configuration = loadFile(this.#options, (severity, text) => {
      this.log(severity, text);
      complaints.push(text);
    });
    if (configuration === undefined) {
      this.log('error', 'the configuration was not reloaded: it has errors; what runs goes on as it was');
    } else {
      this.#apply(configuration);
    }
    this.#notify.ready('running');
    return complaints;
  }

  #apply(configuration: Configuration): void {
    const before = this.#wanted();
    this.#configuration = configuration;
    const now = this.#wanted();
    for (const role of before) {
      if (!now.includes(role))
        void this.#children.stop(role, STOP_GRACE).then(() => this.#states.delete(role));
    }
    for (const role of now) {
      if (this.#children.has(role)) this.started(role);
      else this.#children.start(role);
    }
    this.log('notice', `reloaded ${this.#options.useFile}`);
  }

  async #stop(status: number, why?: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.log('notice', 'vipkeeperd stops');
    this.#notify.stopping('giving up the virtual addresses');
    // VRRP first: its priority-0 advert lets the other director begin while we clean up.
    for (const role of ROLES) await this.#children.stop(role, STOP_GRACE);
    if (why !== undefined) process.send?.({ failed: why });
    removePid(this.#pidFile);
    await this.#log.close();
    process.exit(status);
  }

  #answer(request: unknown): unknown {
    const { verb, on } = request as { readonly verb?: unknown; readonly on?: unknown };
    if (verb === 'status') return this.#status();
    if (verb === 'reload') return { complaints: this.#reload() };
    if (verb === 'maintenance' && typeof on === 'boolean') {
      this.#store.maintenance = on;
      this.#children.send('vrrp', { type: 'maintenance', on });
      this.log('notice', `maintenance ${on ? 'on: giving up all virtual addresses' : 'off'}`);
      return { maintenance: on };
    }
    throw new Error(`no such request: ${JSON.stringify(request)}`);
  }

  #status(): DaemonStatus {
    return {
      version: VERSION,
      pid: process.pid,
      uptime: (Date.now() - this.#started) / 1000,
      configuration: this.#options.useFile,
      maintenance: this.#store.maintenance,
      processes: this.#children.reports(),
      vrrp: (this.#states.get('vrrp') as VrrpState | undefined) ?? null,
      check: (this.#states.get('check') as CheckState | undefined) ?? null,
      sync: (this.#states.get('sync') as SyncState | undefined) ?? null,
    };
  }
}
