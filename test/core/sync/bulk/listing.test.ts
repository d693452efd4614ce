import * as assert from 'uvu/assert';
import { ip } from '../../../../src/core/ip.ts';
import { parseConnections } from '../../../../src/core/ipvsadm/connections.ts';
import { fingerprint } from '../../../../src/core/sync/bulk/fingerprint.ts';
import {
  type Carried,
  identityOf,
  type ListedService,
  ListedTable,
} from '../../../../src/core/sync/bulk/listing.ts';
import { SYNC_FLAG } from '../../../../src/core/sync/connection.ts';
import { encodeMessage } from '../../../../src/core/sync/message.ts';
import { suite } from '../../../suite.ts';

const test = suite('listings as records');

const VIP = ip('10.0.0.100');
const [RS1, RS2] = [ip('192.168.1.11'), ip('192.168.1.12')];
const [MASQUERADE, ROUTE] = [0, 3];
const web: ListedService = {
  protocol: 6,
  address: VIP,
  port: 80,
  timeout: 300,
  destinations: [
    { address: RS1, port: 80, method: MASQUERADE },
    { address: RS2, port: 80, method: ROUTE },
  ],
};
const marked = (fwmark: number, address = RS1): ListedService => ({
  family: 4,
  fwmark,
  timeout: 90,
  destinations: [{ address, port: 0, method: ROUTE }],
});

const TITLE = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n';
const row = (words: string): string => `${words}\n`;
/** The rows as the kernel writes them. */
const carry = (
  rows: readonly string[],
  services: readonly ListedService[] = [web],
  changed: number[] = [],
): Carried => new ListedTable(services, changed).carry(parseConnections(TITLE + rows.map(row).join('')));

const ESTABLISHED = 'TCP 0A00000A 9C40 0A000064 0050 C0A8010B 0050 ESTABLISHED     899';
const NONE = { marks: 0, sequences: 0, left: 0 };

test('an established connection, by its server’s method', () => {
  const { first, later, lacks } = carry([ESTABLISHED, ESTABLISHED.replace('010B', '010C')]);
  assert.equal([later, lacks], [[], NONE]);
  assert.equal(first[0], {
    protocol: 6,
    flags: MASQUERADE,
    state: 1,
    client: { address: '10.0.0.10', port: 40000 },
    virtual: { address: VIP, port: 80 },
    destination: { address: RS1, port: 80 },
    fwmark: 0,
    timeout: 0,
  });
  assert.is(first[1]?.flags, ROUTE | SYNC_FLAG.noOutput);
});

test('templates go first, with the persistence of their service; halves of connections later, and inactive', () => {
  const { first, later } = carry([
    'TCP 0A00000A 0000 0A000064 0050 C0A8010B 0050 ASSURED         80',
    'TCP 0A00000A 9C41 0A000064 0050 C0A8010B 0050 FIN_WAIT        80',
    'TCP 0A00000A 9C42 0A000064 0050 C0A8010B 0050 SYN_RECV        50',
    'TCP 0A00000A 9C43 0A000064 0050 C0A8010B 0050 TIME_WAIT       50',
  ]);
  assert.equal(
    first.map(({ flags, state, timeout }) => [flags, state, timeout]),
    [[SYNC_FLAG.template, 1, 300]],
  );
  assert.equal(
    later.map(({ flags, state, timeout }) => [flags, state, timeout]),
    [[SYNC_FLAG.inactive, 4, 0]],
  );
});

test('firewall marks: of the template, of the only service that has the server, and of one of several', () => {
  const template = 'IP  0A000000 0000 00000007 0000 C0A8010B 0000 ASSURED         80';
  const other = 'TCP 0A00000A 9C40 0A000065 0051 C0A8010B 0051 ESTABLISHED     899';
  const one = carry([template, other], [web, marked(7)]);
  assert.equal(
    one.first.map(({ fwmark, flags, timeout }) => [fwmark, flags & SYNC_FLAG.method, timeout]),
    [
      [7, ROUTE, 90],
      [7, ROUTE, 0],
    ],
  );
  assert.equal(one.lacks, NONE);
  const several = carry([template, other], [marked(7), marked(8)]);
  assert.equal(
    several.first.map(({ fwmark }) => fwmark),
    [7, 0],
  );
  assert.equal(several.lacks, { ...NONE, marks: 1 });
  // The address and port of a service go before a mark.
  assert.is(carry([ESTABLISHED], [web, marked(7)]).first[0]?.fwmark, 0);
});

test('what is left out is counted', () => {
  assert.equal(carry([ESTABLISHED], []).lacks, { ...NONE, left: 1 });
  const long = (last: string): string => `fd00:0000:0000:0000:0000:0000:0000:${last}`;
  const mixed = `TCP ${long('0010')} 9C40 ${long('0100')} 0050 C0A8010B 0050 ESTABLISHED 899`;
  assert.equal(carry([mixed]).lacks, { ...NONE, left: 1 });
  assert.equal(carry([ESTABLISHED], [web], [80]).lacks, { ...NONE, sequences: 1 });
  // A server that was taken out: the connection goes on by the method of the others.
  const gone = carry([ESTABLISHED.replace('010B', '010D')]);
  assert.equal([gone.first.length, gone.lacks], [1, NONE]);
});

test('the data of a persistence engine, and what is too long for a record', () => {
  const sip: ListedService = { ...web, protocol: 17, port: 5060 };
  const template = 'UDP 0A00000A 0000 0A000064 13C4 C0A8010B 0050 ASSURED 80 sip';
  const { first } = carry([`${template} a1b2@c`], [sip]);
  assert.equal(first[0]?.engine, { name: 'sip', data: new TextEncoder().encode('a1b2@c') });
  encodeMessage({ version: 1, syncId: 1, connections: first });
  assert.is(carry([`${template} ${'x'.repeat(256)}`], [sip]).lacks.left, 1);
});

test('fingerprints: of the same connection the same on both sides, and of any other another', () => {
  const [record] = carry([ESTABLISHED]).first;
  const ofRow = (text: string, salt = 5): number | undefined => {
    const [connection] = parseConnections(`${TITLE}${text}\n`);
    const identity = connection && identityOf(connection);
    return identity && fingerprint(identity, salt);
  };
  assert.is(ofRow(ESTABLISHED.replace('ESTABLISHED', 'FIN_WAIT')), record && fingerprint(record, 5));
  const others = [
    ESTABLISHED.replace('9C40', '9C41'),
    ESTABLISHED.replace('010B', '010C'),
    ESTABLISHED.replace('TCP', 'UDP'),
    ESTABLISHED.replace('0064 0050', '0064 5000'),
  ].map((each) => ofRow(each));
  assert.is(new Set([ofRow(ESTABLISHED), ofRow(ESTABLISHED, 6), ...others]).size, 6);
  const many = new Set<number>();
  for (let port = 0; port < 20_000; port++)
    many.add(fingerprint({ ...(record as NonNullable<typeof record>), client: { address: VIP, port } }, 1));
  assert.ok(many.size > 19_998, `${many.size} of 20000`);
});

test.run();
