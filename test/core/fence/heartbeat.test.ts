import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Accepted, Heartbeats } from '../../../src/core/fence/heartbeat.ts';
import { HEARTBEAT_MARK, HeartbeatCodec, type Word } from '../../../src/core/fence/heartbeat-codec.ts';
import { clusterOf, type Seal } from '../../../src/core/sealed.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('heartbeats');

const sign = (data: Uint8Array, key = 'secret'): Buffer => createHmac('sha256', key).update(data).digest();
const sealOf = (key: string): Seal => ({
  sign: (data) => sign(data, key),
  isGenuine: (data, mac) => sign(data, key).equals(mac),
});
/** Who speaks by datagrams. */
class Speaker {
  readonly heartbeats: Heartbeats;
  readonly #codec: HeartbeatCodec;

  constructor(name: string, life: string, key = 'secret', peers?: readonly string[], cluster = 'web') {
    this.#codec = new HeartbeatCodec(cluster, sealOf(key));
    this.heartbeats = new Heartbeats({ name, life, peers });
  }
  compose(to: string, words: readonly Word[]): Uint8Array[] {
    return this.#codec.write(this.heartbeats.compose(to, words, NOW, 7));
  }
  accept(datagram: Uint8Array, now = NOW): Accepted {
    const heartbeat = this.#codec.read(datagram);
    return typeof heartbeat === 'string'
      ? { ok: false, reason: heartbeat }
      : this.heartbeats.accept(heartbeat, now);
  }
}
const node = (name: string, life: string, key = 'secret', peers: readonly string[] = ['a', 'b']) =>
  new Speaker(name, life, key, peers);
const NOW = instant(1e6);
const HELD: Word = { type: 'release', claim: 'VI_1', number: 1 };

/** One says the words to the other, who takes them in. */
function say(from: Speaker, to: Speaker, toName: string, words: readonly Word[] = [HELD]) {
  return from.compose(toName, words).map((datagram) => to.accept(datagram));
}
/** Both have heard each other's life. */
function acquainted(): { a: Speaker; b: Speaker } {
  const [a, b] = [node('a', 'a1'), node('b', 'b1')];
  say(a, b, 'b');
  say(b, a, 'a');
  return { a, b };
}
const words = (outcome: ReturnType<typeof say>): unknown =>
  outcome.map((each) => (each.ok ? each.heard.words : each.reason));

test('nothing is acted on before the sender has heard our life', () => {
  const [a, b] = [node('a', 'a1'), node('b', 'b1')];
  assert.equal(words(say(a, b, 'b')), [[]]);
  assert.equal(words(say(b, a, 'a')), [[HELD]], 'a is answered: it has been heard');
  assert.equal(words(say(a, b, 'b')), [[HELD]]);
});

test('what was heard is not heard again; what others overtook is, for a while', () => {
  const { a, b } = acquainted();
  const datagrams = Array.from({ length: 40 }, () => a.compose('b', [HELD])[0] as Uint8Array);
  const heard = (...numbers: readonly number[]): boolean[] =>
    numbers.map((number) => b.accept(datagrams[number] as Uint8Array).ok);
  assert.equal(heard(1, 1, 0, 0), [true, false, true, false]);
  assert.equal(heard(34, 3, 3, 1, 0), [true, true, false, false, false]);
  assert.equal(heard(2, 33, 33), [true, true, false]);
  assert.equal(heard(39, 6, 7, 7), [true, false, true, false], 'no more than 32 later ones');
});

test('what answers to something that we said long ago is old, whatever its life', () => {
  const { a, b } = acquainted();
  const old = a.compose('b', [HELD])[0] as Uint8Array;
  const outcome = b.accept(old, instant(12e6));
  assert.equal(outcome.ok && outcome.heard.words, []);
});

test('another life is heard at once, and an old datagram does not disturb it', () => {
  const { a, b } = acquainted();
  const old = a.compose('b', [HELD])[0] as Uint8Array;
  const later = node('a', 'a2');
  say(later, b, 'b');
  say(b, later, 'a');
  assert.equal(words(say(later, b, 'b')), [[HELD]]);
  b.accept(old);
  assert.equal(words(say(b, later, 'a')), [[HELD]]);
  assert.equal(words(say(later, b, 'b')), [[HELD]]);
});

