import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { parseConnections } from '../../../src/core/ipvsadm/connections.ts';
import { connectionsJson, daemonsJson, tableJson } from '../../../src/core/ipvsadm/json.ts';
import { suite } from '../../suite.ts';

const json = suite('lvsadm: listings as data');

const COUNTERS = {
  connections: 1n,
  inPackets: 2n,
  outPackets: 3n,
  inBytes: 2n ** 40n,
  outBytes: 5n,
  connectionRate: 6n,
  inPacketRate: 7n,
  outPacketRate: 8n,
  inByteRate: 9n,
  outByteRate: 10n,
};
const totals = { connections: 1, inPackets: 2, outPackets: 3, inBytes: 2 ** 40, outBytes: 5 };
const rates = { connections: 6, inPackets: 7, outPackets: 8, inBytes: 9, outBytes: 10 };

const settings = { scheduler: 'sh', flags: 1 | 4 | 16, timeout: 60, prefixLength: 16, stats: COUNTERS };
const mark = { ...settings, key: { family: 4, fwmark: 17 } } as const;
const key = { family: 6, protocol: 6, address: ip('2001:db8::1'), port: 80 } as const;
const server = {
  address: ip('10.0.0.9'),
  port: 80,
  method: 2,
  weight: 3,
  upper: 9,
  lower: 8,
  tunnel: { type: 1, port: 6080, flags: 2 },
  active: 4,
  inactive: 5,
  persistent: 6,
  stats: COUNTERS,
};
const LISTED = [
  { service: { ...settings, flags: 0, scheduler: 'rr', key }, destinations: [server] },
  { service: mark, destinations: [] },
];

json('a mark and an address, with a tunnel', () => {
  const { version, tableSize, services } = JSON.parse(
    tableJson(LISTED, { version: 0x010201, tableSize: 4096 }, false),
  );
  assert.equal([version, tableSize], ['1.2.1', 4096]);
  assert.equal(services, [
    {
      family: 6,
      fwmark: null,
      protocol: 'tcp',
      address: '2001:db8::1',
      port: 80,
      scheduler: 'rr',
      schedulerFlags: [],
      persistence: null,
      onePacket: false,
      totals,
      rates,
      destinations: [
        {
          family: 4,
          address: '10.0.0.9',
          port: 80,
          method: 'tunnel',
          tunnel: { type: 'gue', port: 6080, checksum: 'remcsum' },
          weight: 3,
          upperThreshold: 9,
          lowerThreshold: 8,
          activeConnections: 4,
          inactiveConnections: 5,
          persistentConnections: 6,
          totals,
          rates,
        },
      ],
    },
    {
      family: 4,
      fwmark: 17,
      protocol: null,
      address: null,
      port: null,
      scheduler: 'sh',
      schedulerFlags: ['sh-port'],
      persistence: { timeout: 60, netmask: '255.255.0.0', engine: null },
      onePacket: true,
      totals,
      rates,
      destinations: [],
    },
  ]);
  assert.not.ok('version' in JSON.parse(tableJson(LISTED, undefined, true)));
});

json('connections and daemons', () => {
  const row = 'TCP 0A00000A 8A5E 0A000064 0050 C0A8010B 0050 ESTABLISHED     899 sip call-1';
  assert.equal(JSON.parse(connectionsJson(parseConnections(`title\n${row}\n`))), {
    connections: [
      {
        protocol: 'tcp',
        client: { address: '10.0.0.10', port: 0x8a5e },
        virtual: { address: '10.0.0.100', port: 80 },
        destination: { address: '192.168.1.11', port: 80 },
        state: 'ESTABLISHED',
        expires: 899,
        engine: { name: 'sip', data: 'call-1' },
      },
    ],
  });
  const daemons = [2, 1].map((state) => ({ state, interface: 'eth0', syncId: state }));
  const shown = JSON.parse(daemonsJson(daemons)).daemons as readonly { readonly role: string }[];
  assert.equal(
    shown.map(({ role }) => role),
    ['master', 'backup'],
  );
});

json.run();
