import * as assert from 'uvu/assert';
import { Demultiplexer } from '../../../src/core/bfd/demultiplexer.ts';
import type { BfdEvent } from '../../../src/core/bfd/events.ts';
import { BfdSession } from '../../../src/core/bfd/session.ts';
import type { BfdSettings } from '../../../src/core/bfd/settings.ts';
import { type Ip, ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import {
  after,
  type Duration,
  earliest,
  type Instant,
  instant,
  micros,
  millis,
  seconds,
} from '../../../src/core/time.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { SETTINGS } from './neighbor.ts';

const ADDRESSES = [ip('10.0.0.1'), ip('10.0.0.2')] as const;
const SEEDS = repetitions(100);

/** How a wire treats packets. */
interface Weather {
  readonly loss: number;
  readonly delay: Duration;
  readonly duplicates: number;
}
const FAIR: Weather = { loss: 0, delay: millis(1), duplicates: 0 };
const CUT: Weather = { ...FAIR, loss: 1 };

interface Flight {
  readonly at: Instant;
  readonly to: 0 | 1;
  readonly source: Ip;
  readonly payload: Uint8Array;
}

/** Two sessions, a wire between them, and virtual time. */
class Pair {
  weather: Weather = FAIR;
  readonly sessions: readonly [BfdSession, BfdSession];
  readonly sentAt: [Instant[], Instant[]] = [[], []];
  #now = instant(1e9);
  #flights: Flight[] = [];
  readonly #prng: Prng;
  readonly #demultiplexers = [new Demultiplexer(), new Demultiplexer()] as const;

  constructor(seed: number, first: Partial<BfdSettings> = {}, second: Partial<BfdSettings> = {}) {
    this.#prng = new Prng(seed);
    const session = (settings: Partial<BfdSettings>, neighbor: Ip): BfdSession =>
      new BfdSession(
        { ...SETTINGS, ...settings, neighbor },
        this.#prng.between(1, 0xffff_ffff),
        new Prng(this.#prng.uint32()),
      );
    this.sessions = [session(first, ADDRESSES[1]), session(second, ADDRESSES[0])];
    for (const side of [0, 1] as const) {
      this.sessions[side].handle({ type: 'start' }, this.#now);
      this.#carry(side);
    }
  }

  /** Something that happens to one of them from outside. */
  tell(side: 0 | 1, event: BfdEvent): void {
    this.sessions[side].handle(event, this.#now);
    this.#carry(side);
  }

  get bothUp(): boolean {
    return this.sessions.every(({ state }) => state === 'Up');
  }

  get bothDown(): boolean {
    return this.sessions.every(({ state }) => state !== 'Up');
  }

  /** Runs until `done`, or for `most`. Returns how long it took, `undefined` when it did not come. */
  until(done: () => boolean, most: Duration): Duration | undefined {
    const begun = this.#now;
    const end = after(begun, most);
    while (!done()) {
      const next = this.#next();
      if (next === undefined || next > end) {
        this.#now = end;
        return undefined;
      }
      this.#now = next;
      this.#step();
    }
    return micros(this.#now - begun);
  }

  run(time: Duration): void {
    this.until(() => false, time);
  }

  #next(): Instant | undefined {
    let least = this.#flights.reduce<Instant | undefined>((sum, { at }) => earliest(sum, at), undefined);
    for (const session of this.sessions) least = earliest(least, session.deadline());
    return least;
  }

  /** Packets first, then timers, as the contract of a machine has it. */
  #step(): void {
    const arrived = this.#flights.filter(({ at }) => at <= this.#now);
    this.#flights = this.#flights.filter(({ at }) => at > this.#now);
    for (const { to, source, payload } of arrived) {
      const datagram = { payload, source, destination: ADDRESSES[to], ttl: 255, multihop: false };
      const found = this.#demultiplexers[to].find(datagram, [this.sessions[to]]);
      if (found === undefined) continue;
      found.session.handle({ type: 'packet', packet: found.packet }, this.#now);
      this.#carry(to);
    }
    for (const side of [0, 1] as const) {
      const due = this.sessions[side].deadline();
      if (due === undefined || due > this.#now) continue;
      this.sessions[side].timeout(this.#now);
      this.#carry(side);
    }
  }

  #carry(side: 0 | 1): void {
    for (const effect of this.sessions[side].take()) {
      if (effect.type !== 'send') continue;
      this.sentAt[side].push(this.#now);
      const { loss, delay, duplicates } = this.weather;
      const copies = this.#prng.chance(duplicates) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (this.#prng.chance(loss)) continue;
        const at = after(this.#now, micros(1 + this.#prng.unit() * delay));
        const to = side === 0 ? 1 : 0;
        this.#flights.push({ at, to, source: ADDRESSES[side], payload: effect.payload });
      }
    }
  }
}

/** Settings that sessions may have, drawn from a seed. */
function drawn(prng: Prng): Partial<BfdSettings> {
  return {
    minTx: millis(prng.between(5, 300)),
    minRx: millis(prng.between(5, 300)),
    multiplier: prng.between(2, 6),
  };
}

/** The longest that the silence of a neighbour may go unnoticed: RFC 5880, 6.8.4. */
const patience = (own: BfdSettings, other: BfdSettings): Duration =>
  micros(other.multiplier * Math.max(own.minRx, other.minTx, other.idleTx));

const pair = suite('bfd pair');

pair('two sessions come up within a few seconds, whatever their settings', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const prng = new Prng(seed);
    const two = new Pair(seed, drawn(prng), { ...drawn(prng), passive: prng.chance(0.5) });
    assert.ok(two.until(() => two.bothUp, seconds(4)) !== undefined, `seed ${seed}`);
    two.run(seconds(30));
    assert.ok(two.bothUp, `seed ${seed} stays up`);
    assert.equal(
      two.sessions.map((session) => session.status().wentDown),
      [0, 0],
    );
  }
});

pair('a cut wire is noticed by both within the detection time, and not before', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const prng = new Prng(seed);
    const two = new Pair(seed, drawn(prng), drawn(prng));
    two.run(seconds(10));
    two.weather = CUT;
    const detection = two.sessions.map((session) => session.status().detectionTime);
    const longest = Math.max(...detection);
    assert.is(
      two.until(() => two.sessions.some(({ state }) => state !== 'Up'), micros(1)),
      undefined,
    );
    const took = two.until(() => two.bothDown, micros(longest + millis(2)));
    assert.ok(took !== undefined, `seed ${seed}: not within ${longest} us`);
  }
});

pair('nobody sends faster than the other wants, nor so slowly that it is taken for dead', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const prng = new Prng(seed);
    const two = new Pair(seed, drawn(prng), drawn(prng));
    two.run(seconds(10));
    for (const side of [0, 1] as const) two.sentAt[side].length = 0;
    two.run(seconds(10));
    for (const side of [0, 1] as const) {
      const interval = two.sessions[side].status().transmitInterval;
      const { settings } = two.sessions[side];
      const other = two.sessions[side === 0 ? 1 : 0].settings;
      assert.is(interval, Math.max(settings.minTx, other.minRx));
      const times = two.sentAt[side];
      for (const [i, time] of times.entries()) {
        if (i === 0) continue;
        const gap = time - (times[i - 1] ?? time);
        assert.ok(gap >= interval * 0.75 - 1 && gap <= interval + 1, `seed ${seed}: ${gap} of ${interval}`);
      }
    }
  }
});

