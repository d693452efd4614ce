import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../../src/core/bytes.ts';
import { ip, ipFromBytes } from '../../../src/core/ip.ts';
import { decodeFamily, getFamily } from '../../../src/core/netlink/genl.ts';
import {
  DAEMON_STATE,
  describeOperation,
  type IpvsDaemon,
  type IpvsDestination,
  type IpvsOperation,
  type IpvsService,
  type IpvsServiceKey,
  METHOD,
} from '../../../src/core/netlink/ipvs.ts';
import {
  decodeDaemon,
  decodeDestination,
  decodeInfo,
  decodeService,
  decodeTimeouts,
} from '../../../src/core/netlink/ipvs-reply.ts';
import {
  dumpDestinations,
  dumpServices,
  encodeOperation,
  getInfo,
  getService,
} from '../../../src/core/netlink/ipvs-request.ts';
import { encodeBatch, type Message, type Request, splitDatagram } from '../../../src/core/netlink/message.ts';
import { suite } from '../../suite.ts';

/** Expected bytes were captured from ipvsadm 1.31 and Linux 6.1 (family 0x1c). */
const ipvs = suite('netlink ipvs');

const FAMILY = 0x1c;
const hex = (text: string): string => toHex(fromHex(text));
const body = (operation: IpvsOperation): string => toHex(encodeOperation(FAMILY, operation).body);
const message = (text: string): Message => ({
  type: FAMILY,
  flags: 2,
  sequence: 1,
  port: 1,
  body: fromHex(text),
});
/** The request as if the kernel answered with the same command and attributes. */
const echoed = (request: Request): Message => message(toHex(request.body));

/** A nest as the kernel writes it: without the mark. */
function nest(type: number, content: string): string {
  const data = fromHex(content);
  return toHex(Uint8Array.of((data.length + 4) & 0xff, (data.length + 4) >> 8, type, 0, ...data));
}
/** Records with the usual prototype, or they would not equal ours. */
const PLAIN = { noNullPrototype: true } as const;

const WEB: IpvsServiceKey = { family: 4, protocol: 6, address: ip('192.168.100.1'), port: 80 };
const service: IpvsService = { key: WEB, scheduler: 'wrr', flags: 0, timeout: 0, prefixLength: 32 };
const IDENTITY = `06000100 02000000 06000200 06000000
  14000300 c0a86401 00000000 00000000 00000000 06000400 00500000`;

ipvs('find the family', () => {
  const [request] = splitDatagram(encodeBatch([getFamily('IPVS')], 1)).messages;
  assert.is(toHex(request?.body ?? fromHex('')), hex('03010000 09000200 49505653 00000000'));
  const reply = message('01020000 09000200 49505653 00000000 06000100 1c000000 08000300 01000000');
  assert.equal(decodeFamily({ ...reply, type: 0x10 }), { id: 0x1c, name: 'IPVS' });
  assert.is(decodeFamily(reply), undefined);
});

ipvs('add a service', () => {
  assert.is(
    body({ op: 'add-service', service }),
    hex(`01010000 54000180 ${IDENTITY} 08000600 77727200 0c000700 00000000 ffffffff
      08000800 00000000 08000900 ffffffff`),
  );
});

ipvs('a persistent service with the scheduler\u2019s flags, one of IPv6, a fwmark', () => {
  const sticky = { ...service, scheduler: 'sh', flags: 0x19, timeout: 600, prefixLength: 24 };
  assert.ok(
    body({ op: 'add-service', service: sticky }).endsWith(
      hex('07000600 73680000 0c000700 19000000 ffffffff 08000800 58020000 08000900 ffffff00'),
    ),
  );
  const key: IpvsServiceKey = { family: 6, protocol: 6, address: ip('2001:db8::1'), port: 443 };
  const v6 = body({ op: 'edit-service', service: { ...service, key, prefixLength: 128 } });
  assert.ok(v6.startsWith(hex('02010000 54000180 06000100 0a000000')));
  assert.ok(v6.endsWith(hex('08000900 80000000')));
  const marked = { ...service, key: { family: 4, fwmark: 17 } as const, scheduler: 'wlc' };
  assert.is(
    body({ op: 'add-service', service: marked }),
    hex(`01010000 38000180 06000100 02000000 08000500 11000000 08000600 776c6300
      0c000700 00000000 ffffffff 08000800 00000000 08000900 ffffffff`),
  );
  const sip = body({ op: 'add-service', service: { ...service, scheduler: 'rr', engine: 'sip', flags: 5 } });
  assert.ok(sip.includes(hex('07000600 72720000 08000b00 73697000 0c000700 05000000')));
});

