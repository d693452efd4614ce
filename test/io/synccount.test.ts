import * as assert from 'uvu/assert';
import { ip as address, familyOf, type Ip } from '../../src/core/ip.ts';
import { encodeMessage } from '../../src/core/sync/message.ts';
import { IPPROTO_IPV6, IPV6 } from '../../src/io/inet.ts';
import { sendMulticastBy } from '../../src/io/membership.ts';
import { AF, sockaddrIp } from '../../src/io/sockaddr.ts';
import { SOCK, Socket } from '../../src/io/socket.ts';
import { SyncCount, syncPorts } from '../../src/io/synccount.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ifindexOf, ip } from './namespace.ts';

enterNamespace();

const PORT = 8848;
const ID = 51;

const test = suite('counts of connection sync');
let [left, right] = [0, 0];
test.before(() => {
  ip('link add left type veth peer name right');
  for (const end of ['left', 'right']) ip(`link set ${end} up`);
  ip('addr add 10.9.0.1/24 dev left');
  ip('addr add fe80::1/64 dev left nodad');
  [left, right] = [ifindexOf('left'), ifindexOf('right')];
});

const message = (syncId: number): Uint8Array => encodeMessage({ version: 1, syncId, connections: [] });

function send(group: Ip, port: number, datagrams: readonly Uint8Array[]): void {
  const isIpv4 = familyOf(group) === 4;
  const socket = new Socket(isIpv4 ? AF.INET : AF.INET6, SOCK.DGRAM, 0, 'sender');
  if (isIpv4) sendMulticastBy(socket, left);
  else socket.setOption(IPPROTO_IPV6, IPV6.MULTICAST_IF, left);
  socket.bind(sockaddrIp(address(isIpv4 ? '10.9.0.1' : 'fe80::1'), 0, left));
  for (const datagram of datagrams) socket.send(datagram, sockaddrIp(group, port, left));
  socket.close();
}

for (const group of [address('224.0.0.81'), address('ff02::51')])
  test(`${group}: sent and heard are counted, those of other syncids are named`, async () => {
    const target = { group, port: PORT, ports: 2 };
    const open = (name: string, ifindex: number): SyncCount => new SyncCount({ name, ifindex }, target, ID);
    const [sender, hearer] = [open('left', left), open('right', right)];
    try {
      const many = 300;
      send(group, PORT, Array(many).fill(message(ID)));
      send(group, PORT + 1, [message(ID)]);
      send(group, PORT, [message(52), Uint8Array.of(1)]);
      send(group, PORT + 2, [message(ID)]);
      await eventually(() => hearer.counts().heard > many || undefined, 'all have come');
      assert.equal(sender.counts(), { sent: many + 1, heard: 0 });
      assert.equal(hearer.counts(), { sent: 0, heard: many + 1 });
      assert.equal(sender.counts(), { sent: many + 1, heard: 0 }, 'a question changes nothing');
      const source = address(familyOf(group) === 4 ? '10.9.0.1' : 'fe80::1');
      assert.equal(hearer.others(), [{ source, syncId: 52 }]);
      assert.equal([hearer.others(), sender.others()], [[], []]);
    } finally {
      for (const each of [sender, hearer]) each.close();
    }
  });

test('the kernel says how many ports it has, or it is one', () => assert.ok(syncPorts() >= 1));

test.run();
