import { join } from 'node:path';
import { describeExit } from '../engine/frames.ts';
import { Kernel, type Remote } from '../engine/kernel.ts';
import type { Link } from './link.ts';
import type { Logged } from './program.ts';
import type { Scene } from './scene.ts';

const MAX_LOG = 1 << 18;

export interface MachineOptions {
  readonly init?: 'plain' | 'systemd';
  readonly memoryMiB?: number;
  readonly tree?: string;
}

/** A program that runs in a machine, with what it printed. */
export class RemoteProgram implements Logged {
  readonly name: string;
  readonly #remote: Remote;
  #log = '';
  #state = 'running';

  constructor(name: string, kernel: Kernel, argv: readonly string[]) {
    this.name = name;
    this.#remote = kernel.start(argv, (_stream, text) => {
      this.#log = (this.#log + text).slice(-MAX_LOG);
    });
    this.#remote.ended.then(
      (status) => {
        this.#state = describeExit(status);
      },
      () => {
        this.#state = 'ended with its machine';
      },
    );
  }

  /** What it printed last, of both streams. */
  get log(): string {
    return this.#log;
  }

  get state(): string {
    return this.#state;
  }

  signal(name: NodeJS.Signals): void {
    this.#remote.kill(name);
  }
}

/**
 * A machine with a kernel of its own: what a host in a namespace can't do, it can (freeze whole, lose
 * power).
 */
export class Machine {
  readonly name: string;
  readonly kernel: Kernel;
  readonly #scene: Scene;

  private constructor(scene: Scene, name: string, kernel: Kernel) {
    this.#scene = scene;
    this.name = name;
    this.kernel = kernel;
  }

  /** Boots the machine; Scene.machine calls it. */
  static async boot(
    scene: Scene,
    name: string,
    links: readonly Link[],
    options: MachineOptions,
  ): Promise<Machine> {
    const taps = links.map((link) => link.tap({ name }));
    const folder = process.env.LAB_RESULTS ?? scene.folder;
    const kernel = await Kernel.boot({ ...options, name, folder: join(folder, name), taps });
    const machine = new Machine(scene, name, kernel);
    for (const [i, link] of links.entries()) {
      await machine.run(`ip link set vec${i} name ${link.name} && ip link set ${link.name} up`);
    }
    return machine;
  }

  /** Starts a program inside; its log is kept and shown when a wait fails. It ends with the machine. */
  start(name: string, argv: readonly string[]): RemoteProgram {
    const program = new RemoteProgram(`${this.name}: ${name}`, this.kernel, argv);
    this.#scene.watch(program);
    return program;
  }

  /** Runs a shell command inside; throws with its output when it fails. */
  run(command: string): Promise<string> {
    return this.kernel.run(command);
  }

  /** Whether a shell command succeeds inside, for conditions. */
  async succeeds(command: string): Promise<boolean> {
    const { status } = await this.kernel.attempt(['sh', '-c', command]);
    return 'code' in status && status.code === 0;
  }

  freeze(): void {
    this.kernel.freeze();
  }

  thaw(): void {
    this.kernel.thaw();
  }

  powerOff(): void {
    this.kernel.powerOff();
  }
}
