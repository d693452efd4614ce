import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip } from '../../../../src/core/ip.ts';
import type { RelayKeys } from '../../../../src/core/sync/relay/keys.ts';
import { PARCEL_BYTES } from '../../../../src/core/sync/relay/parcel.ts';
import { RelayPeer, type Taken } from '../../../../src/core/sync/relay/peer.ts';
import { repetitions } from '../../../repetitions.ts';
import { suite } from '../../../suite.ts';
import { keysOfLines, NEW, OLD } from './keys.ts';

const test = suite('peer of the relay');

const [A, B, C] = [ip('192.0.2.1'), ip('192.0.2.2'), ip('192.0.2.3')];
const KEYS = keysOfLines(OLD);
const PAYLOAD = new TextEncoder().encode('a datagram of the kernel');

/** What the director at `own` knows of the one at `peer`, just started. */
const start = (own = A, peer = B, keys: RelayKeys = KEYS): RelayPeer =>
  new RelayPeer(own, peer, keys.nonce(), keys);

/** Says what `datagram` is to the one, who answers the other, until nobody has anything to say. All that was said. */
function say(datagram: Uint8Array, to: RelayPeer, from: RelayPeer): Uint8Array[] {
  const said: Uint8Array[] = [];
  let [next, speaker, hearer]: [Uint8Array | undefined, RelayPeer, RelayPeer] = [datagram, from, to];
  while (next !== undefined) {
    said.push(next);
    assert.ok(said.length < 10, 'they come to an end');
    const taken: Taken = hearer.take(next);
    next = taken.type === 'greeted' ? taken.answer : undefined;
    [speaker, hearer] = [hearer, speaker];
  }
  return said;
}
function acquaint(a: RelayPeer, b: RelayPeer): Uint8Array[] {
  return say(a.greeting(), b, a);
}
const acquainted = (): { a: RelayPeer; b: RelayPeer; said: Uint8Array[] } => {
  const [a, b] = [start(A, B), start(B, A)];
  return { a, b, said: acquaint(a, b) };
};
function sealed(from: RelayPeer, payload = PAYLOAD): Uint8Array {
  const datagram = from.seal(3, payload);
  assert.ok(datagram);
  return datagram;
}
const outcome = (taken: Taken): string =>
  taken.type === 'payload'
    ? `${taken.thread}: ${new TextDecoder().decode(taken.payload)}`
    : taken.type === 'rejected'
      ? taken.reason
      : 'greeted';
const ARRIVED = '3: a datagram of the kernel';

test('two that greet each other are connected, whoever begins, and carry datagrams both ways', () => {
  const { a, b } = acquainted();
  assert.equal([a.connected, b.connected], [true, true]);
  const datagram = sealed(a);
  assert.is(datagram.length, PAYLOAD.length + PARCEL_BYTES);
  assert.is(outcome(b.take(datagram)), ARRIVED);
  assert.is(outcome(a.take(sealed(b))), ARRIVED);
  assert.equal([a.sent, a.received, a.lost], [1, 1, 0]);
});

test('nothing is sealed for one who has not answered', () => {
  const a = start();
  assert.is(a.seal(0, PAYLOAD), undefined);
  assert.is(a.connected, false);
});

test('a datagram that comes again is replayed; one of a sender to itself, or by another, is none', () => {
  const { a, b } = acquainted();
  const datagram = sealed(a);
  assert.is(outcome(b.take(datagram)), ARRIVED);
  assert.is(outcome(b.take(datagram)), 'replayed');
  assert.is(outcome(a.take(datagram)), 'other session');
  const other = start(B, C);
  acquaint(start(C, B), other);
  assert.is(outcome(other.take(sealed(a))), 'other session');
  assert.is(outcome(other.take(a.greeting())), 'malformed', 'a greeting of A, from the address of C');
  assert.is(outcome(a.take(a.greeting())), 'malformed', 'its own');
  assert.is(outcome(b.take(sealed(a))), ARRIVED);
});

