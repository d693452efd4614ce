import type { Machine } from '../machine.ts';
import { after, type Instant, millis, seconds, since, Timers, toSeconds } from '../time.ts';
import type { ScriptSettings } from './settings.ts';

/** A script that was told to end gets this long before it is killed, as in keepalived. */
const GRACE = seconds(2);
/** A timer this late says that the process stood still: what the run said meanwhile is not known to be late. */
const STALL = millis(500);

export type ScriptEvent =
  | { readonly type: 'start' }
  /** Runs no more; a run under way is ended, and its result is ignored. */
  | { readonly type: 'stop' }
  /** Other settings for the same command: what is known of it stays. */
  | { readonly type: 'configure'; readonly settings: ScriptSettings }
  /** How a run ended: each `run` is answered by one of these, also when it was killed. */
  | { readonly type: 'exited'; readonly status: number | null; readonly signal: string | null }
  /** It could not even be started; with `shortage` because this director lacks something, which says nothing. */
  | { readonly type: 'failed'; readonly why: string; readonly shortage?: boolean };

export type ScriptEffect =
  | { readonly type: 'run' }
  /** To all processes of the run. */
  | { readonly type: 'kill'; readonly signal: 'SIGTERM' | 'SIGKILL' }
  /** The verdict changed, or is the first one. */
  | { readonly type: 'verdict'; readonly good: boolean; readonly why: string };

/**
 * One `vrrp_script`: runs it at its interval and judges. The first result decides; after that it takes `rise`
 * successes or `fall` failures in a row to change the verdict. A run that is still under way is not overtaken: the
 * next one is skipped. One that takes longer than its timeout has failed, and is ended. What cannot be run at all
 * has failed too: keepalived disables such a script, and its router serves on as if all were well.
 */
export class Script implements Machine<ScriptEvent, ScriptEffect> {
  #settings: ScriptSettings;
  readonly #timers = new Timers<'run' | 'timeout' | 'kill'>();
  #effects: ScriptEffect[] = [];
  #started = false;
  #running = false;
  /** The run under way has failed already, or its result is ignored. */
  #judged = false;
  /** It got its time again, after a stall. */
  #spared = false;
  #good: boolean | undefined;
  /** Results in a row that speak against the verdict. */
  #against = 0;

  constructor(settings: ScriptSettings) {
    this.#settings = settings;
  }

  handle(event: ScriptEvent, now: Instant): void {
    switch (event.type) {
      case 'start':
        if (this.#started) return;
        this.#started = true;
        this.#due(now, now);
        break;
      case 'stop':
        this.#started = false;
        this.#timers.clear('run');
        this.#judged = true;
        this.#end(now);
        break;
      case 'configure':
        this.#settings = event.settings;
        if (this.#started) this.#timers.set('run', after(now, event.settings.interval));
        break;
      case 'exited':
        this.#ended(event.status === 0 && event.signal === null, reason(event));
        break;
      case 'failed':
        this.#judged ||= event.shortage === true;
        this.#ended(false, event.why);
        break;
    }
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#timers.drain(now, (name, due) => {
      if (name === 'run') this.#due(due, now);
      else if (name === 'timeout') this.#timedOut(due, now);
      else if (name === 'kill') this.#effects.push({ type: 'kill', signal: 'SIGKILL' });
    });
  }

  take(): ScriptEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** On an absolute schedule; what was missed is not made up for. */
  #due(due: Instant, now: Instant): void {
    const { interval, timeout } = this.#settings;
    const next = after(due, interval);
    this.#timers.set('run', next > now ? next : after(now, interval));
    if (this.#running) return;
    this.#running = true;
    this.#judged = false;
    this.#spared = false;
    this.#timers.set('timeout', after(now, timeout));
    this.#effects.push({ type: 'run' });
  }

  #timedOut(due: Instant, now: Instant): void {
    if (since(now, due) > STALL && !this.#spared) {
      this.#spared = true;
      this.#timers.set('timeout', after(now, this.#settings.timeout));
      return;
    }
    this.#judge(false, `it took longer than ${toSeconds(this.#settings.timeout)} s`);
    this.#judged = true;
    this.#end(now);
  }

  #end(now: Instant): void {
    if (!this.#running) return;
    this.#timers.clear('timeout');
    this.#timers.set('kill', after(now, GRACE));
    this.#effects.push({ type: 'kill', signal: 'SIGTERM' });
  }

  #ended(success: boolean, why: string): void {
    if (!this.#running) return;
    this.#running = false;
    this.#timers.clear('timeout');
    this.#timers.clear('kill');
    if (!this.#judged) this.#judge(success, why);
  }

  #judge(success: boolean, why: string): void {
    this.#against = success === this.#good ? 0 : this.#against + 1;
    const { rise, fall } = this.#settings;
    const needed = this.#good === undefined ? 1 : success ? rise : fall;
    if (this.#against < needed) return;
    this.#against = 0;
    this.#good = success;
    this.#effects.push({ type: 'verdict', good: success, why });
  }
}

function reason({ status, signal }: { status: number | null; signal: string | null }): string {
  if (signal !== null) return `it was ended by ${signal}`;
  return status === 0 ? 'it succeeded' : `it exited with status ${status}`;
}
