import { MAX_BATCH } from '../netlink/message.ts';
import { after, type Duration, type Instant, millis, since } from '../time.ts';
import { type Entry, known } from './entry.ts';

/**
 * Renewals leave in batches, one a turn with a pause between, and a batch is to take no longer than this: it
 * is halved after one that did, and grows again. An IPv4 address takes the kernel about 0.03 ms; an IPv6 one
 * more the more there are: 0.2 ms with 1,000 of them. But all addresses have their turn within the span: the
 * shortest lease is 1 s, and the advert that renews it may come when half of it is used.
 */
const RENEWAL_TIME: Duration = millis(2);
const RENEWAL_PAUSE: Duration = millis(5);
const RENEWAL_SPAN: Duration = millis(200);
const LEAST_BATCH = 8;
const NEVER = Number.NEGATIVE_INFINITY as Instant;

/** Addresses that are due for renewal, oldest first, and how many of them leave at once. */
export class Renewals {
  readonly #due = new Set<Entry>();
  #last = NEVER;
  #batch = MAX_BATCH;
  /** The last change of the batch under way, 0 for none. */
  #lastOfBatch = 0;

  memory() {
    const due = Array.from(this.#due, ({ key }) => key);
    return { due, last: this.#last, batch: this.#batch, lastOfBatch: this.#lastOfBatch };
  }

  /** `entries`: all of them, by their keys. */
  recall(memory: ReturnType<Renewals['memory']>, entries: ReadonlyMap<string, Entry>): void {
    for (const key of memory.due) this.#due.add(known(entries, key));
    [this.#last, this.#batch, this.#lastOfBatch] = [memory.last, memory.batch, memory.lastOfBatch];
  }

  add(entry: Entry): void {
    this.#due.add(entry);
  }

  delete(entry: Entry): void {
    this.#due.delete(entry);
  }

  deadline(): Instant | undefined {
    return this.#due.size > 0 ? after(this.#last, RENEWAL_PAUSE) : undefined;
  }

  /** One batch, when the last is long enough ago: `renew` gives the change's id; none where there is nothing to do. */
  send(now: Instant, renew: (entry: Entry) => number | undefined): void {
    if (this.#due.size === 0 || since(now, this.#last) < RENEWAL_PAUSE) return;
    this.#last = now;
    this.#lastOfBatch = 0;
    for (const entry of [...this.#due].slice(0, this.#batch)) {
      this.#due.delete(entry);
      this.#lastOfBatch = renew(entry) ?? this.#lastOfBatch;
    }
  }

  /** A change is done, of `addresses` that are held: the next batch is as large as the last one was quick. */
  done(id: number, addresses: number, now: Instant): void {
    if (id !== this.#lastOfBatch) return;
    this.#lastOfBatch = 0;
    const took = since(now, this.#last);
    if (took > RENEWAL_TIME) this.#batch = Math.max(leastBatch(addresses), this.#batch >> 1);
    else if (took < RENEWAL_TIME / 2) this.#batch = Math.min(MAX_BATCH, this.#batch * 2);
  }
}

function leastBatch(addresses: number): number {
  const inTime = Math.ceil((addresses * RENEWAL_PAUSE) / RENEWAL_SPAN);
  return Math.min(MAX_BATCH, Math.max(LEAST_BATCH, inTime));
}