test('a recording from before our start is not acted on, and the peer is heard all the same', () => {
  const { a, b } = acquainted();
  const recorded = a.compose('b', [HELD])[0] as Uint8Array;
  void b;
  const again = node('b', 'b2');
  const outcome = again.accept(recorded);
  assert.equal(outcome.ok && outcome.heard.words, []);
  say(again, a, 'a');
  assert.equal(words(say(a, again, 'b')), [[HELD]]);
});

test('another key, another addressee, another cluster and unknown directors are refused', () => {
  const b = node('b', 'b1');
  assert.equal(words(say(node('a', 'a1', 'guess'), b, 'b')), ['wrong key']);
  assert.equal(words(say(node('a', 'a1'), b, 'a')), ['not for us']);
  assert.equal(words(say(node('c', 'c1'), b, 'b')), ['unknown sender']);
  const elsewhere = new Speaker('a', 'a1', 'secret', undefined, 'mail');
  assert.equal(words(say(elsewhere, b, 'b')), ['not a heartbeat']);
  assert.is(clusterOf(HEARTBEAT_MARK, elsewhere.compose('b', [])[0] as Uint8Array), 'mail');
});

test('a witness listens to whoever has the key, and to no more than it can remember', () => {
  const witness = new Speaker('w', 'w1');
  const heard = Array.from(
    { length: 70 },
    (_, i) => say(node(`d${i}`, 'x', 'secret', ['w']), witness, 'w')[0]?.ok,
  );
  assert.is(heard.filter(Boolean).length, 64);
});

test('many words go out in datagrams that fit into any link', () => {
  const { a, b } = acquainted();
  const many: Word[] = Array.from({ length: 200 }, (_, i) => ({
    type: 'ask',
    // Of three bytes a letter.
    claim: `路由器路由器路由器路由器路由器 ${i}`,
    number: i,
    duration: seconds(3),
    priority: 100,
  }));
  const datagrams = a.compose('b', many);
  assert.ok(datagrams.every(({ length }) => length < 1400));
  const got = datagrams.flatMap((datagram) => {
    const outcome = b.accept(datagram);
    return outcome.ok ? outcome.heard.words : [];
  });
  assert.equal(got, many);
});

test('a long reason is cut, and all that is said with it is heard', () => {
  const { a, b } = acquainted();
  const unready = { type: 'hand-over', unit: 'VI_1', number: 1, step: 'unready' } as const;
  const outcome = say(a, b, 'b', [{ ...unready, why: 'x'.repeat(300) }, HELD]);
  assert.equal(words(outcome), [[{ ...unready, why: 'x'.repeat(255) }, HELD]]);
});

test('damaged and senseless datagrams are refused', () => {
  const { a, b } = acquainted();
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (where, flip) => {
      const datagram = Uint8Array.from(a.compose('b', [HELD])[0] as Uint8Array);
      const at = where % datagram.length;
      datagram[at] = (datagram[at] as number) ^ flip;
      assert.not.ok(b.accept(datagram).ok);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.not.ok(b.accept(bytes).ok);
      clusterOf(HEARTBEAT_MARK, bytes);
    }),
  );
});

test('what is signed and makes no sense is refused too', () => {
  const head = Uint8Array.of(...new TextEncoder().encode('VKH1'), 3, ...new TextEncoder().encode('web'));
  const b = node('b', 'b1');
  b.compose('a', []);
  const sealed = (value: unknown): Uint8Array => {
    const body = Uint8Array.of(...head, ...new TextEncoder().encode(JSON.stringify(value)));
    return Uint8Array.of(...body, ...sign(body));
  };
  const good = {
    from: 'a',
    to: 'b',
    life: 'a1',
    number: 1,
    heard: [{ life: 'b1', number: 1 }],
    utc: 7,
    words: [HELD],
  };
  assert.ok(b.accept(sealed(good)).ok);
  for (const bad of [
    null,
    7,
    { ...good, number: -1 },
    { ...good, number: 2, heard: ['b1'] },
    { ...good, number: 2, words: [{ type: 'ask', claim: 'VI_1', number: 'x', priority: 100 }] },
    {
      ...good,
      number: 2,
      words: [{ type: 'answer', claim: 'VI_1', number: 1, answer: { type: 'refused' } }],
    },
    { ...good, number: 2, words: [{ type: 'shout' }] },
    { ...good, number: 2, life: 'x'.repeat(300) },
  ]) {
    assert.equal(b.accept(sealed(bad)), { ok: false, reason: 'not a heartbeat' }, JSON.stringify(bad));
  }
});

test.run();
