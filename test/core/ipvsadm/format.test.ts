import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { parseArguments } from '../../../src/core/ipvsadm/args.ts';
import type { ListedService, View } from '../../../src/core/ipvsadm/command.ts';
import { connectionsText, parseConnections } from '../../../src/core/ipvsadm/connections.ts';
import { NUMERIC } from '../../../src/core/ipvsadm/endpoint.ts';
import { errorText, startErrorText } from '../../../src/core/ipvsadm/errors.ts';
import { bannerText, listingText } from '../../../src/core/ipvsadm/format.ts';
import { sortDestinations } from '../../../src/core/ipvsadm/order.ts';
import { saveText } from '../../../src/core/ipvsadm/save.ts';
import { daemonsText, timeoutsText } from '../../../src/core/ipvsadm/state.ts';
import type { IpvsOperation } from '../../../src/core/netlink/ipvs.ts';
import type { IpvsStats } from '../../../src/core/netlink/ipvs-reply.ts';
import { suite } from '../../suite.ts';
import { capturedLines, NAMES, shellWords } from './captured.ts';

const format = suite('lvsadm: listings');

const STILL: IpvsStats = {
  connections: 0n,
  inPackets: 0n,
  outPackets: 0n,
  inBytes: 0n,
  outBytes: 0n,
  connectionRate: 0n,
  inPacketRate: 0n,
  outPacketRate: 0n,
  inByteRate: 0n,
  outByteRate: 0n,
};
const BANNER = bannerText({ version: 0x010201, tableSize: 4096 });
const PLAIN: View = { layout: 'plain', numeric: true, exact: false, sorted: true, json: false };

function operationOf(line: string): IpvsOperation {
  const parsed = parseArguments(shellWords(line).slice(1), NAMES, 'ipvsadm');
  assert.ok(parsed.kind === 'command' && parsed.command.kind === 'change', line);
  return parsed.command.operation;
}

/** The table that the command lines make, newest first, as the kernel dumps it. */
function tableOf(lines: readonly string[]): ListedService[] {
  const table: ListedService[] = [];
  for (const operation of lines.map(operationOf)) {
    if (operation.op === 'add-service') {
      table.unshift({ service: { ...operation.service, stats: STILL }, destinations: [] });
    } else if (operation.op === 'add-destination') {
      const key = JSON.stringify(operation.service);
      const at = table.findIndex(({ service }) => JSON.stringify(service.key) === key);
      const { service, destinations } = table[at] as ListedService;
      const shown = { ...operation.destination, active: 0, inactive: 0, persistent: 0, stats: STILL };
      table[at] = { service, destinations: [shown, ...destinations] };
    }
  }
  return table;
}

function printed(table: readonly ListedService[], line: string): string {
  const parsed = parseArguments(shellWords(line).slice(2), NAMES, 'ipvsadm');
  assert.is(parsed.kind, 'command', line);
  if (parsed.kind !== 'command') return '';
  if (parsed.command.kind === 'save') return saveText(table, NUMERIC);
  return parsed.command.kind === 'list' ? BANNER + listingText(table, parsed.command.view, NUMERIC) : '';
}

const CAPTURED = capturedLines('tables.txt');
const STARTS = CAPTURED.flatMap((line, index) => (line.startsWith('$') ? [index] : []));
const TABLE = tableOf(CAPTURED.slice(0, STARTS[0]));

for (const [n, start] of STARTS.entries()) {
  const line = CAPTURED[start] ?? '';
  format(`${line}, as captured`, () => {
    const expected = CAPTURED.slice(start + 1, STARTS[n + 1] ?? CAPTURED.length);
    assert.is(printed(TABLE, line), `${expected.join('\n')}\n`);
  });
}

const ONE = tableOf([
  'ipvsadm -A -u 192.168.100.1:5060 -s rr -p 60 --pe sip',
  'ipvsadm -a -u 192.168.100.1:5060 -r 10.0.0.3 -m',
]);

/** The one service with these counters, on itself and its server. */
const counted = (stats: Partial<IpvsStats>): ListedService[] =>
  ONE.map(({ service, destinations }) => ({
    service: { ...service, stats: { ...STILL, ...stats } },
    destinations: destinations.map((destination) => ({ ...destination, stats: { ...STILL, ...stats } })),
  }));

format('counters', () => {
  const table = counted({ connections: 1n, inPackets: 5n, outPackets: 5n, inBytes: 770n, outBytes: 780n });
  assert.is(
    listingText(table, { ...PLAIN, layout: 'stats' }, NUMERIC),
    'Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n' +
      '  -> RemoteAddress:Port\n' +
      'UDP  192.168.100.1:5060                  1        5        5      770      780\n' +
      '  -> 10.0.0.3:5060                       1        5        5      770      780\n',
  );
});

format('rates', () => {
  assert.is(
    listingText(counted({ inByteRate: 72n, outByteRate: 73n }), { ...PLAIN, layout: 'rate' }, NUMERIC),
    'Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n' +
      '  -> RemoteAddress:Port\n' +
      'UDP  192.168.100.1:5060                  0        0        0       72       73\n' +
      '  -> 10.0.0.3:5060                       0        0        0       72       73\n',
  );
});

format('large counters are scaled, exact ones are not', () => {
  const stats = {
    connections: 99_999_999n,
    inPackets: 999_999_999n,
    outPackets: 99_999_999_999n,
    inBytes: 99_999_999_999_999n,
    outBytes: 18_446_744_073_709_551_615n,
  };
  const line = (exact: boolean): string | undefined =>
    listingText(counted(stats), { ...PLAIN, layout: 'stats', exact }, NUMERIC).split('\n')[3];
  assert.is(line(false), '  -> 10.0.0.3:5060                99999999  999999K   99999M   99999G 18446744T');
  assert.is(
    line(true),
    '  -> 10.0.0.3:5060                99999999 999999999 99999999999 99999999999999 18446744073709551615',
  );
});