test('cut or changed anywhere, neither parcel nor greeting counts', () => {
  const { a, b } = acquainted();
  for (const datagram of [sealed(a), a.greeting()]) {
    for (let length = 0; length < datagram.length; length++) {
      const { type } = b.take(datagram.subarray(0, length));
      assert.is(type, 'rejected', `${length} bytes of ${datagram.length}`);
    }
    for (let at = 0; at < datagram.length * 8; at++) {
      const changed = datagram.slice();
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
      assert.is(b.take(changed).type, 'rejected', `bit ${at}`);
    }
    assert.is(b.take(Uint8Array.of(...datagram, 0)).type, 'rejected', 'longer');
  }
  assert.is(outcome(b.take(sealed(a))), ARRIVED, 'and all that has hurt nothing');
});

test('after a restart of either nothing from before counts, and both are connected again at once', () => {
  const before = acquainted();
  const parcels = [sealed(before.a), sealed(before.a), sealed(before.b)];
  const greetings = [...before.said, before.a.greeting(), before.b.greeting()];
  const replay = (to: RelayPeer, what: string): void => {
    for (const datagram of parcels) assert.is(to.take(datagram).type, 'rejected', what);
    for (const datagram of greetings) {
      const taken = to.take(datagram);
      assert.not.ok(taken.type === 'greeted' && taken.began, what);
    }
  };
  const b = start(B, A);
  replay(b, 'b has just started');
  acquaint(before.a, b);
  replay(b, 'b knows a');
  assert.is(outcome(b.take(sealed(before.a))), ARRIVED);
  const a = start(A, B);
  greetings.push(before.a.greeting());
  parcels.push(sealed(before.a));
  replay(a, 'a has just started');
  // An old greeting that was sent again has been answered wrongly; the next one mends that.
  acquaint(b, a);
  replay(b, 'a has started again');
  assert.is(outcome(b.take(sealed(a))), ARRIVED);
  assert.is(outcome(a.take(sealed(b))), ARRIVED);
});

test('a greeting that was held back brings no life back', () => {
  const [a, b] = [start(A, B), start(B, A)];
  a.take(b.greeting());
  const heldBack = a.greeting();
  const again = start(A, B);
  acquaint(again, b);
  const taken = b.take(heldBack);
  assert.ok(taken.type === 'greeted' && !taken.began);
  assert.is(outcome(b.take(sealed(again))), ARRIVED);
});

test('a key is replaced without a datagram lost: accepted first, then used, then alone', () => {
  const { a, b } = acquainted();
  const works = (step: string): void => {
    assert.is(outcome(b.take(sealed(a))), ARRIVED, step);
    assert.is(outcome(a.take(sealed(b))), ARRIVED, step);
    const { type } = b.take(a.greeting());
    assert.is(type, 'greeted', step);
  };
  const steps: readonly (readonly [RelayPeer, RelayKeys])[] = [
    [a, keysOfLines(OLD, NEW)],
    [b, keysOfLines(OLD, NEW)],
    [a, keysOfLines(NEW, OLD)],
    [b, keysOfLines(NEW, OLD)],
    [a, keysOfLines(NEW)],
    [b, keysOfLines(NEW)],
  ];
  for (const [index, [peer, keys]] of steps.entries()) {
    const under = sealed(a);
    peer.rekey(keys);
    assert.is(outcome(b.take(under)), ARRIVED, `on its way at step ${index + 1}`);
    works(`step ${index + 1}`);
  }
  assert.is(b.lost, 0);
});

test('with another key nobody is known', () => {
  const [a, b] = [start(A, B), start(B, A, keysOfLines(NEW))];
  assert.is(outcome(b.take(a.greeting())), 'wrong key');
  assert.is(outcome(a.take(b.greeting())), 'wrong key');
  const pair = acquainted();
  const datagram = sealed(pair.a);
  pair.b.rekey(keysOfLines(NEW));
  assert.is(outcome(pair.b.take(datagram)), 'other session');
});

