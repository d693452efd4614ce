import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { cpuMask, type Placement, parseCpuList } from '../core/supervision/placement.ts';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

/** Scheduling policies of sched(7). */
const SCHED = { OTHER: 0, FIFO: 1, RR: 2 } as const;
/** Children and threads started later go back to SCHED_OTHER: a hook script never runs in real time. */
const SCHED_RESET_ON_FORK = 0x40000000;
/** From <asm-generic/resource.h>. */
const RLIMIT_RTTIME = 15;
/** Back in real time after this: the loop has turned and slept since, and what it could not do at once is done. */
const RECOVERY_MS = 100;

/** Schedules the calling thread; `priority` is 1 to 99 for RR and FIFO, 0 for OTHER. Throws SystemError. */
export function sched(policy: keyof typeof SCHED, priority: number): void {
  const result = rawio.sched(SCHED[policy] | SCHED_RESET_ON_FORK, priority);
  check(result, 'sched_setscheduler', `${policy} with priority ${priority}`);
}

/** Names this process for ps(1) and top(1). What its command line says stays, by which it is found again. */
export function nameProcess(name: string): void {
  try {
    writeFileSync('/proc/self/comm', name);
  } catch {
    // Where /proc cannot be written to it keeps Node's name.
  }
}

const threads = (): number[] => readdirSync('/proc/self/task').map(Number);

/** Every thread of this process: helpers of V8 and of the file system work for it, too. */
function forAllThreads(act: (thread: number) => void): void {
  for (const thread of threads()) act(thread);
}

function useCpus(cpus: readonly number[]): void {
  const mask = cpuMask(cpus);
  const what = `CPUs ${cpus.join(', ')}`;
  forAllThreads((thread) => check(rawio.affinity(thread, mask), 'sched_setaffinity', what));
}

function startedOn(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCpuList(/^Cpus_allowed_list:\s*(.+)$/m.exec(status)?.[1] ?? '');
}

/**
 * Puts this process where a configuration wants it, again with each one: what a reload takes out is as it was at the
 * start. What the system refuses is said and goes without.
 */
export class Place {
  readonly #say: (problem: string) => void;
  readonly #nice = getPriority();
  readonly #cpus = startedOn();
  #wanted: Placement | undefined;
  #signal: InstanceType<typeof rawio.Signal> | undefined;
  #moved = false;

  /** `say` is told what does not work, and why. */
  constructor(say: (problem: string) => void) {
    this.#say = say;
  }

  take(wanted: Placement): void {
    this.#wanted = wanted;
    const { name, realTime, nice = this.#nice, cpus } = wanted;
    nameProcess(name);
    if (nice !== getPriority()) {
      this.#try('grant CAP_SYS_NICE', () => forAllThreads((thread) => setPriority(thread, nice)));
    }
    if (cpus !== undefined || this.#moved) this.#try('no such CPUs', () => useCpus(cpus ?? this.#cpus));
    this.#moved = cpus !== undefined;
    if (realTime > 0) this.#limit();
    this.#schedule();
  }

  /** Real time where permitted; without it this process is late when the processors are busy. */
  #schedule(): void {
    const { realTime = 0 } = this.#wanted ?? {};
    this.#try('no real-time scheduling: grant CAP_SYS_NICE or LimitRTPRIO', () =>
      sched(realTime > 0 ? 'RR' : 'OTHER', realTime),
    );
  }

  /** The addon ends real time when the limit is reached, which no JavaScript can that does not come to its turn. */
  #limit(): void {
    const { realTimeLimit } = this.#wanted ?? {};
    if (realTimeLimit === undefined) return;
    this.#try('no limit of real time', () => {
      if (this.#signal === undefined) {
        this.#signal = new rawio.Signal();
        const result = this.#signal.listen(constants.signals.SIGXCPU, () => this.#exceeded());
        check(result, 'sigaction', 'SIGXCPU');
      }
      check(rawio.limit(RLIMIT_RTTIME, realTimeLimit), 'setrlimit', `RLIMIT_RTTIME ${realTimeLimit}`);
    });
  }

  #exceeded(): void {
    const { realTimeLimit = 0, realTime = 0 } = this.#wanted ?? {};
    if (realTime === 0) return;
    this.#say(
      `worked for more than ${realTimeLimit / 1000} ms without a pause: out of real time for a moment`,
    );
    setTimeout(() => {
      // The kernel raises the limit by a second each time that it is reached.
      this.#limit();
      this.#schedule();
    }, RECOVERY_MS);
  }

  #try(hint: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#say(`${hint} (${(error as Error).message})`);
    }
  }
}
