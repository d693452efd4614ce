import type { Ip } from '../ip.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, millis, seconds } from '../time.ts';
import { Pacer, type PacerEvent } from '../vrrp/pacer.ts';
import type { PacingSettings } from '../vrrp/settings.ts';

/** A full transmit queue takes the rest a little later. */
const QUEUE_PAUSE: Duration = millis(5);
/** One that is still full after so many tries, or an interface that does not send at all, is tried this often. */
const QUEUE_TRIES = 50;
const RETRY_PAUSE: Duration = seconds(1);

export type AnnouncementsEvent =
  | PacerEvent
  /** These interfaces can send again. */
  | { readonly type: 'risen'; readonly devs: ReadonlySet<string> }
  /** Of the frames of a `send`, so many were taken, from the first on; `trouble`: why not even the next one was. */
  | { readonly type: 'sent'; readonly id: number; readonly taken: number; readonly trouble?: string };

export type AnnouncementsEffect =
  /** An announcement of each of these addresses, in this order; answered by `sent`. */
  | { readonly type: 'send'; readonly id: number; readonly dev: string; readonly addresses: readonly Ip[] }
  /** Told once, until the interface sends again. */
  | { readonly type: 'problem'; readonly dev: string; readonly what: string };

/** What an interface did not take. */
interface Stuck {
  addresses: readonly Ip[];
  tries: number;
  due: Instant;
  told?: string;
}

/**
 * Tells links who has an address now: paced, and again and again while they do not take it. None leaves after its
 * address was given up.
 */
export class Announcements implements Machine<AnnouncementsEvent, AnnouncementsEffect> {
  readonly #pacer: Pacer;
  readonly #stuck = new Map<string, Stuck>();
  readonly #underWay = new Map<number, { readonly dev: string; readonly addresses: readonly Ip[] }>();
  #effects: AnnouncementsEffect[] = [];
  #lastId = 0;

  constructor(pacing: PacingSettings) {
    this.#pacer = new Pacer(pacing);
  }

  handle(event: AnnouncementsEvent, now: Instant): void {
    switch (event.type) {
      case 'risen':
        for (const dev of event.devs) this.#retry(dev);
        break;
      case 'sent':
        this.#sent(event, now);
        break;
      default:
        if (event.type === 'forget') this.#forget(event.dev, event.addresses);
        this.#pacer.handle(event, now);
    }
    this.#pump();
  }

  deadline(): Instant | undefined {
    let next = this.#pacer.deadline();
    for (const { due, addresses } of this.#stuck.values())
      if (addresses.length > 0) next = earliest(next, due);
    return next;
  }

  timeout(now: Instant): void {
    for (const [dev, { due }] of this.#stuck) if (due <= now) this.#retry(dev);
    this.#pacer.timeout(now);
    this.#pump();
  }

  take(): AnnouncementsEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    return {
      pacer: this.#pacer.memory(),
      stuck: Array.from(this.#stuck, ([dev, stuck]) => [dev, { ...stuck }] as const),
      underWay: new Map(this.#underWay),
      lastId: this.#lastId,
    };
  }

  recall(memory: ReturnType<Announcements['memory']>): void {
    this.#pacer.recall(memory.pacer);
    for (const [dev, stuck] of memory.stuck) this.#stuck.set(dev, { ...stuck });
    for (const [id, under] of memory.underWay) this.#underWay.set(id, under);
    this.#lastId = memory.lastId;
  }

  /** Round after round, as keepalived sends them. */
  #pump(): void {
    for (const { dev, addresses, repeat } of this.#pacer.take()) {
      this.#send(dev, Array.from({ length: repeat }, () => addresses).flat());
    }
  }

  #send(dev: string, addresses: readonly Ip[]): void {
    const id = ++this.#lastId;
    this.#underWay.set(id, { dev, addresses });
    this.#effects.push({ type: 'send', id, dev, addresses });
  }

  #retry(dev: string): void {
    const stuck = this.#stuck.get(dev);
    if (stuck === undefined || stuck.addresses.length === 0) return;
    const { addresses } = stuck;
    stuck.addresses = [];
    this.#send(dev, addresses);
  }

  #sent({ id, taken, trouble }: Extract<AnnouncementsEvent, { type: 'sent' }>, now: Instant): void {
    const under = this.#underWay.get(id);
    if (under === undefined) return;
    this.#underWay.delete(id);
    const { dev } = under;
    const rest = under.addresses.slice(taken);
    const stuck = this.#stuck.get(dev) ?? { addresses: [], tries: 0, due: now };
    if (rest.length === 0) {
      if (stuck.addresses.length === 0) this.#stuck.delete(dev);
      return;
    }
    this.#stuck.set(dev, stuck);
    stuck.tries = taken > 0 ? 1 : stuck.tries + 1;
    const full = trouble === undefined && stuck.tries < QUEUE_TRIES;
    const all = [...stuck.addresses, ...rest];
    // What waits long is announced once, not as often as it would have been.
    stuck.addresses = full ? all : [...new Set(all)];
    stuck.due = after(now, full ? QUEUE_PAUSE : RETRY_PAUSE);
    if (full) return;
    const what = trouble ?? `the transmit queue is full (${stuck.addresses.length} wait)`;
    if (stuck.told === undefined) this.#effects.push({ type: 'problem', dev, what });
    stuck.told = what;
  }

  #forget(dev: string, addresses: readonly Ip[]): void {
    const stuck = this.#stuck.get(dev);
    if (stuck === undefined) return;
    stuck.addresses = stuck.addresses.filter((address) => !addresses.includes(address));
    if (stuck.addresses.length === 0) this.#stuck.delete(dev);
  }
}