ipvs('the flag that only the kernel sets is not sent back to it', () => {
  const shown = body({ op: 'edit-service', service: { ...service, flags: 3 } });
  assert.ok(shown.includes(hex('0c000700 01000000 ffffffff')));
});

ipvs('destinations', () => {
  const real = { address: ip('10.0.0.11'), port: 8080, method: 0, weight: 10, upper: 1000, lower: 800 };
  assert.is(
    body({ op: 'add-destination', service: WEB, destination: real }),
    hex(`05010000 30000180 ${IDENTITY} 48000280 06000b00 02000000
      14000100 0a00000b 00000000 00000000 00000000 06000200 1f900000
      08000300 00000000 08000400 0a000000 08000500 e8030000 08000600 20030000`),
  );
  const tunnel = { type: 1, port: 6080, flags: 2 };
  const gue = body({
    op: 'edit-destination',
    service: WEB,
    destination: { ...real, method: METHOD.tunnel, tunnel },
  });
  assert.ok(gue.includes(hex('08000300 02000000 08000400 0a000000 05000d00 01000000 06000e00 17c00000')));
  assert.ok(gue.includes(hex('06000f00 02000000')));
  assert.is(
    body({ op: 'delete-destination', service: WEB, destination: real }),
    hex(`07010000 30000180 ${IDENTITY} 28000280 06000b00 02000000
      14000100 0a00000b 00000000 00000000 00000000 06000200 1f900000`),
  );
});

ipvs('sync daemons, timeouts, zero and flush', () => {
  const master: IpvsDaemon = { state: DAEMON_STATE.master, interface: 'd0', syncId: 10 };
  assert.is(
    body({ op: 'start-daemon', daemon: master }),
    hex('09010000 1c000380 08000100 01000000 07000200 64300000 08000300 0a000000'),
  );
  const options = { maxLength: 1400, port: 8850, ttl: 3, group: ip('224.0.0.82') };
  assert.ok(
    body({ op: 'start-daemon', daemon: { ...master, state: 2, ...options } }).endsWith(
      hex('06000400 78050000 06000700 92220000 05000800 03000000 08000500 e0000052'),
    ),
  );
  assert.ok(
    body({ op: 'start-daemon', daemon: { ...master, group: ip('ff02::51') } }).endsWith(
      hex('14000600 ff020000 00000000 00000000 00000051'),
    ),
  );
  assert.is(body({ op: 'stop-daemon', state: 1 }), hex('0a010000 0c000380 08000100 01000000'));
  assert.is(
    body({ op: 'set-timeouts', timeouts: { tcp: 900, tcpFin: 120, udp: 300 } }),
    hex('0c010000 08000400 84030000 08000500 78000000 08000600 2c010000'),
  );
  assert.is(body({ op: 'set-timeouts', timeouts: { udp: 5 } }), hex('0c010000 08000600 05000000'));
  assert.is(body({ op: 'zero-all' }), hex('10010000'));
  assert.is(body({ op: 'flush' }), hex('11010000'));
});

ipvs('questions', () => {
  assert.is(toHex(dumpServices(FAMILY).body), hex('04010000'));
  assert.is(toHex(getInfo(FAMILY).body), hex('0f010000'));
  assert.is(toHex(dumpDestinations(FAMILY, WEB).body), hex(`08010000 30000180 ${IDENTITY}`));
  assert.is(toHex(getService(FAMILY, WEB).body), hex(`04010000 30000180 ${IDENTITY}`));
});

