import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import type { Seal } from '../../../src/core/sealed.ts';
import { Donor } from '../../../src/core/sync/bulk/donor.ts';
import type {
  DonorEffect,
  DonorEvent,
  RecipientEffect,
  RecipientEvent,
} from '../../../src/core/sync/bulk/events.ts';
import { type ListedConnection, ListedTable } from '../../../src/core/sync/bulk/listing.ts';
import { BulkPost } from '../../../src/core/sync/bulk/post.ts';
import { Recipient } from '../../../src/core/sync/bulk/recipient.ts';
import { decodeMessage } from '../../../src/core/sync/message.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';

/**
 * A day of two directors and a network that loses, delays and doubles: one copies its connection table to the other,
 * while connections come and go and either process dies at any moment. Somebody listens, and sends again what he heard.
 */
export interface Parts {
  readonly Donor: typeof Donor;
  readonly Recipient: typeof Recipient;
}
export const REAL: Parts = { Donor, Recipient };

export type Failure =
  | 'it was said to be complete, and is not'
  | 'it does not end'
  | 'what is replayed starts a copy';
export interface Outcome {
  readonly seed: number;
  readonly failure: Failure | undefined;
  readonly copies: number;
  readonly lost: number;
}

/** Faults happen until then; some time later all must be quiet, and the table right. */
const FAULTS_END = seconds(20);
const END = seconds(120);
const SYNCID = 51;
const MAXLEN = 200;
const CHUNK = 4;
const ROWS_AT_ONCE = 5;
/** No secret is needed where nobody forges. */
const SEAL: Seal = {
  sign: (data) => new Uint8Array(32).fill(data.reduce((sum, byte) => (sum * 31 + byte) & 0xff, 0)),
  isGenuine: (data, mac) => SEAL.sign(data)[0] === mac[0],
};
const SERVER = { address: ip('192.168.1.11'), port: 80 };
const VIRTUAL = { address: ip('10.0.0.100'), port: 80 };
const TABLE = new ListedTable(
  [{ protocol: 6, ...VIRTUAL, timeout: 0, destinations: [{ ...SERVER, method: 0 }] }],
  [],
);
const connection = (n: number): ListedConnection => ({
  protocol: 'TCP',
  client: { address: ip('10.1.0.1'), port: n },
  virtual: VIRTUAL,
  destination: SERVER,
  state: 'ESTABLISHED',
});

type Machine<Event, Effect> = {
  handle(event: Event, now: Instant): void;
  deadline(): Instant | undefined;
  timeout(now: Instant): void;
  take(): Effect[];
};
interface Side<Event, Effect> {
  /** None while the process is dead. */
  machine: Machine<Event, Effect> | undefined;
  readonly post: BulkPost;
}

class Day {
  readonly #prng: Prng;
  readonly #parts: Parts;
  readonly #trace: ((line: string) => void) | undefined;
  #now = instant(0);
  #due: { readonly at: Instant; readonly run: () => void }[] = [];
  readonly #donor: Side<DonorEvent, DonorEffect>;
  readonly #recipient: Side<RecipientEvent, RecipientEffect>;
  /** The donor's kernel, in the order of its listing, and the recipient's: ports of clients. */
  #connections: number[] = [];
  readonly #copy = new Set<number>();
  /** Connections that were there when the last copy began, and still are. */
  #lasting = new Set<number>();
  readonly #overheard: { readonly to: 'donor' | 'recipient'; readonly datagram: Uint8Array }[] = [];
  /** The donor's reading, and its place in the listing. */
  readonly #reading = { number: 0, at: 0 };
  #lives = 0;
  #ports = 0;
  #ends = 0;
  #faulty = true;
  #complete = false;
  #copies = 0;
  /** The donor's nonce of the copy that began last. */
  #present = '';
  #lost = 0;
  failure: Failure | undefined;

