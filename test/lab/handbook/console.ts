import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as assert from 'uvu/assert';
import { shellWords } from '../../core/ipvsadm/captured.ts';
import { ROOT } from '../engine/root.ts';
import { line } from '../lvsadm/lines.ts';
import { Runner } from '../lvsadm/runner.ts';
import type { Host } from '../scene/host.ts';

/** Packets that are still under way move counters between two listings. */
const STILL_TRIES = 50;
const SETTLE_SECONDS = 20;

/** An administrator at a host, who types what the handbook says. */
export class Console {
  readonly host: Host;
  readonly #runner: Runner;

  private constructor(host: Host, runner: Runner) {
    this.host = host;
    this.#runner = runner;
  }

  static async at(host: Host): Promise<Console> {
    return new Console(host, await Runner.start(host, {}));
  }

  /**
   * Types command lines, lvsadm's and others', and gives what they print; throws when one fails. What lvsadm's lines
   * made is then listed by both programs.
   */
  async type(text: string): Promise<string> {
    let printed = '';
    const lines = text
      .split('\n')
      .map((each) => each.trim())
      .filter((each) => each !== '');
    for (const each of lines) printed += await this.#run(each);
    if (lines.some((each) => each.startsWith('lvsadm '))) await this.list('-L -n --thresholds');
    return printed;
  }

  async #run(typed: string): Promise<string> {
    if (!typed.startsWith('lvsadm '))
      return this.host.run('sh', '-c', `PATH=${join(ROOT, 'bin')}:$PATH; ${typed}`);
    const { out, err, status } = await this.#once('lvsadm', typed.slice('lvsadm '.length));
    if (status !== 0 || err !== '') throw new Error(`${typed}: ${err.trim()} (exit status ${status})`);
    return out;
  }

  async #once(
    program: 'lvsadm' | 'ipvsadm',
    options: string,
  ): Promise<{ out: string; err: string; status: number }> {
    const [ran] = await this.#runner.run(program, [line(...shellWords(options))]);
    if (ran === undefined) throw new Error(`${program} ${options} did not run`);
    return ran;
  }

  /**
   * A listing of lvsadm, line by line without the padding; throws unless ipvsadm prints the same, byte by byte, while
   * nothing changes.
   */
  async list(options = '-L -n'): Promise<string[]> {
    for (let tries = 0; tries < STILL_TRIES; tries++) {
      const before = await this.#once('ipvsadm', options);
      const ours = await this.#once('lvsadm', options);
      const after = await this.#once('ipvsadm', options);
      if (before.out === ours.out && ours.status === 0) return rowsOf(ours.out);
      if (before.out === after.out)
        throw new Error(`lvsadm ${options} prints\n${ours.out}${ours.err}and ipvsadm\n${before.out}`);
    }
    throw new Error(`ipvsadm ${options} never printed the same twice`);
  }

  /**
   * Waits until what is picked from a listing is as expected: the kernel brings its counters up to date every two
   * seconds.
   */
  async shows<T>(options: string, pick: (rows: string[]) => T, expected: T): Promise<void> {
    let picked: T | undefined;
    const holds = async (): Promise<boolean> => {
      picked = pick(await this.list(options));
      return isDeepStrictEqual(picked, expected);
    };
    await this.host.scene.until(`lvsadm ${options}`, holds, SETTLE_SECONDS).catch(() => undefined);
    assert.equal(picked, expected, `lvsadm ${options}`);
  }
}

const rowsOf = (text: string): string[] =>
  text
    .split('\n')
    .map((each) => each.trim().replace(/\s+/g, ' '))
    .filter((each) => each !== '');

/** The figures at the end of each row of `--stats --exact` or `--rate`: the services' and the servers'. */
export const figuresOf = (rows: readonly string[]): number[][] =>
  rows
    .map((row) => /(?: \d+){5}$/.exec(row)?.[0].trim().split(' ').map(Number) ?? [])
    .filter((row) => row.length > 0);
