import { compiled } from '../engine/root.ts';
import type { Host } from './host.ts';
import type { Ask, Observations, Summary } from './observation.ts';
import type { Program } from './program.ts';

/** A watcher that runs in a host (programs/watch.ts), from outside. */
export class Watcher {
  readonly #program: Program;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #lastId = 0;

  private constructor(host: Host, address: string) {
    const argv = [process.execPath, compiled('test/lab/programs/watch.ts'), address];
    this.#program = host.start('watcher', argv, { messages: true });
    this.#program.child.on('message', (answer: { id: number; result: unknown }) => {
      this.#waiting.get(answer.id)?.(answer.result);
      this.#waiting.delete(answer.id);
    });
  }

  /** Starts one and waits until it watches; `address` is the one whose takeovers it counts. */
  static async start(host: Host, address: string): Promise<Watcher> {
    const watcher = new Watcher(host, address);
    await new Promise((resolve, reject) => {
      watcher.#waiting.set(0, resolve);
      const fail = (): void => reject(new Error(`a watcher ended:\n${watcher.#program.log}`));
      watcher.#program.child.once('exit', fail);
    });
    return watcher;
  }

  get pid(): number | undefined {
    return this.#program.child.pid;
  }

  #ask(ask: Ask): Promise<unknown> {
    if (!this.#program.running) throw new Error(`a watcher is gone (${this.#program.state})`);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#program.child.send({ id, ask });
    });
  }

  async summary(): Promise<Summary> {
    return (await this.#ask('summary')) as Summary;
  }

  async observations(): Promise<Observations> {
    return (await this.#ask('observations')) as Observations;
  }

  /** Forgets what was seen so far, but not which addresses the host holds. */
  async clear(): Promise<void> {
    await this.#ask('clear');
  }
}