  constructor(seed: number, parts: Parts, trace: ((line: string) => void) | undefined) {
    this.#prng = new Prng(seed);
    this.#parts = parts;
    this.#trace = trace;
    const postOf = (name: string, other: string): BulkPost =>
      new BulkPost({ cluster: 'web', name, others: [other], syncId: SYNCID }, SEAL);
    this.#donor = { machine: undefined, post: postOf('a', 'b') };
    this.#recipient = { machine: undefined, post: postOf('b', 'a') };
    const count = this.#prng.between(0, 30);
    while (this.#ports < count) this.#connections.push(++this.#ports);
  }

  play(): Omit<Outcome, 'seed'> {
    this.#startDonor();
    this.#startRecipient();
    for (let n = this.#prng.between(0, 4); n > 0; n--) this.#later(this.#moment(), () => this.#fault());
    for (let n = this.#prng.between(0, 6); n > 0; n--) this.#later(this.#moment(), () => this.#connects());
    // One that ends moves the others in the listing, so that a reading misses one.
    if (this.#prng.chance(0.5)) this.#later(this.#moment(), () => this.#ends++);
    for (let n = this.#prng.between(0, 8); n > 0; n--) this.#later(this.#moment(), () => this.#replay());
    this.#later(FAULTS_END, () => {
      this.#faulty = false;
      this.#startDonor();
      this.#startRecipient();
    });
    this.#run(END);
    if (this.failure === undefined) this.#judge();
    return { failure: this.failure, copies: this.#copies, lost: this.#lost };
  }

  #judge(): void {
    if (!this.#complete || this.#donor.machine?.deadline() !== undefined) {
      this.failure = 'it does not end';
      return;
    }
    const copies = this.#copies;
    for (const { to, datagram } of [...this.#overheard]) this.#arrive(to, datagram);
    this.#run(instant(END + seconds(60)));
    if (this.#copies > copies) this.failure = 'what is replayed starts a copy';
  }

  #run(end: Instant | number): void {
    for (;;) {
      if (this.failure !== undefined) return;
      const alarms = [this.#donor, this.#recipient].flatMap(({ machine }) => machine?.deadline() ?? []);
      const next = Math.min(...alarms, ...this.#due.map(({ at }) => at));
      if (next > end) return;
      this.#now = instant(Math.max(next, this.#now));
      const index = this.#due.findIndex(({ at }) => at <= this.#now);
      if (index >= 0) this.#due.splice(index, 1)[0]?.run();
      else {
        this.#donor.machine?.timeout(this.#now);
        this.#recipient.machine?.timeout(this.#now);
      }
      this.#perform();
    }
  }

  #perform(): void {
    for (const effect of this.#donor.machine?.take() ?? []) this.#donates(effect);
    for (const effect of this.#recipient.machine?.take() ?? []) this.#receives(effect);
  }

  #tell(who: string, what: unknown): void {
    this.#trace?.(`${this.#now} ${who} ${JSON.stringify(what)}`);
  }

  #moment(): number {
    // Most of it happens in the first seconds.
    return this.#prng.chance(0.7) ? this.#prng.between(0, 3_000_000) : this.#prng.between(0, FAULTS_END - 1);
  }

  #later(delay: number, run: () => void): void {
    this.#due.push({ at: instant(this.#now + delay), run });
  }

  #life(): string {
    return (++this.#lives).toString(16).padStart(24, '0');
  }

  #startDonor(): void {
    if (this.#donor.machine !== undefined) return;
    const settings = { name: 'a', syncId: SYNCID, life: this.#life(), chunk: CHUNK };
    this.#donor.machine = new this.#parts.Donor(settings);
    Object.assign(this.#reading, { number: 0, at: 0 });
    this.#donor.machine.handle({ type: 'serve', maxlen: MAXLEN }, this.#now);
  }

  #startRecipient(): void {
    if (this.#recipient.machine !== undefined) return;
    this.#recipient.machine = new this.#parts.Recipient({ name: 'b', syncId: SYNCID, life: this.#life() });
    this.#recipient.machine.handle({ type: 'want' }, this.#now);
    this.#complete = false;
  }

  #fault(): void {
    const pause = this.#prng.between(1, 3_000_000);
    if (this.#prng.chance(0.5)) {
      this.#tell('donor', 'dies');
      this.#donor.machine = undefined;
      this.#later(pause, () => this.#startDonor());
    } else {
      const power = this.#prng.chance(0.5);
      this.#tell('recipient', power ? 'dies with its kernel' : 'dies');
      this.#recipient.machine = undefined;
      if (power) this.#copy.clear();
      this.#later(pause, () => this.#startRecipient());
    }
  }

  #connects(): void {
    // The kernel tells the other one of it by itself, if it is there.
    const port = ++this.#ports;
    this.#connections.splice(this.#prng.between(0, this.#connections.length), 0, port);
  }

  #replay(): void {
    if (this.#overheard.length === 0) return;
    const { to, datagram } = this.#prng.pick(this.#overheard);
    const cut = this.#prng.chance(0.2)
      ? datagram.subarray(0, this.#prng.between(0, datagram.length))
      : datagram;
    this.#arrive(to, cut);
  }

  #send(to: 'donor' | 'recipient', datagram: Uint8Array): void {
    this.#overheard.push({ to, datagram });
    for (const delay of this.#delays()) this.#later(delay, () => this.#arrive(to, datagram));
  }

  /** When it arrives: never, once, or twice. */
  #delays(): number[] {
    const delay = (): number => this.#prng.between(50, this.#prng.chance(0.05) ? 800_000 : 3_000);
    if (!this.#faulty) return [100];
    if (this.#prng.chance(0.1)) {
      this.#lost++;
      return [];
    }
    return this.#prng.chance(0.05) ? [delay(), delay()] : [delay()];
  }

  #arrive(to: 'donor' | 'recipient', datagram: Uint8Array): void {
    const side = to === 'donor' ? this.#donor : this.#recipient;
    const opened = side.post.open(datagram);
    if ('message' in opened) side.machine?.handle({ type: 'heard', message: opened.message }, this.#now);
  }

  #donates(effect: DonorEffect): void {
    this.#tell('donor', effect);
    const { machine, post } = this.#donor;
    if (effect.type === 'say') {
      this.#begun(effect.message.type === 'progress' ? effect.message.donor : undefined);
      this.#send('recipient', post.close(effect.message));
    } else if (effect.type === 'tell') {
      for (const datagram of effect.datagrams)
        for (const delay of this.#delays()) this.#later(delay, () => this.#takeIn(datagram));
    } else if (effect.type === 'read') {
      this.#later(500, () => {
        const { list, last } = this.#read(effect.reading);
        const event = { type: 'rows', reading: effect.reading, carried: TABLE.carry(list), last } as const;
        if (this.#donor.machine === machine) machine?.handle(event, this.#now);
      });
    }
  }

  #takeIn(datagram: Uint8Array): void {
    const decoded = decodeMessage(datagram);
    if (decoded.ok) for (const { client } of decoded.message.connections) this.#copy.add(client.port);
  }

  #receives(effect: RecipientEffect): void {
    this.#tell('recipient', effect);
    const { machine, post } = this.#recipient;
    if (effect.type === 'say') this.#send('donor', post.close(effect.message));
    else if (effect.type === 'got') {
      this.#complete = effect.outcome === 'complete';
      const lacking = [...this.#lasting].filter((port) => !this.#copy.has(port));
      if (this.#complete && lacking.length > 0) this.failure = 'it was said to be complete, and is not';
    } else if (effect.type === 'read') {
      this.#later(500, () => {
        const identities = [...this.#copy].map((port) => ({ ...connection(port), protocol: 6 }));
        const event = { type: 'rows', reading: effect.reading, identities, last: true } as const;
        if (this.#recipient.machine === machine) machine?.handle(event, this.#now);
      });
    }
  }

  /** The kernel lists by places: when one before them ends, the next is left out. */
  #read(number: number): { list: ListedConnection[]; last: boolean } {
    const reading = this.#reading;
    if (reading.number !== number) Object.assign(reading, { number, at: 0 });
    const ports = this.#connections.slice(reading.at, reading.at + ROWS_AT_ONCE);
    reading.at += ROWS_AT_ONCE;
    const last = reading.at >= this.#connections.length;
    if (this.#ends > 0 && !last) {
      this.#ends--;
      const [ended = 0] = this.#connections.splice(this.#prng.between(0, reading.at - 1), 1);
      this.#lasting.delete(ended);
    }
    return { list: ports.map(connection), last: reading.at >= this.#connections.length };
  }

  /** The donor speaks of a copy. */
  #begun(donor: string | undefined): void {
    if (donor === undefined || donor === this.#present) return;
    this.#present = donor;
    this.#copies++;
    this.#lasting = new Set(this.#connections);
  }
}

/** Plays the day of a seed. */
export function play(seed: number, parts: Parts = REAL, trace?: (line: string) => void): Outcome {
  return { seed, ...new Day(seed, parts, trace).play() };
}
