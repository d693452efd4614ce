import { readdirSync, readFileSync } from 'node:fs';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import { run } from '../lab/scene/run.ts';
import { pause, Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { configuration, INTERFACE, type Role, type Router, VIP_RANGE, vip } from './configuration.ts';
import { Daemon, type DaemonName } from './daemon.ts';

const VRRP_GROUP = '224.0.0.18';
/** After the backup listens, until it is ready; and it must have heard the master before its wait means anything. */
const SETTLE_MILLISECONDS = 400;
const SETTLE_ADVERTS = 2;

/** A host for a director, with a watcher. */
export class Director {
  readonly role: Role;
  readonly host: Host;
  readonly address: string;
  readonly watcher: Watcher;
  #daemon: Daemon | undefined;

  private constructor(role: Role, host: Host, address: string, watcher: Watcher) {
    this.role = role;
    this.host = host;
    this.address = address;
    this.watcher = watcher;
  }

  static async make(scene: Scene, link: Link, role: Role, address: string): Promise<Director> {
    const host = scene.host(role).on(link, `${address}/24`);
    host.sysctl({ 'net.ipv6.conf.all.disable_ipv6': 1, 'net.ipv6.conf.default.disable_ipv6': 1 });
    return new Director(role, host, address, await Watcher.start(host, vip(0)));
  }

  /** The daemon that runs here. Throws when there is none. */
  get daemon(): Daemon {
    if (this.#daemon === undefined) throw new Error(`no daemon on ${this.role}`);
    return this.#daemon;
  }

  start(name: DaemonName, router: Router): void {
    this.run(name, configuration(router, this.role));
  }

  /** Starts it with a configuration of the benchmark's own. */
  run(name: DaemonName, text: string): void {
    this.#daemon = new Daemon(name, this.host, text);
  }

  /** Whether it listens to adverts. */
  get listens(): boolean {
    return run(['ip', '-n', this.host.name, 'maddr', 'show', 'dev', INTERFACE]).includes(VRRP_GROUP);
  }

  /** Ends the daemon at once and removes what it left. */
  clean(): void {
    this.#daemon?.crash();
    this.#daemon = undefined;
    run(['ip', '-n', this.host.name, 'address', 'flush', 'dev', INTERFACE, 'to', VIP_RANGE]);
  }
}

/** A segment with two directors, for one run after the other. */
export class Stage {
  readonly #scene: Scene;
  readonly #link: Link;
  readonly master: Director;
  readonly backup: Director;
  #segments = 1;

  private constructor(scene: Scene, link: Link, master: Director, backup: Director) {
    this.#scene = scene;
    this.#link = link;
    this.master = master;
    this.backup = backup;
  }

  static async open(): Promise<Stage> {
    const scene = new Scene();
    const link = scene.link(INTERFACE);
    const master = await Director.make(scene, link, 'master', '10.0.0.1');
    const backup = await Director.make(scene, link, 'backup', '10.0.0.2');
    return new Stage(scene, link, master, backup);
  }

  get directors(): readonly Director[] {
    return [this.master, this.backup];
  }

  /**
   * Starts the pair with one daemon on both and waits until one is master and the other listens. What the watchers saw
   * since the start is kept: with adverts each second, the last one may be old.
   */
  async start(name: DaemonName, router: Router): Promise<void> {
    await this.startMaster(name, router);
    this.backup.start(name, router);
    await this.until('the backup listens to adverts', () => this.backup.listens);
    await pause(SETTLE_MILLISECONDS + SETTLE_ADVERTS * router.interval);
    const { takeovers } = await this.backup.watcher.summary();
    if (takeovers > 0) throw new Error('the backup took over from a living master');
  }

  /** Starts the master alone and waits until it has installed every address. */
  async startMaster(name: DaemonName, router: Router): Promise<void> {
    await this.forget();
    this.master.start(name, router);
    await this.until('the master has the virtual addresses', async () => {
      const { changes } = await this.master.watcher.summary();
      return changes >= router.vips;
    });
  }

  /** More segments between the two, `lan1` and so on, with the addresses 10.0.N.1 and 10.0.N.2. */
  widen(segments: number): void {
    for (let n = this.#segments; n < segments; n++) {
      const link = this.#scene.link(`${INTERFACE}${n}`);
      this.master.host.on(link, `10.0.${n}.1/24`);
      this.backup.host.on(link, `10.0.${n}.2/24`);
    }
    this.#segments = Math.max(this.#segments, segments);
  }

  /** Cuts the master's cable. */
  cutMaster(): void {
    this.#link.cut(this.master.host);
  }

  /** Polls until the condition holds; fails at once when a daemon that should run has ended. */
  async until(what: string, condition: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
    await this.#scene.until(what, condition, seconds);
  }

  async forget(): Promise<void> {
    for (const { watcher } of this.directors) await watcher.clear();
  }

  /** Everything as it was before the first run. */
  async reset(): Promise<void> {
    for (const director of this.directors) director.clean();
    this.#link.mend(this.master.host);
    // The last packets and notifications of this run are read before the next begins.
    await pause(100);
    await this.forget();
  }

  close(): void {
    this.#scene.close();
  }
}

/** CPU time that a process and its threads have used so far, ms; 0 when it is gone. */
export function cpuOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6)
      .reduce((sum, ms) => sum + ms, 0);
  } catch {
    return 0;
  }
}