ipvs('operations in words', () => {
  const destination = { address: ip('2001:db8::5'), port: 80 };
  assert.is(
    describeOperation({ op: 'delete-destination', service: WEB, destination }),
    'delete destination [2001:db8::5]:80 of tcp 192.168.100.1:80',
  );
  assert.is(
    describeOperation({
      op: 'edit-destination',
      service: WEB,
      destination: { ...destination, method: 0, weight: 7, upper: 0, lower: 0 },
    }),
    'edit destination [2001:db8::5]:80 weight 7 of tcp 192.168.100.1:80',
  );
  assert.is(describeOperation({ op: 'zero-all' }), 'zero all');
});

ipvs('a service as the kernel shows it, statistics with padding', () => {
  const wide = (n: number): string => `${n.toString(16).padStart(2, '0')}000000 00000000`;
  const stats64 = Array.from(
    { length: 10 },
    (_, i) => `0c00${(i + 1).toString(16).padStart(2, '0')}00 ${wide(i + 1)}`,
  );
  const attributes = `06000100 02000000 06000200 11000000
    14000300 c0a86401 00000000 00000000 00000000 06000400 13c40000
    07000600 72720000 08000b00 73697000 0c000700 07000000 ffffffff 08000800 3c000000 08000900 ffffff00`;
  const stats = nest(12, `04000b00 ${stats64.join('04000b00')}`);
  const shown = decodeService(message(`01010000 ${nest(1, attributes + stats)}`));
  assert.equal(shown, {
    key: { family: 4, protocol: 17, address: '192.168.100.1', port: 5060 },
    scheduler: 'rr',
    flags: 7,
    timeout: 60,
    prefixLength: 24,
    engine: 'sip',
    stats: {
      connections: 1n,
      inPackets: 2n,
      outPackets: 3n,
      inBytes: 4n,
      outBytes: 5n,
      connectionRate: 6n,
      inPacketRate: 7n,
      outPacketRate: 8n,
      inByteRate: 9n,
      outByteRate: 10n,
    },
  });
});

const GUE_DESTINATION = `14000100 0a00000d 00000000 00000000 00000000 06000200 00500000 08000300 02000000
  08000400 01000000 05000d00 01000000 06000e00 17c00000 06000f00 02000000 08000500 00000000 08000600 00000000
  08000700 07000000 08000800 08000000 08000900 09000000`;

ipvs('a destination as the kernel shows it, 32-bit statistics', () => {
  const stats = nest(10, '08000100 05000000 0c000400 10000000 00000000 04000b00 08000a00 06000000');
  const attributes = `${GUE_DESTINATION} 06000b00 02000000 ${stats}`;
  const shown = decodeDestination(message(`05010000 ${nest(2, attributes)}`), 6);
  assert.is(shown?.address, '10.0.0.13');
  assert.equal(shown?.tunnel, { type: 1, port: 6080, flags: 2 });
  assert.equal([shown?.active, shown?.inactive, shown?.persistent], [7, 8, 9]);
  assert.equal([shown?.stats.connections, shown?.stats.inBytes, shown?.stats.outByteRate], [5n, 16n, 6n]);
  // Without its own family the destination is of the service's.
  const old = decodeDestination(message(`05010000 ${nest(2, GUE_DESTINATION)}`), 4);
  assert.is(old?.address, '10.0.0.13');
});

