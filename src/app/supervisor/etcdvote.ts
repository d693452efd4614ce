import { unreachable } from '../../core/assert.ts';
import { type EtcdEffect, type EtcdEvent, EtcdVoter } from '../../core/fence/etcd.ts';
import type { EtcdWord } from '../../core/fence/protection-events.ts';
import type { ClusterSettings } from '../../core/fence/settings.ts';
import { micros, millis } from '../../core/time.ts';
import { now } from '../../io/clock.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { Etcd } from '../../io/etcd.ts';
import type { Level, ToVrrp } from '../messages.ts';

type Told = Extract<ToVrrp, { type: 'etcd' }>;

/** The records are not read more often, however short adverts are. */
const LIST_LEAST = millis(100);
const PATIENCE_LEAST = millis(500);
/** Of one time without answers, so many reasons are said: what a server says may be another thing each time. */
const REASONS_MOST = 16;

interface Session {
  readonly settings: ClusterSettings;
  readonly client: Etcd;
  readonly driven: Driven<EtcdEvent>;
  /** What its keys begin with. */
  readonly folder: string;
}

/** The vote of etcd, where it is the witness: the VRRP process neither waits for the network nor speaks TLS. */
export class EtcdVote {
  readonly #driver: Driver;
  readonly #tell: (message: Told) => void;
  readonly #log: (level: Level, message: string) => void;
  #session: Session | undefined;
  #answers = true;
  /** Why it does not answer, as far as that was said: a reason once, until it answers or another file is read. */
  readonly #reasons = new Set<string>();

  /** `tell` is for the VRRP process. */
  constructor(driver: Driver, tell: (message: Told) => void, log: (level: Level, message: string) => void) {
    this.#driver = driver;
    this.#tell = tell;
    this.#log = log;
  }

  /** At each reload: files of keys and certificates are read again. */
  configure(settings: ClusterSettings | undefined): void {
    this.close();
    this.#reasons.clear();
    if (settings?.etcd === undefined) return;
    const { etcd, cluster, name: director, longest, margin, interval } = settings;
    try {
      const client = new Etcd(etcd, micros(Math.max(PATIENCE_LEAST, interval * 2)));
      const look = micros(Math.max(LIST_LEAST, interval));
      const voter = new EtcdVoter({ director, longest, margin, interval: look }, now());
      const driven = this.#driver.attach(voter, (effects) => {
        for (const effect of effects) void this.#perform(session, effect);
      });
      const session: Session = { settings, client, driven, folder: `${etcd.prefix}/${cluster}/` };
      this.#session = session;
      // A machine that was just attached has its deadline looked at with the first event.
      driven.handle({ type: 'listed' });
    } catch (error) {
      this.#log('error', `etcd has no vote: ${(error as Error).message}`);
    }
  }

  close(): void {
    this.#session?.driven.detach();
    this.#session?.client.close();
    this.#session = undefined;
  }

  /** From the VRRP process. */
  say(word: EtcdWord): void {
    this.#session?.driven.handle(word);
  }

  async #perform(session: Session, effect: EtcdEffect): Promise<void> {
    switch (effect.type) {
      case 'list': {
        const records = await this.#attempt(session, () => session.client.list(session.folder));
        if (session !== this.#session) return;
        session.driven.handle({ type: 'listed', ...(records && { records }) });
        if (records !== undefined) this.#tell({ type: 'etcd' });
        break;
      }
      case 'write': {
        const { id, claim, over, text } = effect;
        const swap = await this.#attempt(session, () =>
          session.client.swap(session.folder + claim, over, text),
        );
        if (session !== this.#session) return;
        if (swap === undefined) session.driven.handle({ type: 'failed', id });
        else if ('revision' in swap) session.driven.handle({ type: 'written', id, revision: swap.revision });
        else session.driven.handle({ type: 'overtaken', id, record: swap.found });
        break;
      }
      case 'answer': {
        const { claim, number, answer } = effect;
        this.#tell({ type: 'etcd', answer: { claim, number, answer } });
        break;
      }
      default:
        unreachable(effect);
    }
  }

  /** `undefined` where it failed: that is said when it begins, for each further reason, and when it is over. */
  async #attempt<T>(session: Session, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const done = await work();
      if (session === this.#session && !this.#answers) {
        this.#answers = true;
        this.#reasons.clear();
        this.#log('notice', 'etcd answers again');
      }
      return done;
    } catch (error) {
      if (session !== this.#session) return undefined;
      const { message } = error as Error;
      this.#answers = false;
      if (!this.#reasons.has(message) && this.#reasons.size < REASONS_MOST) {
        this.#reasons.add(message);
        this.#log('error', `etcd does not answer: ${message}`);
      }
      return undefined;
    }
  }
}
