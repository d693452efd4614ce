import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, millis, seconds, since, Timers, toSeconds } from '../time.ts';

/**
 * The life of one child process: start, watch, restart, stop. A child that exits is started again after a pause
 * that doubles while it keeps dying; one that says nothing for too long is frozen and gets killed; one whose
 * exit status says that a restart can't help ends the daemon (keepalived, lib/scheduler.c: exits 1, 2 and 4).
 */
export type ChildEvent =
  | { readonly type: 'start' }
  /** Instead of `start`: it lives already, and an earlier supervisor started it. */
  | { readonly type: 'adopt' }
  /** Anything was heard from the child: it says something at least every `STATE_PERIOD`. */
  | { readonly type: 'heard' }
  /** Neither status nor signal: it could not be started, or `why`. */
  | {
      readonly type: 'exited';
      readonly status: number | null;
      readonly signal: string | null;
      readonly why?: string;
    }
  /** It will be killed now, and is to be started anew at once. */
  | { readonly type: 'replace' }
  /** `grace`: how long it may take before it is killed (`child_wait_time`). */
  | { readonly type: 'stop'; readonly grace: Duration };

export type ChildEffect =
  | { readonly type: 'spawn' }
  | { readonly type: 'kill'; readonly signal: 'SIGTERM' | 'SIGKILL'; readonly why: string }
  | { readonly type: 'restarting'; readonly pause: Duration; readonly why: string }
  /** The child has ended and will not be started again: on request, or because a restart can't help. */
  | { readonly type: 'ended'; readonly status: number | null; readonly expected: boolean };

/**
 * A child sends its state at least this often, also when nothing changed: a lost message heals, and a process that says
 * nothing is known to be frozen. Each costs both ends a wake-up.
 */
export const STATE_PERIOD: Duration = seconds(3);
/** Silence after which a child counts as frozen. Its VIPs went by themselves long before, with the lease. */
export const SILENCE_LIMIT: Duration = seconds(10);
/**
 * How long a new child may take to its first word. Loading a program takes a fraction of a second, and more than ten
 * where a small machine is busy: to kill it then makes it begin again, on a machine that is busier by it.
 */
export const START_LIMIT: Duration = seconds(60);
/** A timer this late says that we slept ourselves: what the child said meanwhile may not have been read. */
const SLEPT: Duration = seconds(1);
/** A status with which a child says: starting me again will end the same way. */
export const EXIT_PERMANENT = 2;

const FIRST_PAUSE: Duration = millis(200);
const LONGEST_PAUSE: Duration = seconds(60);
/** A life of this length makes the next pause the first again. */
const GOOD_LIFE: Duration = seconds(60);

/** `clearing`: to be stopped once it listens, so that what its predecessor left is put away. */
type Phase = 'idle' | 'running' | 'replacing' | 'pausing' | 'clearing' | 'stopping' | 'ended';

export class Child implements Machine<ChildEvent, ChildEffect> {
  readonly #timers = new Timers<'silence' | 'restart' | 'grace'>();
  #effects: ChildEffect[] = [];
  #phase: Phase = 'idle';
  #born: Instant = 0 as Instant;
  #pause: Duration = FIRST_PAUSE;
  #restarts = 0;
  /** Since it was started last. */
  #heard = false;
  /** In any life: it may have left something. */
  #worked = false;
  /** For the end of it, from the moment it is asked. */
  #grace: Duration = seconds(0);
  /** It may be started to clear up after its predecessor: once. */
  #mayClear = true;
  readonly #respawn: boolean;

  /** `respawn`: false makes every exit a permanent one (keepalived's `-R`). */
  constructor(respawn = true) {
    this.#respawn = respawn;
  }

  get restarts(): number {
    return this.#restarts;
  }

