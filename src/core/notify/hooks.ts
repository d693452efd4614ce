import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, seconds, since, Timers, toSeconds } from '../time.ts';

/** One run of a script. */
export interface Hook {
  /** For people: `notify_master of web`. */
  readonly title: string;
  readonly command: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Beside the daemon's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeout: Duration;
}

export type HooksEvent =
  /** All hooks of one event, which begin together. `urgent`: the daemon stops, so nothing waits. */
  | {
      readonly type: 'run';
      readonly subject: string;
      readonly hooks: readonly Hook[];
      readonly urgent?: boolean;
    }
  /** `why` is absent when it did what it should; `said` is the end of what it printed. */
  | { readonly type: 'ended'; readonly id: number; readonly why?: string; readonly said: string };

export type HooksEffect =
  | { readonly type: 'start'; readonly id: number; readonly hook: Hook }
  | { readonly type: 'kill'; readonly id: number; readonly signal: 'SIGTERM' | 'SIGKILL' }
  | { readonly type: 'log'; readonly level: 'warning' | 'info'; readonly message: string };

/** From SIGTERM to SIGKILL, as for tracked scripts. */
const GRACE: Duration = seconds(2);
/** Scripts at the same time. A director with hundreds of instances that all change at once is not to be choked. */
export const MOST_RUNNING = 64;
/** Events of one subject that may wait; beyond that the oldest is dropped: the newest says how things are. */
export const MOST_WAITING = 32;

interface Running {
  readonly hook: Hook;
  readonly subject: string;
  readonly since: Instant;
  overdue: boolean;
}

/**
 * Runs hooks in the order of events. keepalived starts the scripts of each event at once and waits for none, so that
 * a slow `notify_master` may end after the `notify_backup` that followed it, and leave the host prepared for the
 * wrong state. Here the scripts of one event begin together, and those of the same instance's next event begin when
 * they have ended, or were ended because they took too long. Other instances do not wait. At the daemon's stop
 * nothing waits: there is little time.
 */
export class Hooks implements Machine<HooksEvent, HooksEffect> {
  readonly #timers = new Timers<string>();
  readonly #running = new Map<number, Running>();
  /** By subject: events that wait, oldest first. */
  readonly #waiting = new Map<string, (readonly Hook[])[]>();
  #effects: HooksEffect[] = [];
  #last = 0;

  handle(event: HooksEvent, now: Instant): void {
    if (event.type === 'ended') this.#ended(event, now);
    else if (event.type === 'run') this.#arrived(event, now);
    else unreachable(event);
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#timers.drain(now, (id) => this.#overdue(Number(id), now));
  }

  take(): HooksEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Whether nothing runs and nothing waits. */
  get idle(): boolean {
    return this.#running.size === 0 && this.#waiting.size === 0;
  }

  #arrived({ subject, hooks, urgent }: Extract<HooksEvent, { type: 'run' }>, now: Instant): void {
    if (hooks.length === 0) return;
    if (urgent === true) {
      this.#waiting.delete(subject);
      for (const hook of hooks) this.#start(subject, hook, now);
      return;
    }
    const queue = this.#waiting.get(subject) ?? [];
    queue.push(hooks);
    this.#waiting.set(subject, queue);
    if (queue.length > MOST_WAITING) {
      const titles = queue.shift()?.map(({ title }) => title);
      this.#log('warning', `${titles?.join(' and ')} not run: ${MOST_WAITING} later events wait already`);
    }
    this.#advance(now);
    if (queue.length === 1 && this.#waiting.has(subject)) this.#tellWaiting(subject, hooks, now);
  }

  #tellWaiting(subject: string, hooks: readonly Hook[], now: Instant): void {
    const titles = hooks.map(({ title }) => title).join(' and ');
    const before = this.#runningOf(subject)[0];
    const what =
      before === undefined
        ? `${this.#running.size} other scripts`
        : `${before.hook.title}, which has run for ${toSeconds(since(now, before.since)).toFixed(1)} s`;
    this.#log('info', `${titles} waits for ${what}`);
  }

  #runningOf(subject: string): Running[] {
    return [...this.#running.values()].filter((running) => running.subject === subject);
  }

  /** Starts what may begin. */
  #advance(now: Instant): void {
    const busy = new Set(Array.from(this.#running.values(), ({ subject }) => subject));
    for (const [subject, queue] of this.#waiting) {
      if (this.#running.size >= MOST_RUNNING) return;
      if (busy.has(subject)) continue;
      for (const hook of queue.shift() ?? []) this.#start(subject, hook, now);
      if (queue.length === 0) this.#waiting.delete(subject);
    }
  }

  #start(subject: string, hook: Hook, now: Instant): void {
    const id = ++this.#last;
    this.#running.set(id, { hook, subject, since: now, overdue: false });
    this.#timers.set(String(id), after(now, hook.timeout));
    this.#effects.push({ type: 'start', id, hook });
  }

  #overdue(id: number, now: Instant): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (running.overdue) {
      this.#effects.push({ type: 'kill', id, signal: 'SIGKILL' });
      return;
    }
    running.overdue = true;
    this.#log(
      'warning',
      `${running.hook.title} took longer than ${toSeconds(running.hook.timeout)} s: ended`,
    );
    this.#effects.push({ type: 'kill', id, signal: 'SIGTERM' });
    this.#timers.set(String(id), after(now, GRACE));
  }

  #ended({ id, why, said }: Extract<HooksEvent, { type: 'ended' }>, now: Instant): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    this.#timers.clear(String(id));
    const { title } = running.hook;
    const tail = said === '' ? '' : `: ${said}`;
    if (why !== undefined && !running.overdue) this.#log('warning', `${title}: ${why}${tail}`);
    else if (said !== '') this.#log('info', `${title}${tail}`);
    this.#advance(now);
  }

  #log(level: 'warning' | 'info', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }
}
