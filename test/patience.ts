import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** For programs that are run to their end and might hang: no measure, and far longer than a slow machine takes. */
export const HANGS_MILLISECONDS = 600_000;

/** In a booted kernel: milliseconds in which the machine below did not let it run (lab/engine/inside.ts tells). */
export const STOLEN_FILE = '/run/lab-stolen';

/** How a process stands with the CPUs, in milliseconds since it began. */
export interface Wait {
  readonly worked: number;
  /** What it waited for a CPU, ready to run; a wait that goes on is not in it yet. */
  readonly waited: number;
  /** It runs, or waits for a CPU now. */
  readonly ready: boolean;
}

export interface Waits {
  readonly processes: ReadonlyMap<number, Wait>;
  /** Milliseconds that were taken from all of them. */
  readonly machine: number;
}

/** A machine that never lets us work for long must not keep a test that fails from failing. */
const SLOWEST = 1 / 30;
const LOOK_EVERY_MILLISECONDS = 250;
const MILLISECONDS_A_TICK = 10;

/**
 * A limit of time that holds on a busy machine: it counts the seconds in which what is waited for could go on. Those do
 * not count in which a process that works for us was ready to run and got no CPU, nor those that this process slept
 * through; a condition that takes long to look at counts as two looks. What waits for a limit asks isOver again and
 * again, several times a second.
 */
export class Patience {
  readonly #limit: number;
  readonly #longest: number;
  readonly #every: number;
  readonly #look: () => Waits;
  readonly #clock: () => number;
  #waits: Waits | undefined;
  #lookedAt: number;
  #spent = 0;
  #least = 0;

  constructor(
    seconds: number,
    every: number = LOOK_EVERY_MILLISECONDS,
    look: () => Waits = waitsOfAll,
    clock: () => number = () => performance.now(),
  ) {
    this.#limit = seconds * 1000;
    this.#every = every;
    this.#longest = 2 * every;
    this.#look = look;
    this.#clock = clock;
    this.#lookedAt = clock();
  }

  /** Whether the seconds have passed. Looks at the processes when the last look was a while ago. */
  get isOver(): boolean {
    const now = this.#clock();
    const passed = now - this.#lookedAt;
    if (passed < this.#every) return false;
    const waits = this.#look();
    // The first look has nothing to compare with: this while is on the house.
    if (this.#waits !== undefined) {
      // A wait is told when it has ended: it may be longer than this while, and takes back what was counted.
      const held = disturbance(this.#waits, waits, passed);
      this.#least += Math.min(passed, this.#longest) * SLOWEST;
      this.#spent = Math.max(this.#spent + Math.min(passed - held, this.#longest), this.#least);
    }
    this.#waits = waits;
    this.#lookedAt = now;
    return this.#spent >= this.#limit;
  }
}

/** Milliseconds between two looks in which each process waited for a CPU. */
function waitsBetween(before: Waits, after: Waits, passed: number): number[] {
  return [...after.processes].map(([pid, now]) => {
    const { worked = 0, waited = 0 } = before.processes.get(pid) ?? {};
    const stands = now.ready && now.worked === worked && now.waited === waited;
    return stands ? passed : now.waited - waited;
  });
}

/** Milliseconds between two looks in which work was held up: of the process that was held up most. */
export const disturbance = (before: Waits, after: Waits, passed: number): number =>
  Math.max(0, ...waitsBetween(before, after, passed)) + after.machine - before.machine;

/** The same of processes that work one after the other, as those of a booted kernel. */
export const disturbanceOfTurns = (before: Waits, after: Waits, passed: number): number =>
  waitsBetween(before, after, passed).reduce((sum, each) => sum + each, after.machine - before.machine);

/** The waits of all processes that can be seen: in an enclosure and in a booted kernel, of all that works there. */
export const waitsOfAll = (): Waits => waitsOf(pids());

/** The waits of a process and of all that it started, that these started, and so on. */
export function waitsBelow(root: number): Waits {
  const family = new Set([root]);
  // Ids are in ascending order, and a parent's is the lower one, but for a wrap: that costs one look.
  for (const pid of pids()) if (family.has(parentOf(pid))) family.add(pid);
  return waitsOf([...family]);
}

const waitsOf = (ids: readonly number[]): Waits => ({
  processes: new Map(ids.map((pid) => [pid, waitOf(pid)])),
  machine: waitsOfMachine(),
});

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

/** `schedstat` has nanoseconds; zeros where the kernel does not tell or the process has ended. */
function waitOf(pid: number): Wait {
  const [worked, waited] = read(`/proc/${pid}/schedstat`).split(' ').map(Number);
  const ready = stateOf(pid)?.[0] === 'R';
  return { worked: (worked ?? 0) / 1e6, waited: (waited ?? 0) / 1e6, ready };
}

const parentOf = (pid: number): number => Number(stateOf(pid)?.[1]);

/** State and parent; the name before them, in parentheses, may hold anything. */
const stateOf = (pid: number): string[] | undefined =>
  /\) (\S) (\d+) [^)]*$/.exec(read(`/proc/${pid}/stat`))?.slice(1);

/** What a hypervisor took from the CPUs, on average, and what was taken from this kernel. */
function waitsOfMachine(): number {
  const steal = Number(read('/proc/stat').split('\n')[0]?.trim().split(/\s+/)[8] ?? 0);
  return (steal * MILLISECONDS_A_TICK) / availableParallelism() + Number(read(STOLEN_FILE));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
