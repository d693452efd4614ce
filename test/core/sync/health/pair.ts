import { ip } from '../../../../src/core/ip.ts';
import type { Prng } from '../../../../src/core/prng.ts';
import type { Identity } from '../../../../src/core/sync/bulk/fingerprint.ts';
import type { BulkMessage } from '../../../../src/core/sync/bulk/message.ts';
import { Asker } from '../../../../src/core/sync/health/asker.ts';
import type { OwnGroup } from '../../../../src/core/sync/health/cause.ts';
import type { AskerEffect } from '../../../../src/core/sync/health/events.ts';
import { Teller } from '../../../../src/core/sync/health/teller.ts';
import { type Duration, type Instant, instant, millis } from '../../../../src/core/time.ts';

const LIVES = { a: 'a'.repeat(24), b: 'b'.repeat(24) };
const READING = millis(5);
const TRAVEL = millis(1);
const PIECE = 400;

export const connection = (n: number): Identity => ({
  protocol: 6,
  client: { address: ip('10.1.0.1'), port: n },
  virtual: { address: ip('10.0.0.100'), port: 80 },
  destination: { address: ip('192.168.1.11'), port: 80 },
});

/** A master `a`, a backup `b`, and the network between their sync processes. */
export class HealthPair {
  now = instant(0);
  /** Ports of clients. */
  master = new Set<number>();
  backup = new Set<number>();
  sent = 0;
  own: OwnGroup = {
    interface: 'rack',
    syncId: 51,
    heard: 0,
    others: [],
    maxlen: 1452,
    mtu: 1500,
  };
  /** What the backup's machine wanted, beside talk and readings. */
  readonly outcomes: AskerEffect[] = [];
  readonly said: { readonly to: 'a' | 'b'; readonly message: BulkMessage }[] = [];
  replayed = 0;
  /** Whether a datagram is lost, and whether it comes twice. */
  fate: (() => 'lost' | 'once' | 'twice') | undefined;
  readonly asker: Asker;
  teller = new Teller({ name: 'a', syncId: 51, life: LIVES.a });
  readonly #due: { readonly at: Instant; readonly run: () => void }[] = [];
  readonly #at = { a: 0, b: 0 };

  constructor(alarm = 5) {
    this.asker = new Asker({ name: 'b', syncId: 51, life: LIVES.b, alarm });
    this.teller.handle({ type: 'serve', master: { maxlen: 1452, mtu: 1500 } }, this.now);
    this.watch(true);
  }

  watch(on: boolean, copying = false): void {
    this.asker.handle({ type: 'watch', on, copying }, this.now);
    this.#perform();
  }

  connect(count: number, both = true): void {
    for (let n = 0; n < count; n++) {
      const port = this.master.size + 1;
      this.master.add(port);
      if (both) this.backup.add(port);
    }
  }

  /** The machine that is master dies, and another begins. */
  restart(syncId = 51): void {
    this.teller = new Teller({ name: 'a', syncId, life: 'c'.repeat(24) });
    this.teller.handle({ type: 'serve', master: { maxlen: 1452, mtu: 1500 } }, this.now);
  }

  run(length: Duration): void {
    const end = this.now + length;
    for (;;) {
      const next = Math.min(this.asker.deadline() ?? Infinity, ...this.#due.map(({ at }) => at));
      if (next > end) break;
      this.now = instant(Math.max(this.now, next));
      const index = this.#due.findIndex(({ at }) => at <= this.now);
      if (index >= 0) this.#due.splice(index, 1)[0]?.run();
      else this.asker.timeout(this.now);
      this.#perform();
    }
    this.now = instant(end);
  }

  /** Gives a datagram to the machine that it is for. */
  arrive(to: 'a' | 'b', message: BulkMessage): void {
    if (to === 'a') this.teller.handle({ type: 'heard', message, sent: this.sent }, this.now);
    else this.asker.handle({ type: 'heard', message, own: this.own }, this.now);
    this.#perform();
  }

  #later(delay: Duration, run: () => void): void {
    this.#due.push({ at: instant(this.now + delay), run });
  }

  #send(to: 'a' | 'b', message: BulkMessage): void {
    this.said.push({ to, message });
    const fate = this.fate?.() ?? 'once';
    for (let n = { lost: 0, once: 1, twice: 2 }[fate]; n > 0; n--)
      this.#later(TRAVEL, () => this.arrive(to, message));
  }

  #perform(): void {
    for (const effect of this.asker.take()) {
      if (effect.type === 'say') this.#send('a', effect.message);
      else if (effect.type === 'read') this.#read('b', effect.reading);
      else if (effect.type === 'replayed') this.replayed++;
      else this.outcomes.push(effect);
    }
    for (const effect of this.teller.take()) {
      if (effect.type === 'say') this.#send('b', effect.message);
      else if (effect.type === 'read') this.#read('a', effect.reading);
      else if (effect.type === 'replayed') this.replayed++;
    }
  }

  /** Piece by piece. */
  #read(who: 'a' | 'b', reading: number): void {
    const teller = this.teller;
    this.#later(READING, () => {
      const ports = [...(who === 'a' ? this.master : this.backup)];
      const identities = ports.slice(this.#at[who], this.#at[who] + PIECE).map(connection);
      this.#at[who] += PIECE;
      const last = this.#at[who] >= ports.length;
      if (last) this.#at[who] = 0;
      const rows = { type: 'rows', reading, identities, last } as const;
      if (who === 'b') this.asker.handle(rows, this.now);
      else if (teller === this.teller) teller.handle(rows, this.now);
    });
  }
}

/** Fates with these shares of loss and doubles. */
export const fates = (prng: Prng, loss: number, twice: number) => (): 'lost' | 'once' | 'twice' =>
  prng.chance(loss) ? 'lost' : prng.chance(twice) ? 'twice' : 'once';
