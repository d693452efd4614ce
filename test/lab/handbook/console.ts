import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as assert from 'uvu/assert';
import { shellWords } from '../../core/ipvsadm/captured.ts';
import { ROOT } from '../engine/root.ts';
import { line } from '../lvsadm/lines.ts';
import { Runner } from '../lvsadm/runner.ts';
import type { Host } from '../scene/host.ts';

const LVSADM = 'lvsadm ';

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
    const lines = text
      .split('\n')
      .map((each) => each.trim())
      .filter((each) => each !== '');
    let printed = '';
    const ours: string[] = [];
    for (const each of lines) {
      if (each.startsWith(LVSADM)) ours.push(each);
      else {
        printed += await this.#lvsadm(ours.splice(0));
        printed += this.host.run('sh', '-c', `PATH=${join(ROOT, 'bin')}:$PATH; ${each}`);
      }
    }
    printed += await this.#lvsadm(ours);
    if (lines.some((each) => each.startsWith(LVSADM))) await this.list('-L -n --thresholds');
    return printed;
  }

  async #lvsadm(typed: readonly string[]): Promise<string> {
    if (typed.length === 0) return '';
    const lines = typed.map((each) => line(...shellWords(each.slice(LVSADM.length))));
    const ran = await this.#runner.run('lvsadm', lines);
    for (const [index, { status, err }] of ran.entries())
      if (status !== 0 || err !== '')
        throw new Error(`${typed[index]}: ${err.trim()} (exit status ${status})`);
    return ran.map(({ out }) => out).join('');
  }

  /**
   * A listing of lvsadm, line by line without the padding; throws unless ipvsadm prints the same, byte by byte but for
   * seconds that pass, while nothing changes.
   */
  async list(options = '-L -n'): Promise<string[]> {
    const { ours, theirs } = await this.#runner.whileStill(line(...shellWords(options)));
    if (stillOf(theirs.out) === stillOf(ours.out) && ours.status === 0) return rowsOf(ours.out);
    throw new Error(`lvsadm ${options} prints\n${ours.out}${ours.err}and ipvsadm\n${theirs.out}`);
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
    await this.host.scene.until(`lvsadm ${options}`, holds).catch(() => undefined);
    assert.equal(picked, expected, `lvsadm ${options}`);
  }
}

/** How long a connection has left is another second by the time that the other program looks. */
const stillOf = (text: string): string => text.replace(/^(\S+ +)\d\d:\d\d /gm, '$1mm:ss ');

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
