import * as assert from 'uvu/assert';
import { ip } from '../../../../src/core/ip.ts';
import { Relay } from '../../../../src/core/sync/relay/relay.ts';
import { after, instant, seconds } from '../../../../src/core/time.ts';
import { suite } from '../../../suite.ts';
import { keysOfLines, OLD } from './keys.ts';

const test = suite('relay of connection sync');

const [A, B, C, THIRD] = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.66'].map(ip) as [
  ReturnType<typeof ip>,
  ReturnType<typeof ip>,
  ReturnType<typeof ip>,
  ReturnType<typeof ip>,
];
const NOW = instant(1e6);
const PAYLOAD = Uint8Array.of(1, 2, 3);
const KEYS = keysOfLines(OLD);
const all = [A, B, C];

/** A director among three, and all of them acquainted. */
function three(): Map<string, Relay> {
  const relays = new Map(
    all.map((local) => {
      const peers = all.filter((each) => each !== local).map((address) => ({ address, port: 5408 }));
      return [local as string, new Relay({ keyFile: '', local, port: 5408, peers }, KEYS)];
    }),
  );
  const wire = all.flatMap((from) =>
    (relays.get(from)?.greetings() ?? []).map(({ address, datagram }) => ({ from, to: address, datagram })),
  );
  for (let next = wire.shift(); next !== undefined; next = wire.shift()) {
    const { from, to, datagram } = next;
    const taken = relays.get(to)?.take(from, datagram, NOW);
    if (taken?.type === 'greeted' && taken.answer !== undefined)
      wire.push({ from: to, to: from, datagram: taken.answer });
  }
  return relays;
}

test('a datagram of the kernel goes to every peer, each its own', () => {
  const relays = three();
  const sent = relays.get(A)?.send(5, PAYLOAD) ?? [];
  assert.equal(
    sent.map(({ address, port }) => [address, port]),
    [
      [B, 5408],
      [C, 5408],
    ],
  );
  for (const { address, datagram } of sent) {
    const taken = relays.get(address)?.take(A, datagram, NOW);
    assert.ok(taken?.type === 'payload');
    assert.equal([taken.thread, [...taken.payload]], [5, [...PAYLOAD]]);
    const other = address === B ? C : B;
    assert.is(relays.get(other)?.take(A, datagram, NOW).type, 'rejected');
  }
});

test('what is rejected is counted by peer and reason, and told once a minute', () => {
  const b = three().get(B);
  assert.ok(b);
  assert.is(b.complaint(NOW), undefined);
  for (const from of [THIRD, THIRD, A]) b.take(from, PAYLOAD, NOW);
  assert.is(
    b.complaint(NOW),
    'datagrams of connection sync: 2 not taken: unknown sender; 1 of 192.0.2.1 not taken: malformed',
  );
  b.take(THIRD, PAYLOAD, NOW);
  assert.is(b.complaint(after(NOW, seconds(59))), undefined);
  assert.match(b.complaint(after(NOW, seconds(60))) ?? '', /: 1 not taken: unknown sender$/);
  const { strangers, peers } = b.facts(NOW);
  assert.equal([strangers, peers.map(({ rejected }) => rejected)], [3, [{ malformed: 1 }, {}]]);
});

test('what the system does not send, or the kernel does not get, is told too', () => {
  const a = three().get(A);
  for (let i = 0; i < 3; i++) a?.unsent(B, 'ENETUNREACH');
  a?.undelivered('ENOBUFS');
  assert.is(
    a?.complaint(NOW),
    'datagrams of connection sync: 3 for 192.0.2.2 not sent: ENETUNREACH; 1 not given to the kernel: ENOBUFS',
  );
  assert.equal(
    a?.facts(NOW).peers.map(({ unsent }) => unsent),
    [3, 0],
  );
});

test('a peer that is silent for five seconds is not connected', () => {
  const a = three().get(A);
  const connected = (s: number): boolean[] | undefined =>
    a?.facts(after(NOW, seconds(s))).peers.map((peer) => peer.connected);
  assert.equal(connected(4.9), [true, true]);
  assert.equal(connected(5), [false, false]);
});

test.run();
