import { unreachable } from '../assert.ts';
import { counted } from '../counted.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, seconds } from '../time.ts';
import type { Mail } from './reactions.ts';

export type OutboxEvent =
  | { readonly type: 'post'; readonly mail: Mail }
  | { readonly type: 'sent' }
  /** `final`: the server does not want this mail, now or later. */
  | { readonly type: 'failed'; readonly why: string; readonly final: boolean };

export type OutboxEffect =
  | { readonly type: 'send'; readonly mail: Mail }
  | { readonly type: 'log'; readonly level: 'warning' | 'info'; readonly message: string };

/** Mails that wait; a director in trouble is not to remember all of it. */
export const MOST_MAILS = 200;
/** Before the second try, the third ... : a mail server that restarts, or a network that a takeover repairs. */
const PAUSES: readonly Duration[] = [10, 60, 300].map(seconds);

/**
 * Mails on their way, one at a time and in order. keepalived tries each once, all at the same time: when a network
 * breaks, just those that say so are lost. Here a mail is tried again, a few times; while the server cannot be
 * reached, all wait behind the first.
 */
export class Outbox implements Machine<OutboxEvent, OutboxEffect> {
  readonly #waiting: Mail[] = [];
  #effects: OutboxEffect[] = [];
  #sending = false;
  #tries = 0;
  #retry: Instant | undefined;
  #dropped = 0;

  handle(event: OutboxEvent, now: Instant): void {
    switch (event.type) {
      case 'post':
        this.#post(event.mail);
        break;
      case 'sent':
        this.#done('info', 'sent');
        break;
      case 'failed':
        this.#failed(event.why, event.final, now);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#retry;
  }

  timeout(now: Instant): void {
    if (this.#retry === undefined || this.#retry > now) return;
    this.#retry = undefined;
    this.#next();
  }

  take(): OutboxEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** How many are not sent yet. */
  get size(): number {
    return this.#waiting.length;
  }

  #post(mail: Mail): void {
    if (this.#waiting.length >= MOST_MAILS) {
      this.#dropped += 1;
      if (this.#dropped === 1) this.#log('warning', `${MOST_MAILS} mails wait: more are dropped`);
      return;
    }
    this.#waiting.push(mail);
    if (this.#retry === undefined) this.#next();
  }

  #next(): void {
    const [mail] = this.#waiting;
    if (mail === undefined || this.#sending) return;
    this.#sending = true;
    this.#effects.push({ type: 'send', mail });
  }

  #done(level: 'info' | 'warning', what: string): void {
    const mail = this.#waiting.shift();
    this.#sending = false;
    this.#tries = 0;
    this.#log(level, `mail "${mail?.subject}" ${what}`);
    if (this.#dropped > 0) this.#log('warning', `${counted(this.#dropped, 'mail')} dropped`);
    this.#dropped = 0;
    this.#next();
  }

  #failed(why: string, final: boolean, now: Instant): void {
    const pause = final ? undefined : PAUSES[this.#tries];
    if (pause === undefined) {
      this.#done('warning', `not sent: ${why}`);
      return;
    }
    this.#tries += 1;
    this.#sending = false;
    this.#retry = after(now, pause);
    const subject = this.#waiting[0]?.subject;
    this.#log('warning', `mail "${subject}" not sent yet: ${why}; tried again in ${pause / 1e6} s`);
  }

  #log(level: 'info' | 'warning', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }
}
