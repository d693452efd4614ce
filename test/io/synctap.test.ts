import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import { ip as address, familyOf, type Ip } from '../../src/core/ip.ts';
import type { SyncTarget } from '../../src/core/sync/tap.ts';
import { IPPROTO_IPV6, IPV6 } from '../../src/io/inet.ts';
import { sendMulticastBy } from '../../src/io/membership.ts';
import { AF, sockaddrIp } from '../../src/io/sockaddr.ts';
import { SOCK, Socket } from '../../src/io/socket.ts';
import { SyncTap } from '../../src/io/synctap.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ifindexOf, ip } from './namespace.ts';

enterNamespace();

const GROUP = address('224.0.0.81');
const GROUP6 = address('ff02::51');
const OURS = address('10.9.0.1');
const LINK_LOCAL = address('fe80::1');

const tap = suite('sync tap');
let left: number;
tap.before(() => {
  ip('link add left type veth peer name right');
  for (const end of ['left', 'right']) ip(`link set ${end} up`);
  ip(`addr add ${OURS}/24 dev left`);
  ip(`addr add ${LINK_LOCAL}/64 dev left nodad`);
  left = ifindexOf('left');
});

function send(group: Ip, port: number, payload: Uint8Array): void {
  const isIpv4 = familyOf(group) === 4;
  const socket = new Socket(isIpv4 ? AF.INET : AF.INET6, SOCK.DGRAM, 0, 'sender');
  if (isIpv4) sendMulticastBy(socket, left);
  else socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_IF, left);
  socket.bind(sockaddrIp(isIpv4 ? OURS : LINK_LOCAL, 0, left));
  socket.send(payload, sockaddrIp(group, port, left));
  socket.close();
}

/** What the tap on an end of the cable hears until a datagram with the byte 0xee comes. */
async function heard(device: string, target: SyncTarget, act: () => void): Promise<string[]> {
  const lines: string[] = [];
  const listener = new SyncTap({ name: device, ifindex: ifindexOf(device) }, target);
  listener.listen({
    datagram: ({ source, port, payload, isFragment }, isOwn) => {
      const words = [
        isOwn ? 'out' : 'in',
        source,
        port,
        toHex(payload).slice(0, 8),
        ...(isFragment ? ['cut'] : []),
      ];
      lines.push(words.join(' '));
    },
    error: assert.unreachable,
  });
  try {
    act();
    send(target.group, target.port, Uint8Array.of(0xee));
    await eventually(() => lines.some((line) => line.endsWith('ee')) || undefined, 'the last datagram');
  } finally {
    listener.close();
  }
  return lines;
}

for (const [group, source] of [
  [GROUP, OURS],
  [GROUP6, LINK_LOCAL],
] as const) {
  tap(`datagrams to ${group} are heard on both ends, and nothing else is`, async () => {
    const target = { group, port: 8848, ports: 2 };
    const other = familyOf(group) === 4 ? address('224.0.0.82') : address('ff02::52');
    const act = (): void => {
      send(group, 8847, Uint8Array.of(1));
      send(group, 8848, Uint8Array.of(2));
      send(group, 8849, Uint8Array.of(3));
      send(group, 8850, Uint8Array.of(4));
      send(other, 8848, Uint8Array.of(5));
      send(familyOf(group) === 4 ? GROUP6 : GROUP, 8848, Uint8Array.of(6));
    };
    for (const [end, way] of [
      ['left', 'out'],
      ['right', 'in'],
    ] as const) {
      const expected = [`${way} ${source} 8848 02`, `${way} ${source} 8849 03`, `${way} ${source} 8848 ee`];
      assert.equal(await heard(end, target, act), expected);
    }
  });
}

tap('of a datagram in fragments the first is heard, and said to be cut', async () => {
  const lines = await heard('right', { group: GROUP, port: 8848, ports: 1 }, () => {
    send(GROUP, 8848, new Uint8Array(3000).fill(0xab));
  });
  assert.equal(lines, [`in ${OURS} 8848 abababab cut`, `in ${OURS} 8848 ee`]);
});

tap('the group is joined while it listens', () => {
  const memberships = (): string => ip('maddress show dev right');
  assert.not.ok(memberships().includes(GROUP));
  const listener = new SyncTap(
    { name: 'right', ifindex: ifindexOf('right') },
    { group: GROUP, port: 8848, ports: 1 },
  );
  assert.ok(memberships().includes(GROUP));
  listener.close();
  assert.not.ok(memberships().includes(GROUP));
});

tap.run();