test('no nonce is used twice, not even when a key comes back', () => {
  const used = new Set<string>();
  const watched = (keys: RelayKeys): RelayKeys => ({
    ...keys,
    sessions: (context) =>
      keys.sessions(context).map((session) => ({
        ...session,
        seal(number, header, payload) {
          const nonce = `${session.name} ${number}`;
          assert.not.ok(used.has(nonce), nonce);
          used.add(nonce);
          return session.seal(number, header, payload);
        },
      })),
  });
  const [a, b] = [start(A, B, watched(KEYS)), start(B, A)];
  acquaint(a, b);
  for (const keys of [KEYS, keysOfLines(NEW), KEYS]) {
    a.rekey(watched(keys));
    sealed(a);
  }
  acquaint(a, start(B, A));
  sealed(a);
  assert.is(used.size, 4);
});

test('any bytes are rejected', () => {
  const { b } = acquainted();
  const marks = fc.constantFrom('VKP1', 'VKG1', '').map((mark) => new TextEncoder().encode(mark));
  fc.assert(
    fc.property(marks, fc.uint8Array({ maxLength: 200 }), (mark, bytes) => {
      assert.is(b.take(Uint8Array.of(...mark, ...bytes)).type, 'rejected');
    }),
    { numRuns: repetitions(1000) },
  );
});

/** A day on the network between two directors: what is said is lost, doubled, comes late, and from before restarts. */
const EVENTS = [
  'greet a',
  'greet b',
  'send a',
  'send b',
  'restart a',
  'restart b',
  'deliver',
  'again',
] as const;

test('whatever is lost, doubled, late or from before a restart: each payload arrives once at most', () => {
  const event = fc.record({ what: fc.constantFrom(...EVENTS), pick: fc.nat() });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const ends = { a: start(A, B), b: start(B, A) };
      const wire: { to: 'a' | 'b'; datagram: Uint8Array }[] = [];
      const arrived = new Set<string>();
      let number = 0;
      const deliver = ({ to, datagram }: { to: 'a' | 'b'; datagram: Uint8Array }): void => {
        const taken = ends[to].take(datagram);
        if (taken.type === 'payload') {
          const text = outcome(taken);
          assert.not.ok(arrived.has(text), `${text} came twice`);
          arrived.add(text);
        } else if (taken.type === 'greeted' && taken.answer !== undefined) {
          wire.push({ to: to === 'a' ? 'b' : 'a', datagram: taken.answer });
        }
      };
      for (const { what, pick } of events) {
        const [verb, who] = what.split(' ') as [string, 'a' | 'b' | undefined];
        const to = who === 'a' ? 'b' : 'a';
        if (who !== undefined && verb === 'greet') wire.push({ to, datagram: ends[who].greeting() });
        else if (who !== undefined && verb === 'send') {
          const datagram = ends[who].seal(0, new TextEncoder().encode(`${number++}`));
          if (datagram !== undefined) wire.push({ to, datagram });
        } else if (who !== undefined) ends[who] = who === 'a' ? start(A, B) : start(B, A);
        else if (wire.length > 0) {
          const at = pick % wire.length;
          const [picked] = verb === 'deliver' ? wire.splice(at, 1) : [wire[at]];
          if (picked !== undefined) deliver(picked);
        }
      }
      // And in the end they find each other, whatever is still on its way.
      for (let round = 0; round < 3; round++) {
        acquaint(ends.a, ends.b);
        acquaint(ends.b, ends.a);
      }
      assert.is(outcome(ends.b.take(sealed(ends.a))), ARRIVED);
      assert.is(outcome(ends.a.take(sealed(ends.b))), ARRIVED);
    }),
    { numRuns: repetitions(500, 20_000) },
  );
});

test.run();
