import { compiled } from '../engine/root.ts';
import type { Answer, Ask, Line, Ran } from '../programs/command-lines.ts';
import type { Host } from '../scene/host.ts';
import type { Program } from '../scene/program.ts';

/** Runs command lines of both programs in one host. */
export class Runner {
  readonly #program: Program;
  readonly #asked = new Map<number, (ran: readonly Ran[]) => void>();
  #lastId = 0;

  /** `files` stand in the place of these files of the machine, for this runner only. */
  private constructor(host: Host, files: Readonly<Record<string, string>>) {
    const mounts = Object.entries(files).map(([target, file]) => `mount --bind ${file} ${target} && `);
    const command = `${mounts.join('')}exec "$@"`;
    const program = compiled('test/lab/programs/command-lines.ts');
    this.#program = host.start('command lines', ['sh', '-c', command, 'sh', process.execPath, program], {
      messages: true,
    });
    this.#program.child.on('message', ({ id, ran }: Answer) => {
      this.#asked.get(id)?.(ran);
      this.#asked.delete(id);
    });
  }

  static async start(host: Host, files: Readonly<Record<string, string>>): Promise<Runner> {
    const runner = new Runner(host, files);
    await runner.#answerTo(0);
    return runner;
  }

  /** Runs the lines one after the other with one of the programs. */
  run(program: Ask['program'], lines: readonly Line[]): Promise<readonly Ran[]> {
    const id = ++this.#lastId;
    this.#program.child.send({ id, program, lines } satisfies Ask);
    return this.#answerTo(id);
  }

  #answerTo(id: number): Promise<readonly Ran[]> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`the program ended:\n${this.#program.log}`));
      this.#program.child.once('exit', ended);
      this.#asked.set(id, (ran) => {
        this.#program.child.off('exit', ended);
        resolve(ran);
      });
    });
  }
}
