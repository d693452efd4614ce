import { compiled } from '../engine/root.ts';
import type { Heard } from '../programs/asker.ts';
import type { Host } from './host.ts';
import type { Program } from './program.ts';

interface Report {
  readonly heard: readonly Heard[];
  readonly lost: boolean;
  /** Milliseconds of the clock that the answers are noted by. */
  readonly now: number;
}

/** Who answers for addresses, as somebody on the link sees it (programs/asker.ts). */
export class Asker {
  readonly #program: Program;
  #waiting: { resolve(report: Report): void; reject(error: Error): void }[] = [];

  private constructor(host: Host, words: readonly string[]) {
    const argv = [process.execPath, compiled('test/lab/programs/asker.ts'), ...words];
    this.#program = host.start('asker', argv, { messages: true });
    this.#program.child.on('message', (report: Report) => this.#waiting.shift()?.resolve(report));
    this.#program.child.once('exit', () => {
      for (const { reject } of this.#waiting) reject(new Error(`an asker ended:\n${this.#program.log}`));
    });
  }

  /** In `host`, on its interface `device`; of hosts with these hardware addresses; `pairs` are `OWN>TARGET`. */
  static async start(
    host: Host,
    device: string,
    macs: readonly string[],
    pairs: readonly string[],
  ): Promise<Asker> {
    const asker = new Asker(host, [device, macs.join(','), ...pairs]);
    await asker.#next();
    return asker;
  }

  async heard(): Promise<readonly Heard[]> {
    return (await this.#ask('heard')).heard;
  }

  /** Forgets what was heard; gives the time now. */
  async clear(): Promise<number> {
    return (await this.#ask('clear')).now;
  }

  stop(): void {
    this.#program.signal('SIGKILL');
  }

  async #ask(ask: 'heard' | 'clear'): Promise<Report> {
    const answer = this.#next();
    this.#program.child.send(ask);
    const report = await answer;
    if (report.lost) throw new Error('the asker lost answers');
    return report;
  }

  #next(): Promise<Report> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }
}
