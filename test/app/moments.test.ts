import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { eventually, ROUTER, Stage, VIP } from './stage.ts';

await enclose();

/** Every signal at many moments of the daemon's start, of its reload and of its stop. */
const test = suite('signals at any moment');
const LONG = process.env.VIPKEEPER_LONG === '1';
const MOMENTS = LONG ? 50 : 2;
/** What the daemon acts on, and a few that mean nothing to it; by number where they have no name. */
const ENDING: readonly (NodeJS.Signals | number)[] = ['SIGTERM', 'SIGINT'];
const OTHER: readonly (NodeJS.Signals | number)[] = [
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  36,
  63,
  64,
  'SIGALRM',
  40,
];
const ALL = [...ENDING, ...OTHER];
/** Default actions of the kernel, which end a program that has not begun yet. */
const isEnding = (signal: NodeJS.Signals | number): boolean => ENDING.includes(signal);

const stage = new Stage();
stage.configure(ROUTER);
test.after(() => stage.close());

/** One life of the daemon, in the foreground. */
class Life {
  readonly #child: ChildProcess;
  #said = '';
  #ended: string | undefined;

  constructor() {
    const [program = '', ...words] = stage.command('-P', '-n', '-l', '-D');
    this.#child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    this.#child.on('close', (status, signal) => {
      this.#ended = signal ?? `status ${status}`;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  get said(): string {
    return this.#said;
  }

  /** It has said where it is, which a signal that kills without a word does not let it. */
  get isKnown(): boolean {
    return existsSync(`${stage.runDir}/vipkeeperd.pid`);
  }

  send(signal: NodeJS.Signals | number): void {
    if (this.#ended === undefined) signalTo(this.pid, signal);
  }

  async works(): Promise<void> {
    await this.reaches(() => stage.holdsVip() && this.#said.includes('the vrrp process works'), 'it works');
  }

  async reaches(condition: () => boolean, what: string): Promise<void> {
    await eventually(() => condition() || this.#ended !== undefined, `${what}\n${this.#said}`);
    assert.ok(condition(), `${what}, but it ended: ${this.#ended}\n${this.#said}`);
  }

  async end(): Promise<void> {
    await eventually(() => this.#ended !== undefined, `it ends\n${this.#said}`);
  }
}

/** Node knows no real-time ones. */
function signalTo(pid: number, signal: NodeJS.Signals | number): void {
  spawnSync('kill', ['-s', `${signal}`.replace('SIG', ''), `${pid}`]);
}

/** Processes of this daemon that live. */
const left = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      } catch {
        return '';
      }
    })
    .filter((words) => /vipkeeper-child|bin\/vipkeeperd/.test(words));

/** Nothing is left of it: no process, no address, no file. */
async function gone(life: Life, after: string): Promise<void> {
  await eventually(() => left().length === 0, `${after}: no process is left, but ${left()}\n${life.said}`);
  assert.not.ok(stage.holdsVip(), `${after}: ${VIP} is left\n${life.said}`);
  const files = existsSync(stage.runDir) ? readdirSync(stage.runDir) : [];
  assert.equal(files, [], `${after}: files are left\n${life.said}`);
}

async function stop(life: Life, after: string): Promise<void> {
  life.send('SIGTERM');
  await life.end();
  assert.is(life.ended, 'status 0', `${after}\n${life.said}`);
  await gone(life, after);
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Moments from the beginning to somewhat after the end of what takes `whole` milliseconds; none twice. */
const moments = (whole: number, shift: number): number[] =>
  Array.from({ length: MOMENTS }, (_, i) => ((i + shift) / MOMENTS) * whole * 1.1);

/** How long a start and a stop take here. */
async function measured(): Promise<{ readonly start: number; readonly stop: number }> {
  const begun = performance.now();
  const life = new Life();
  await life.works();
  const worked = performance.now();
  await stop(life, 'nothing');
  return { start: worked - begun, stop: performance.now() - worked };
}

test('of its start', async () => {
  const { start } = await measured();
  for (const [i, signal] of ALL.entries()) {
    for (const moment of moments(start, i / ALL.length)) {
      const what = `${signal} ${Math.round(moment)} ms after the start`;
      const life = new Life();
      await wait(moment);
      const known = life.isKnown;
      life.send(signal);
      if (isEnding(signal)) {
        await life.end();
        if (known) assert.is(life.ended, 'status 0', `${what}\n${life.said}`);
        await gone(life, what);
        continue;
      }
      // Who sends it before the daemon has said where it is may end it, and then it has left nothing.
      await eventually(
        () => life.ended !== undefined || (stage.holdsVip() && life.said.includes('the vrrp process works')),
        `${what}: it works\n${life.said}`,
      );
      if (life.ended !== undefined) {
        assert.not.ok(known, `${what}: it ended by ${life.ended}\n${life.said}`);
        await gone(life, what);
        continue;
      }
      if (known && signal === 'SIGHUP') await life.reaches(() => life.said.includes('reloaded '), what);
      if (known && signal === 64) await life.reaches(() => life.said.includes('the processes: '), what);
      await stop(life, what);
    }
  }
});

test('of its reloads', async () => {
  const life = new Life();
  await life.works();
  const begun = performance.now();
  life.send('SIGHUP');
  await life.reaches(() => life.said.includes('reloaded '), 'a reload');
  const whole = performance.now() - begun;
  for (const [i, signal] of OTHER.entries()) {
    for (const moment of moments(whole, i / OTHER.length)) {
      const what = `${signal} ${Math.round(moment)} ms after a reload's begin`;
      const before = life.said.length;
      const since = (): string => life.said.slice(before);
      life.send('SIGHUP');
      await wait(moment);
      life.send(signal);
      await life.reaches(() => since().includes('reloaded '), what);
      if (signal === 64) await life.reaches(() => since().includes('the processes: '), what);
    }
  }
  await stop(life, 'reloads');
  for (const signal of ENDING) {
    for (const moment of moments(whole, 0.5)) {
      const what = `${signal} ${Math.round(moment)} ms after a reload's begin`;
      const life = new Life();
      await life.works();
      life.send('SIGHUP');
      await wait(moment);
      life.send(signal);
      await life.end();
      assert.is(life.ended, 'status 0', `${what}\n${life.said}`);
      await gone(life, what);
    }
  }
});

test('of its stop', async () => {
  const { stop: whole } = await measured();
  for (const [i, signal] of ALL.entries()) {
    for (const moment of moments(whole, i / ALL.length)) {
      const what = `${signal} ${Math.round(moment)} ms after SIGTERM`;
      const life = new Life();
      await life.works();
      life.send('SIGTERM');
      await wait(moment);
      life.send(signal);
      await life.end();
      assert.is(life.ended, 'status 0', `${what}\n${life.said}`);
      await gone(life, what);
    }
  }
});

test('those of the supervisor that reach its children change nothing', async () => {
  const life = new Life();
  await life.works();
  const vrrp = stage.pid('vrrp');
  for (const signal of [
    'SIGHUP',
    'SIGUSR1',
    'SIGUSR2',
    'SIGINT',
    'SIGQUIT',
    'SIGALRM',
    36,
    40,
    63,
    64,
  ] as const) {
    signalTo(vrrp, signal);
    // Asked and answered: what the signal did is over.
    assert.is(stage.status().processes[0]?.pid, vrrp, `${signal}`);
  }
  await wait(300);
  assert.is(stage.pid('vrrp'), vrrp);
  assert.is(stage.status().processes[0]?.restarts, 0);
  await stop(life, 'signals to a child');
});

test.run();
