import * as assert from 'uvu/assert';
import { Claims, type ClaimsEvent, type SilentMaster } from '../../../src/core/fence/claims.ts';
import { ip } from '../../../src/core/ip.ts';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('what a cluster knows of a silent master');

const CLAIM = 'VI_1';
const AT = { a: ip('10.0.0.1'), b: ip('10.0.0.2') } as const;
type Name = keyof typeof AT;

/** A pair that fences, on a network without delay. */
class Pair {
  now = instant(1e9);
  readonly claims: Readonly<Record<Name, Claims>> = { a: new Claims(), b: new Claims() };
  /** No heartbeat arrives any more. */
  parted = false;
  /** What b asks its supervisor for, and answers. */
  readonly told: string[] = [];
  word: SilentMaster = {};

  constructor(onFailure: 'wait' | 'take' = 'wait') {
    for (const [name, claims] of Object.entries(this.claims) as [Name, Claims][]) {
      const directors = Object.entries(AT).map(([each, address]) => ({ name: each, addresses: [address] }));
      const cluster = {
        ...{ cluster: 'web', name, directors, port: 1, keyFile: '/key', interval: seconds(1) },
        ...{ longest: seconds(3), margin: 0.01 },
      };
      const claim = { name: CLAIM, promise: seconds(3), patient: false, onFailure };
      const fencing = { targets: ['a', 'b'], startup: 'wait', onFailure } as const;
      const settings = { claims: [claim], cluster, fencing };
      claims.handle({ type: 'configure', settings, life: `life of ${name}`, utc: 0 }, this.now);
      claims.handle({ type: 'clean' }, this.now);
    }
    this.pass(5);
  }

  event(name: Name, event: ClaimsEvent): void {
    this.claims[name].handle(event, this.now);
    this.#settle();
  }

  pass(length: number): void {
    const end = (this.now + length * 1e6) as Instant;
    for (;;) {
      const due = Math.min(...Object.values(this.claims).map((claims) => claims.deadline() ?? end));
      if (due > end) break;
      this.now = Math.max(this.now, due) as Instant;
      for (const claims of Object.values(this.claims)) claims.timeout(this.now);
      this.#settle();
    }
    this.now = end;
  }

  /** What b knows of who has that address. */
  known(master = AT.a): SilentMaster {
    this.event('b', { type: 'weigh', router: 'r', claim: CLAIM, master });
    return this.word;
  }

  #settle(): void {
    for (const name of ['a', 'b', 'a', 'b'] as const) {
      for (const effect of this.claims[name].take()) {
        if (effect.type === 'send' && !this.parted) {
          const other = name === 'a' ? 'b' : 'a';
          this.claims[other].handle({ type: 'heartbeat', heartbeat: effect.heartbeat, utc: 0 }, this.now);
        }
        if (effect.type === 'weighed') this.word = effect.cluster;
        if (effect.type === 'fence' && name === 'b')
          this.told.push(`${effect.director}: ${effect.why ?? 'spared'}`);
      }
    }
  }
}
const LIVES = { name: 'a', heard: true, claims: false, off: false, fenced: false };

test('it is heard, and says whether it is master', () => {
  const pair = new Pair();
  assert.equal(pair.known(), { peer: LIVES });
  pair.event('a', { type: 'want', claim: CLAIM, priority: 150, why: 'alone' });
  pair.pass(2);
  assert.equal(pair.known(), { peer: { ...LIVES, claims: true } });
  pair.event('a', { type: 'let-go', claim: CLAIM, why: 'fault' });
  pair.pass(2);
  assert.equal(pair.known(), { peer: LIVES });
});

test('one that is not heard may be switched off; it is off until it is heard again', () => {
  const pair = new Pair();
  pair.parted = true;
  pair.pass(5);
  const silent = { ...LIVES, heard: false, fenced: true };
  assert.equal(pair.known(), { peer: silent });
  pair.told.length = 0;
  pair.event('b', { type: 'shoot', claim: CLAIM, master: AT.a, why: 'it serves on' });
  assert.equal(pair.told, ['a: it serves on']);
  pair.event('b', { type: 'fenced', director: 'a', at: pair.now });
  assert.equal(pair.known(), { peer: { ...silent, off: true } });
  pair.pass(4);
  assert.equal(pair.known(), { peer: silent }, 'nobody says so any more');
  pair.event('b', { type: 'fenced', director: 'a', at: pair.now });
  pair.parted = false;
  pair.pass(2);
  assert.equal(pair.known(), { peer: LIVES });
});

test('one that is heard is not switched off, but may be spared', () => {
  const pair = new Pair();
  pair.told.length = 0;
  pair.event('b', { type: 'shoot', claim: CLAIM, master: AT.a, why: 'it serves on' });
  assert.equal(pair.told, []);
  pair.event('b', { type: 'shoot', claim: CLAIM, master: AT.a });
  assert.equal(pair.told, ['a: spared']);
});

test('that no device works counts as off where the operator wants it so', () => {
  const off = (pair: Pair): boolean | undefined => {
    pair.parted = true;
    pair.pass(5);
    pair.event('b', { type: 'unfenced', director: 'a', at: pair.now });
    return pair.known().peer?.off;
  };
  assert.is(off(new Pair('wait')), false);
  assert.is(off(new Pair('take')), true);
});

test('in a pair whatever is not ours is the other; of a router without votes nothing is known', () => {
  const pair = new Pair();
  assert.is(pair.known(ip('192.0.2.1')).peer?.name, 'a');
  pair.event('b', { type: 'weigh', router: 'r', claim: undefined, master: AT.a });
  assert.equal(pair.word, {});
});

test.run();
