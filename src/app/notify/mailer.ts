import { hostname } from 'node:os';
import { unreachable } from '../../core/assert.ts';
import type { Configuration } from '../../core/config/model.ts';
import { counted } from '../../core/counted.ts';
import { Outbox, type OutboxEffect, type OutboxEvent } from '../../core/notify/outbox.ts';
import type { Mail } from '../../core/notify/reactions.ts';
import { toMillis } from '../../core/time.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import type { Level } from '../messages.ts';

const POLL_MS = 50;

/** Sends mails, one after another. The library is loaded with the first: most directors never send any. */
export class Mailer {
  readonly #outbox = new Outbox();
  readonly #driven: Driven<OutboxEvent>;
  readonly #log: (level: Level, message: string) => void;
  #configuration: Configuration;

  constructor(driver: Driver, configuration: Configuration, log: (level: Level, message: string) => void) {
    this.#configuration = configuration;
    this.#log = log;
    this.#driven = driver.attach(this.#outbox, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  set configuration(configuration: Configuration) {
    this.#configuration = configuration;
  }

  post(mail: Mail): void {
    if (this.#configuration.notify.mail !== undefined) this.#driven.handle({ type: 'post', mail });
  }

  /** Waits until all is sent, `limit` milliseconds at most. */
  async close(limit: number): Promise<void> {
    for (let waited = 0; this.#outbox.size > 0 && waited < limit; waited += POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    if (this.#outbox.size > 0)
      this.#log('warning', `${counted(this.#outbox.size, 'mail')} not sent: the daemon ends`);
    this.#driven.detach();
  }

  #perform(effect: OutboxEffect): void {
    switch (effect.type) {
      case 'send':
        void this.#send(effect.mail);
        break;
      case 'log':
        this.#log(effect.level, effect.message);
        break;
      default:
        unreachable(effect);
    }
  }

  async #send({ subject, body }: Mail): Promise<void> {
    const { global, notify } = this.#configuration;
    const { mail } = notify;
    if (mail === undefined) {
      this.#driven.handle({ type: 'failed', why: 'a reload took the mail server out', final: true });
      return;
    }
    const { sendMail } = await import('../../io/mail.ts');
    const { connectTimeout, ...route } = mail;
    const outcome = await sendMail(
      { ...route, connectMs: toMillis(connectTimeout) },
      { subject: `[${global.routerId ?? hostname()}] ${subject}`, text: `${body}\n` },
    );
    this.#driven.handle(outcome);
  }
}
