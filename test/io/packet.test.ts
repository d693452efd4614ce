import * as assert from 'uvu/assert';
import { fromHex, Reader, toHex, Writer } from '../../src/core/bytes.ts';
import { SystemError } from '../../src/io/errno.ts';
import { FrameSender } from '../../src/io/packet.ts';
import { AF, parseSockaddr, sockaddrPacket } from '../../src/io/sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from '../../src/io/socket.ts';
import { suite } from '../suite.ts';
import { enterNamespace, ifindexOf, ip } from './namespace.ts';

enterNamespace();
const test = suite('Ethernet frames');
const ETH_P_ARP = 0x0806;
let left = 0;
let right = 0;

/** A gratuitous ARP for 10.x.y.z, where x.y.z are the bits of `n`. */
function gratuitousArp(n: number): Uint8Array {
  const mac = fromHex('020000000001');
  const vip = new Writer(4).u32be(0x0a000000 + n).finish();
  const out = new Writer(42).bytes(fromHex('ffffffffffff')).bytes(mac).u16be(ETH_P_ARP);
  out.bytes(fromHex('0001080006040001')).bytes(mac).bytes(vip);
  return out.bytes(fromHex('ffffffffffff')).bytes(vip).finish();
}

test.before(() => {
  ip('link add left type veth peer name right');
  for (const name of ['left', 'right']) ip(`link set ${name} up`);
  left = ifindexOf('left');
  right = ifindexOf('right');
});

function tap(): Socket {
  const socket = new Socket(AF.PACKET, SOCK.RAW, 0, 'tap');
  socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, 64 << 20);
  socket.bind(sockaddrPacket(right, ETH_P_ARP));
  socket.reserve({ data: 128, slots: 64 });
  return socket;
}

test('a gratuitous ARP arrives as it was written, as a broadcast', () => {
  const receiver = tap();
  const sender = new FrameSender();
  const frame = gratuitousArp(0x090067);
  assert.is(sender.send(left, [frame]), 1);
  const [seen, ...more] = receiver.receive();
  assert.is(more.length, 0);
  assert.is(toHex(seen?.data ?? new Uint8Array()), toHex(frame));
  const from = parseSockaddr(seen?.name ?? new Uint8Array());
  assert.equal(from, {
    family: 'packet',
    ifindex: right,
    protocol: ETH_P_ARP,
    hardware: fromHex('020000000001'),
  });
  sender.close();
  receiver.close();
});

test('5,000 gratuitous ARPs go out in one call, in order', () => {
  const receiver = tap();
  const sender = new FrameSender();
  const frames = Array.from({ length: 5000 }, (_, n) => gratuitousArp(n));
  assert.is(sender.send(left, frames), 5000);
  const seen: number[] = [];
  for (let some = receiver.receive(); some.length > 0; some = receiver.receive()) {
    for (const { data } of some) seen.push(new Reader(data, 28).u32be() - 0x0a000000);
  }
  assert.equal(seen, Array.from(frames.keys()));
  sender.close();
  receiver.close();
});

test('an interface that is gone or down is a named error, nothing to send is none', () => {
  const sender = new FrameSender();
  const code = (ifindex: number): string => {
    try {
      sender.send(ifindex, [gratuitousArp(1)]);
    } catch (error) {
      if (error instanceof SystemError) return error.code;
    }
    return 'none';
  };
  assert.is(code(9999), 'ENXIO');
  ip('link set left down');
  assert.is(code(left), 'ENETDOWN');
  assert.is(sender.send(left, []), 0);
  sender.close();
});

test.run();
