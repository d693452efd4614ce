import { compiled } from '../engine/root.ts';
import type { Answer, Ask, Line, Ran } from '../programs/command-lines.ts';
import type { Host } from '../scene/host.ts';
import type { Program } from '../scene/program.ts';

const STILL_TRIES = 100;
const EXACT_TRIES = 50;

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

  async #once(program: Ask['program'], one: Line): Promise<Ran> {
    const [ran] = await this.run(program, [one]);
    if (ran === undefined) throw new Error(`${program} ${one.words.join(' ')} did not run`);
    return ran;
  }

  /**
   * What both programs print, with ipvsadm's the same before and after: packets that are under way move counters, and
   * the seconds that connections have left go by. On a machine where these differ each time they are not compared.
   */
  async whileStill(one: Line): Promise<{ readonly ours: Ran; readonly theirs: Ran }> {
    for (let tries = 1; tries <= STILL_TRIES; tries++) {
      const shown = tries > EXACT_TRIES ? withoutTimes : (ran: Ran): Ran => ran;
      const before = shown(await this.#once('ipvsadm', one));
      const ours = shown(await this.#once('lvsadm', one));
      const after = shown(await this.#once('ipvsadm', one));
      if (before.out === after.out) return { ours, theirs: before };
    }
    throw new Error(`ipvsadm ${one.words.join(' ')} never printed the same twice`);
  }
}

/** `TCP 14:58 ESTABLISHED ...`: the second column of connections. */
const withoutTimes = (ran: Ran): Ran => ({ ...ran, out: ran.out.replace(/^(\w+ +)\d\d:\d\d/gm, '$1--:--') });
