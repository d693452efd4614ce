import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.ts';
import type { Program } from './program.ts';
import { run } from './run.ts';

/** Debian's place for FRR's daemons, and the user that they become. */
const DAEMONS = '/usr/lib/frr';
const USER = 'frr:frr';

/** FRR on a host, with files of its own: zebra, which knows the interfaces, and one more daemon. */
export class Frr {
  readonly #host: Host;
  readonly #folder: string;
  readonly #programs: Program[] = [];

  private constructor(host: Host, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  /** Starts zebra and this daemon with this configuration, and waits until they can be talked to. */
  static async start(host: Host, daemon: 'bfdd' | 'vrrpd', configuration: string): Promise<Frr> {
    const folder = join(host.scene.folder, host.name, 'frr');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'zebra.conf'), '');
    writeFileSync(join(folder, `${daemon}.conf`), configuration);
    run(['chown', '-R', USER, folder]);
    const frr = new Frr(host, folder);
    await frr.#launch('zebra');
    await frr.#launch(daemon, ...(daemon === 'bfdd' ? ['--bfdctl', join(folder, 'bfdctl')] : []));
    return frr;
  }

  async #launch(daemon: string, ...more: readonly string[]): Promise<void> {
    const [conf, pid, vty] = ['conf', 'pid', 'vty'].map((end) => join(this.#folder, `${daemon}.${end}`));
    const files = ['-f', conf ?? '', '-i', pid ?? '', '-z', join(this.#folder, 'zserv')];
    const shell = ['--vty_socket', this.#folder, '-P', '0', '--log', 'stdout'];
    const program = this.#host.start(`FRR ${daemon}`, [join(DAEMONS, daemon), ...files, ...shell, ...more]);
    this.#programs.push(program);
    await this.#host.scene.until(`${daemon} listens`, () => existsSync(vty ?? '') && program.running);
  }

  /** What a `show ... json` command says. */
  show(command: string): unknown {
    return JSON.parse(this.#vtysh(command));
  }

  /** Runs commands of the configuration, the first of them at its top. */
  configure(...commands: readonly string[]): void {
    this.#vtysh('configure terminal', ...commands);
  }

  #vtysh(...commands: readonly string[]): string {
    const words = commands.flatMap((command) => ['-c', command]);
    return run(['vtysh', '--vty_socket', this.#folder, ...words]);
  }

  /** Asks all daemons to end, and waits until they have. */
  async stop(): Promise<void> {
    for (const program of this.#programs.reverse()) await program.stop();
  }
}
