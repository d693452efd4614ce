import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { eventually } from './stage.ts';

/** `ip monitor`: what the kernel tells of changes in its tables, from the start on. */
export class Monitor {
  readonly #program: ChildProcess;
  readonly #device: string;
  #told = '';

  /** `tables`: `address`, `route`, `rule`. The device is for a mark of our own, and has to be up by then. */
  constructor(device: string, ...tables: readonly string[]) {
    this.#device = device;
    this.#program = spawn('ip', ['monitor', ...tables], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#program.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#told += text;
    });
  }

  /** All that the kernel told up to now: what came before a change of our own has been read with it. */
  async heard(): Promise<string> {
    const from = this.#told.length;
    const marker = `10.99.0.${(from % 250) + 1}`;
    this.#address('add', marker);
    await eventually(() => this.#told.slice(from).includes(marker), `the monitor shows ${marker}`);
    this.#address('del', marker);
    return this.#told;
  }

  close(): void {
    this.#program.kill();
  }

  #address(verb: 'add' | 'del', marker: string): void {
    execFileSync('ip', ['address', verb, `${marker}/32`, 'dev', this.#device]);
  }
}
