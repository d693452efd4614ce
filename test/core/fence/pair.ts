import * as assert from 'uvu/assert';
import { type Heartbeat, HeartbeatCodec } from '../../../src/core/fence/heartbeat-codec.ts';
import { Protection } from '../../../src/core/fence/protection.ts';
import type {
  ProtectionEffect,
  ProtectionEvent,
  ProtectionSettings,
} from '../../../src/core/fence/protection-events.ts';
import { Witness } from '../../../src/core/fence/witness.ts';
import type { Machine } from '../../../src/core/machine.ts';
import type { Seal } from '../../../src/core/sealed.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';

/** No secret is needed here: that keys are looked at is the heartbeats' own test. */
const SEAL: Seal = { sign: () => new Uint8Array(32), isGenuine: () => true };
export const MARGIN = { longest: seconds(3), margin: 0.01 };
export const CLAIM = 'VI_1';

type Director = Machine<ProtectionEvent, ProtectionEffect> & Pick<Protection, 'claim' | 'peers'>;

/** How those are called who vote. */
interface Names {
  readonly cluster: string;
  readonly directors: readonly [string, string];
  readonly witness: string;
}
const NAMES: Names = { cluster: 'web', directors: ['a', 'b'], witness: 'w' };

/** A pair and its witness on a network without delay, and what the directors were told. */
export class Pair {
  now = instant(1e9);
  readonly directors = new Map<string, Director>();
  readonly told: string[] = [];
  readonly #names: Names;
  readonly #make: (settings: ProtectionSettings, now: Instant) => Director;
  readonly #codec: HeartbeatCodec;
  readonly #witness: Witness;
  readonly #cut = new Set<string>();

  constructor(
    names = NAMES,
    make = (settings: ProtectionSettings, now: Instant): Director => new Protection(settings, now, 0),
  ) {
    [this.#names, this.#make] = [names, make];
    this.#codec = new HeartbeatCodec(names.cluster, SEAL);
    this.#witness = new Witness({ ...MARGIN, name: names.witness, life: 'w1' });
    this.#witness.configure(new Map([[names.cluster, SEAL]]), this.now);
    for (const [i, name] of names.directors.entries()) this.boot(name, `life${i}`);
  }
  boot(name: string, life: string): void {
    const settings = { ...this.#names, ...MARGIN, name, life, interval: seconds(1) };
    const machine = this.#make(settings, this.now);
    this.directors.set(name, machine);
    machine.handle({ type: 'clean' }, this.now);
    this.#settle();
  }
  /** Nothing passes between these any more. */
  cut(...pairs: readonly string[]): void {
    for (const pair of pairs) this.#cut.add(pair);
  }
  mend(): void {
    this.#cut.clear();
  }
  get(name: string): Director {
    const director = this.directors.get(name);
    assert.ok(director);
    return director;
  }
  event(name: string, event: ProtectionEvent): void {
    this.directors.get(name)?.handle(event, this.now);
    this.#settle();
  }
  want(name: string, priority = 100): void {
    this.event(name, { type: 'want', claim: CLAIM, priority, promise: seconds(3), why: 'test' });
  }
  letGo(name: string): void {
    this.event(name, { type: 'let-go', claim: CLAIM, why: 'test' });
  }
  /** Lets time pass, in tenths of seconds. */
  pass(s: number): void {
    for (let tenth = 0; tenth < s * 10; tenth++) {
      this.now = instant(this.now + 100_000);
      for (const machine of this.directors.values()) {
        const due = machine.deadline();
        if (due !== undefined && due <= this.now) machine.timeout(this.now);
      }
      this.#settle();
    }
  }
  #settle(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const [name, machine] of this.directors) {
        for (const effect of machine.take()) {
          busy = true;
          this.#perform(name, effect);
        }
      }
    }
  }
  #perform(from: string, effect: ProtectionEffect): void {
    if (effect.type === 'send') this.#deliver(effect.heartbeat);
    else if (effect.type !== 'peer') {
      const until = effect.type === 'authorised' ? ` for ${left(effect.until, this.now)}` : '';
      this.told.push(`${from} ${effect.type}${until}`);
    }
  }
  #deliver(heartbeat: Heartbeat): void {
    const { from, to } = heartbeat;
    if (this.#cut.has(`${from}${to}`) || this.#cut.has(`${to}${from}`)) return;
    if (to !== this.#names.witness) {
      this.#hear(to, heartbeat);
      return;
    }
    for (const datagram of this.#codec.write(heartbeat)) {
      const reply = this.#witness.receive(datagram, this.now, 0);
      assert.ok(reply.ok);
      for (const each of reply.datagrams) {
        const answer = this.#codec.read(each);
        assert.ok(typeof answer !== 'string');
        this.#hear(from, answer);
      }
    }
  }
  #hear(name: string, heartbeat: Heartbeat): void {
    this.directors.get(name)?.handle({ type: 'heartbeat', heartbeat, utc: 0 }, this.now);
  }
  /** What the directors were told since the last call, each once. */
  hear(): string[] {
    return [...new Set(this.told.splice(0))];
  }
}
const left = (until: Instant | undefined, now: Instant): string =>
  until === undefined ? 'ever' : `${((until - now) / 1e6).toFixed(1)} s`;