  handle(event: ChildEvent, now: Instant): void {
    switch (event.type) {
      case 'start':
        if (this.#phase === 'idle') this.#spawn(now);
        return;
      case 'adopt':
        if (this.#phase === 'idle') this.#adopt(now);
        return;
      case 'heard':
        this.#heard = true;
        this.#worked = true;
        if (this.#phase === 'running') this.#timers.set('silence', after(now, SILENCE_LIMIT));
        else if (this.#phase === 'clearing') this.#ask();
        return;
      case 'replace':
        if (this.#phase !== 'running') return;
        this.#timers.clearAll();
        this.#phase = 'replacing';
        return;
      case 'exited':
        this.#exited(event, now);
        return;
      case 'stop':
        this.#stop(event.grace, now);
        return;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#timers.drain(now, (name, due) => {
      if (name === 'restart') this.#spawn(now);
      else if (name === 'silence') this.#silent(since(now, due), now);
      else if (name === 'grace') {
        this.#mayClear = false;
        this.#kill('it did not stop in time');
      }
    });
  }

  take(): ChildEffect[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }

  /** Being late ourselves is no evidence against the child. */
  #silent(late: Duration, now: Instant): void {
    if (late > SLEPT) {
      this.#timers.set('silence', after(now, SILENCE_LIMIT));
      return;
    }
    const limit = toSeconds(this.#heard ? SILENCE_LIMIT : START_LIMIT);
    this.#kill(
      this.#heard ? `it has said nothing for ${limit} s: it is frozen` : `it did not start within ${limit} s`,
    );
  }

  #spawn(now: Instant): void {
    this.#phase = 'running';
    this.#born = now;
    this.#heard = false;
    this.#timers.set('silence', after(now, START_LIMIT));
    this.#effects.push({ type: 'spawn' });
  }

  #kill(why: string): void {
    this.#effects.push({ type: 'kill', signal: 'SIGKILL', why });
  }

  #adopt(now: Instant): void {
    this.#phase = 'running';
    this.#born = now;
    this.#heard = true;
    this.#worked = true;
    this.#timers.set('silence', after(now, SILENCE_LIMIT));
  }

  #exited({ status, signal, why }: Extract<ChildEvent, { type: 'exited' }>, now: Instant): void {
    this.#timers.clearAll();
    if (this.#phase === 'replacing') {
      this.#spawn(now);
      return;
    }
    const expected = this.#phase === 'stopping' || this.#phase === 'clearing';
    // It died before it heard us.
    if (this.#phase === 'stopping' && status !== 0 && this.#mayClear && this.#respawn) {
      this.#clear(now);
      return;
    }
    if (expected || status === EXIT_PERMANENT || !this.#respawn) {
      this.#phase = 'ended';
      this.#effects.push({ type: 'ended', status, expected });
      return;
    }
    if (since(now, this.#born) >= GOOD_LIFE) this.#pause = FIRST_PAUSE;
    this.#phase = 'pausing';
    this.#restarts += 1;
    this.#timers.set('restart', after(now, this.#pause));
    this.#effects.push({ type: 'restarting', pause: this.#pause, why: why ?? howItEnded(status, signal) });
    this.#pause = Math.min(Math.max(this.#pause * 2, seconds(1)), LONGEST_PAUSE) as Duration;
  }

  /**
   * A process that does not listen yet would end by the signal itself, and leave what its predecessor left; nobody
   * puts it away while there is none.
   */
  #stop(grace: Duration, now: Instant): void {
    if (this.#phase === 'ended' || this.#phase === 'stopping' || this.#phase === 'clearing') return;
    this.#grace = grace;
    const alive = this.#phase === 'running' || this.#phase === 'replacing';
    this.#timers.clearAll();
    if (alive) {
      this.#phase = 'clearing';
      this.#timers.set('grace', after(now, grace));
      if (this.#heard) this.#ask();
    } else if (this.#worked) {
      this.#clear(now);
    } else {
      this.#phase = 'ended';
      this.#effects.push({ type: 'ended', status: null, expected: true });
    }
  }

  #clear(now: Instant): void {
    this.#mayClear = false;
    this.#spawn(now);
    this.#phase = 'clearing';
    this.#timers.clearAll();
    this.#timers.set('grace', after(now, this.#grace));
  }

  #ask(): void {
    this.#phase = 'stopping';
    this.#effects.push({ type: 'kill', signal: 'SIGTERM', why: 'the daemon stops' });
  }
}

function howItEnded(status: number | null, signal: string | null): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return status === null ? 'it could not be started' : `it exited with status ${status}`;
}
