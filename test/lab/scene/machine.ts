import { join } from 'node:path';
import { Kernel } from '../engine/kernel.ts';
import type { Link } from './link.ts';
import type { Scene } from './scene.ts';

export interface MachineOptions {
  readonly init?: 'plain' | 'systemd';
  readonly memoryMiB?: number;
}

/**
 * A machine with a kernel of its own: what a host in a namespace can't do, it can (freeze whole, lose
 * power).
 */
export class Machine {
  readonly name: string;
  readonly kernel: Kernel;

  private constructor(name: string, kernel: Kernel) {
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
    const machine = new Machine(name, kernel);
    for (const [i, link] of links.entries()) {
      await machine.run(`ip link set vec${i} name ${link.name} && ip link set ${link.name} up`);
    }
    return machine;
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
