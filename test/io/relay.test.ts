import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import { ip as address, type Ip } from '../../src/core/ip.ts';
import { Relay } from '../../src/core/sync/relay/relay.ts';
import { now } from '../../src/io/clock.ts';
import { BadKey } from '../../src/io/keyring.ts';
import { joinGroup, sendMulticastBy } from '../../src/io/membership.ts';
import { readRelayKeys } from '../../src/io/relaykeys.ts';
import { AF, sockaddrIp } from '../../src/io/sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from '../../src/io/socket.ts';
import { SyncEntry } from '../../src/io/syncentry.ts';
import { SyncTap } from '../../src/io/synctap.ts';
import { UnicastSocket } from '../../src/io/unicast.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ifindexOf, ip } from './namespace.ts';

enterNamespace();

const GROUP = address('224.0.0.81');
const PORT = 8848;
const OURS = address('169.254.81.81');

const test = suite('sockets of the relay');
let device: { name: string; ifindex: number };
test.before(() => {
  ip('link add left type veth peer name right');
  for (const end of ['left', 'right']) ip(`link set ${end} up`);
  ip(`addr add ${OURS}/32 dev left`);
  device = { name: 'left', ifindex: ifindexOf('left') };
});

/** Listens as the kernel's backup daemon does: on the group, the port and the device. */
function backup(port: number): { socket: Socket; heard: string[] } {
  const socket = new Socket(AF.INET, SOCK.DGRAM, 0, 'backup');
  socket.setOption(SOL_SOCKET, SO.BINDTODEVICE, new TextEncoder().encode(device.name));
  socket.bind(sockaddrIp(GROUP, port));
  joinGroup(socket, GROUP, device.ifindex);
  socket.reserve({ data: 2048 });
  const heard: string[] = [];
  socket.listen({ datagram: ({ data }) => void heard.push(toHex(data)), error: assert.unreachable });
  return { socket, heard };
}

test('what is given to the kernel comes to who listens on its thread, and does not leave the host', async () => {
  const listeners = [backup(PORT), backup(PORT + 1)];
  const tapped: string[] = [];
  const taps = [device, { name: 'right', ifindex: ifindexOf('right') }].map(
    (end) => new SyncTap(end, { group: GROUP, port: PORT, ports: 64 }, 1 << 20),
  );
  for (const tap of taps)
    tap.listen({ datagram: ({ payload }) => void tapped.push(toHex(payload)), error: assert.unreachable });
  const entry = new SyncEntry(device, GROUP);
  entry.give(PORT, Uint8Array.of(1));
  entry.give(PORT + 1, Uint8Array.of(2));
  entry.give(PORT + 2, Uint8Array.of(3));
  const last = new Socket(AF.INET, SOCK.DGRAM, 0, 'kernel');
  sendMulticastBy(last, device.ifindex);
  last.send(Uint8Array.of(0xee), sockaddrIp(GROUP, PORT));
  await eventually(() => tapped.length >= 2 || undefined, 'both taps hear what the kernel sends');
  await eventually(() => listeners.every(({ heard }) => heard.length > 0) || undefined, 'both threads hear');
  assert.equal(tapped, ['ee', 'ee']);
  assert.equal(
    listeners.map(({ heard }) => heard[0]),
    ['01', '02'],
  );
  for (const each of [...taps, entry, last, ...listeners.map(({ socket }) => socket)]) each.close();
});

const folder = mkdtempSync(join(tmpdir(), 'relay-'));
test.after(() => rmSync(folder, { recursive: true }));
function keyFile(text: string, mode = 0o600): string {
  const path = join(folder, 'key');
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode });
  return path;
}