pair('in any weather neither stays up alone, and when it clears both are up', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const prng = new Prng(seed);
    const two = new Pair(seed, drawn(prng), drawn(prng));
    const [one, other] = two.sessions;
    const alone = (): boolean => (one.state === 'Up') !== (other.state === 'Up');
    // Who is up alone hears that the other is down, or hears nothing: both end it within the detection time.
    const most = Math.max(patience(one.settings, other.settings), patience(other.settings, one.settings));
    for (let spell = 0; spell < 5; spell++) {
      two.weather = {
        loss: prng.pick([0, 0.1, 0.5, 0.9, 1]),
        delay: millis(prng.between(1, 50)),
        duplicates: prng.unit(),
      };
      for (let i = 0; i < 20; i++) {
        two.run(millis(prng.between(1, 500)));
        if (!alone()) continue;
        const took = two.until(() => !alone(), micros(2 * most));
        assert.ok(took !== undefined, `seed ${seed}: up alone for more than ${2 * most} us`);
      }
    }
    two.weather = FAIR;
    assert.ok(two.until(() => two.bothUp, micros(most + seconds(5))) !== undefined, `seed ${seed}`);
    two.run(seconds(10));
    assert.ok(two.bothUp, `seed ${seed} stays up`);
  }
});

pair('changing the settings of a running session never takes it down', () => {
  for (let seed = 0; seed < SEEDS; seed++) {
    const prng = new Prng(seed);
    const two = new Pair(seed, drawn(prng), drawn(prng));
    two.run(seconds(10));
    for (let i = 0; i < 10; i++) {
      const side = prng.pick([0, 1] as const);
      const { settings } = two.sessions[side];
      two.tell(side, { type: 'change', settings: { ...settings, ...drawn(prng) } });
      two.run(millis(prng.between(1, 3000)));
      assert.ok(two.bothUp, `seed ${seed}, change ${i}`);
    }
    two.run(seconds(5));
    for (const session of two.sessions) assert.ok(session.status().transmitInterval <= millis(300));
  }
});

pair('a session that is stopped takes the other down at once', () => {
  const two = new Pair(1);
  two.run(seconds(5));
  two.tell(0, { type: 'stop' });
  assert.ok(two.until(() => two.sessions[1].state === 'Down', millis(12)) !== undefined);
  assert.is(two.sessions[1].status().diagnostic, 'neighbour signalled session down');
});

pair.run();