format('names instead of numbers, cut where the columns end', () => {
  const names = {
    host: () => 'a-very-long-host-name-of-a-virtual-service.example.org',
    service: (_: number, protocol: string) => (protocol === 'udp' ? 'sip' : undefined),
  };
  const [, , service = '', server = ''] = listingText(ONE, { ...PLAIN, numeric: false }, names).split('\n');
  assert.is(service, 'UDP  a-very-long-host-name-of-a-v rr persistent 60 pe sip');
  assert.is(server, '  -> a-very-long-host-name-of-a-v Masq    1      0          0         ');
  assert.is(
    saveText(ONE, names).split('\n')[0],
    '-A -u a-very-long-host-name-of-a-virtual-service.example.org:sip -s rr -p 60 --pe sip',
  );
});

format('what -S prints makes the same table again', () => {
  const saved = saveText(TABLE, NUMERIC).trimEnd().split('\n');
  assert.is(saveText(tableOf(saved.map((line) => `ipvsadm ${line}`)), NUMERIC), saveText(TABLE, NUMERIC));
});

format('a mark above 2^31 is saved as the number that it is', () => {
  const table = tableOf(['ipvsadm -A -f 4294967295']);
  assert.is(saveText(table, NUMERIC), '-A -f 4294967295 -s wlc\n');
});

format('servers are sorted by the sign of 32-bit differences, and none is lost', () => {
  const order = (...addresses: string[]): string[] =>
    sortDestinations(addresses.map((text) => ({ address: ip(text), port: 80 }))).map(
      ({ address }) => address,
    );
  assert.equal(order('10.0.0.1', '192.168.0.1', '10.0.0.0'), ['192.168.0.1', '10.0.0.0', '10.0.0.1']);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.ipV4(), fc.nat(65535))), (endpoints) => {
      const destinations = endpoints.map(([address, port]) => ({ address: ip(address), port }));
      assert.is(new Set(sortDestinations(destinations)).size, destinations.length);
    }),
  );
});

format('connections', () => {
  const rows = parseConnections(
    'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n' +
      'TCP 0A010002 9DFB C0A86401 01BB 0A000003 01BB TIME_WAIT       106\n' +
      'TCP 2001:0db8:0002:0000:0000:0000:0000:0002 9C90 2001:0db8:0000:0000:0000:0000:0000:0001 0050 ' +
      '2001:0db8:0001:0000:0000:0000:0000:0003 1F90 TIME_WAIT        99\n' +
      'IP  0A010000 0000 00000007 0000 0A000003 0000 NONE             85\n' +
      'UDP 0A010002 0000 C0A86401 13C4 0A000003 13C4 ASSURED        6000 sip 843817637684230@998sdasdh09\n' +
      'half a row\n',
  );
  const title =
    'IPVS connection entries\npro expire state       source             virtual            destination';
  const common =
    'TCP 01:46  TIME_WAIT   10.1.0.2:40443     192.168.100.1:443  10.0.0.3:443\n' +
    'TCP 01:39  TIME_WAIT   [2001:db8:2::2]:40080 [2001:db8::1]:80   [2001:db8:1::3]:8080\n' +
    'IP  01:25  NONE        10.1.0.0:0         0.0.0.7:0          10.0.0.3:0\n';
  const start = 'UDP 100:00 ASSURED     10.1.0.2:0         192.168.100.1:5060 10.0.0.3:5060';
  assert.is(connectionsText(rows, false, NUMERIC), `${title}\n${common}${start}\n`);
  assert.is(
    connectionsText(rows, true, NUMERIC),
    `${title}        pe name          pe_data\n` +
      `${common}${start}    sip                843817637684230@998sdasdh09\n`,
  );
});

format('daemons and timeouts', () => {
  const master = {
    state: 1,
    interface: 'd0',
    syncId: 10,
    maxLength: 1472,
    group: ip('224.0.0.81'),
    port: 8848,
    ttl: 1,
  };
  const backup = { ...master, state: 2, syncId: 11, group: ip('ff02::51') };
  assert.is(
    daemonsText([backup, master]),
    'master sync daemon (mcast=d0, syncid=10, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n' +
      'backup sync daemon (mcast=d0, syncid=11, maxlen=1472, group=ff02::51, port=8848, ttl=1)\n',
  );
  assert.is(daemonsText([]), '');
  assert.is(timeoutsText({ tcp: 900, tcpFin: 120, udp: 300 }), 'Timeout (tcp tcpfin udp): 900 120 300\n');
});

format('errors of the kernel', () => {
  assert.is(errorText('add-service', 17), 'Service already exists');
  assert.is(errorText('add-destination', 17), 'Destination already exists');
  assert.is(errorText('edit-destination', 2), 'No such destination');
  assert.is(errorText('edit-service', 2), 'Scheduler or persistence engine not found');
  assert.is(errorText('stop-daemon', 3), 'No daemon is running');
  assert.is(errorText('start-daemon', 19), 'No such device');
  assert.is(errorText('add-destination', 34), 'Numerical result out of range');
  assert.is(
    startErrorText(92),
    "Can't initialize ipvs: Protocol not available\n" +
      'Are you sure that IP Virtual Server is built in the kernel or as module?',
  );
});

format.run();