ipvs('daemon, timeouts and version', () => {
  assert.equal(
    decodeDaemon(
      message(`09010000 3c000300 08000100 01000000 07000200 64300000 08000300 0a000000
        06000400 c0050000 06000700 90220000 05000800 01000000 08000500 e0000051`),
    ),
    { state: 1, interface: 'd0', syncId: 10, maxLength: 1472, group: '224.0.0.81', port: 8848, ttl: 1 },
  );
  assert.equal(decodeTimeouts(message('0c010000 08000400 84030000 08000500 78000000 08000600 2c010000')), {
    tcp: 900,
    tcpFin: 120,
    udp: 300,
  });
  assert.equal(decodeInfo(message('0e010000 08000100 01020100 08000200 00100000')), {
    version: 0x10201,
    tableSize: 4096,
  });
});

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
const port = fc.nat(0xffff);
const word = fc.nat(0x7fffffff);
const keys: fc.Arbitrary<IpvsServiceKey> = fc.oneof(
  fc.record(
    { family: fc.constant(4 as const), protocol: fc.constantFrom(6, 17, 132), address: v4, port },
    PLAIN,
  ),
  fc.record(
    { family: fc.constant(6 as const), protocol: fc.constantFrom(6, 17, 132), address: v6, port },
    PLAIN,
  ),
  fc.record(
    {
      family: fc.constantFrom(4 as const, 6 as const),
      fwmark: fc.integer({ min: 1, max: 0xffffffff }),
    },
    PLAIN,
  ),
);

ipvs('a service that is written is read back', () => {
  const rest = fc.record({
    scheduler: fc.constantFrom('rr', 'wlc', 'none', 'lblcr'),
    flags: fc.constantFrom(0, 1, 4, 5, 0x19, 0x39),
    timeout: word,
    length: fc.nat(128),
    engine: fc.option(fc.constant('sip'), { nil: undefined }),
  });
  fc.assert(
    fc.property(keys, rest, (key, { length, engine, ...fields }) => {
      const prefixLength = key.family === 4 ? length % 33 : Math.max(1, length);
      const wanted: IpvsService = { key, ...fields, prefixLength, ...(engine !== undefined && { engine }) };
      const shown = decodeService(echoed(encodeOperation(FAMILY, { op: 'add-service', service: wanted })));
      if (shown === undefined) throw new RangeError('not decoded');
      const { stats, ...read } = shown;
      assert.equal(read, wanted);
      assert.is(stats.inBytes, 0n);
    }),
  );
});

ipvs('a destination that is written is read back', () => {
  const tunnels = fc.record({ type: fc.nat(2), port, flags: fc.nat(2) }, PLAIN);
  const fields = fc.record({ port, weight: word, upper: word, lower: word, method: fc.nat(4) }, PLAIN);
  fc.assert(
    fc.property(keys, fc.oneof(v4, v6), fields, tunnels, (key, address, rest, tunnel) => {
      const wanted: IpvsDestination = {
        address,
        ...rest,
        ...(rest.method === METHOD.tunnel && { tunnel }),
      };
      const request = encodeOperation(FAMILY, { op: 'add-destination', service: key, destination: wanted });
      const shown = decodeDestination(echoed(request), key.family);
      if (shown === undefined) throw new RangeError('not decoded');
      const { stats, active, inactive, persistent, ...read } = shown;
      assert.equal(read, wanted);
      assert.equal([stats.inBytes, active, inactive, persistent], [0n, 0, 0, 0]);
    }),
  );
});

ipvs('decoding answers is total', () => {
  const commands = fc.constantFrom(1, 5, 9, 12, 14);
  fc.assert(
    fc.property(commands, fc.uint8Array({ maxLength: 200 }), (command, rest) => {
      for (const text of [
        toHex(rest),
        `01000000${toHex(rest)}`,
        `00010000 c8000${command % 4}00 ${toHex(rest)}`,
      ]) {
        const bytes = fromHex(text);
        bytes[0] = command;
        const found = { type: FAMILY, flags: 0, sequence: 0, port: 0, body: bytes };
        decodeService(found);
        decodeDestination(found, 6);
        decodeDaemon(found);
        decodeTimeouts(found);
        assert.ok((decodeInfo(found)?.version ?? 0) >= 0);
      }
    }),
    { numRuns: 2_000 },
  );
});

ipvs.run();