test('a key file that is exposed, empty, short or missing is refused with what to do', () => {
  for (const [text, mode, why] of [
    ['a key that is long enough', 0o604, /every user can read .*: chmod o=/],
    ['# nothing\n', 0o600, /has no key: openssl rand/],
    ['short', 0o600, /is shorter than 16 bytes: openssl rand/],
  ] as const) {
    assert.throws(
      () => readRelayKeys(keyFile(text, mode)),
      (error: Error) => error instanceof BadKey && why.test(error.message),
    );
  }
  assert.throws(() => readRelayKeys('/nowhere'), /cannot read the key/);
});

test('what is sealed differs by key, context, number and header, and opens only with all of them', () => {
  const contexts = [Uint8Array.of(1), Uint8Array.of(2)] as const;
  const keys = readRelayKeys(keyFile('the first key, long enough\nthe second key, long enough\n'));
  const [first, second] = keys.sessions(contexts[0]);
  const [other] = keys.sessions(contexts[1]);
  assert.ok(first && second && other);
  const [header, payload] = [Uint8Array.of(7), Uint8Array.of(1, 2, 3)];
  const sealed = first.seal(1, header, payload);
  assert.equal([...(first.open(1, header, sealed) ?? [])], [...payload]);
  for (const wrong of [
    second.open(1, header, sealed),
    other.open(1, header, sealed),
    first.open(2, header, sealed),
    first.open(1, Uint8Array.of(8), sealed),
    first.open(1, header, sealed.subarray(1)),
    first.open(1, header, new Uint8Array(3)),
  ])
    assert.is(wrong, undefined);
  const texts = [
    sealed,
    second.seal(1, header, payload),
    other.seal(1, header, payload),
    first.seal(2, header, payload),
  ];
  assert.is(new Set(texts.map(toHex)).size, 4);
  assert.is(new Set([first, second, other].map(({ name }) => toHex(name))).size, 3);
});

interface End {
  readonly relay: Relay;
  readonly socket: UnicastSocket;
  readonly payloads: string[];
}

for (const [local, peer] of [
  ['127.0.0.1', '127.0.0.2'],
  ['::1', 'fd00::2'],
] as const) {
  test(`two relays find each other from ${local} and carry datagrams`, async () => {
    if (peer === 'fd00::2') ip('-6 addr add fd00::2/128 dev lo nodad');
    const path = keyFile('a key that is long enough');
    const end = (own: Ip, other: Ip): End => {
      const settings = { keyFile: path, local: own, port: 5408, peers: [{ address: other, port: 5408 }] };
      const relay = new Relay(settings, readRelayKeys(path));
      const socket = new UnicastSocket(own, 5408, 'relay');
      const payloads: string[] = [];
      socket.listen((from, datagram) => {
        const taken = relay.take(from, datagram, now());
        if (taken.type === 'payload') payloads.push(`${taken.thread} ${toHex(taken.payload)}`);
        if (taken.type === 'greeted' && taken.answer !== undefined) socket.send(taken.answer, from, 5408);
      }, assert.unreachable);
      return { relay, socket, payloads };
    };
    const [a, b] = [end(address(local), address(peer)), end(address(peer), address(local))];
    for (const { address: to, port, datagram } of a.relay.greetings()) a.socket.send(datagram, to, port);
    const both = (): boolean => [a, b].every(({ relay }) => relay.facts(now()).peers[0]?.connected);
    await eventually(() => both() || undefined, 'they are connected');
    for (let i = 0; i < 100; i++) {
      for (const { address: to, port, datagram } of b.relay.send(i % 64, Uint8Array.of(i)))
        b.socket.send(datagram, to, port);
    }
    await eventually(() => a.payloads.length === 100 || undefined, 'all arrive');
    assert.equal(a.payloads.slice(-1), ['35 63']);
    assert.is(a.relay.facts(now()).peers[0]?.lost, 0);
    for (const { socket } of [a, b]) socket.close();
  });
}

test('an address that the host does not have is refused', () => {
  assert.throws(() => new UnicastSocket(address('192.0.2.1'), 5408, 'relay'), /EADDRNOTAVAIL/);
});

test.run();
