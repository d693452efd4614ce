import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import { ip } from '../../src/core/ip.ts';
import {
  familyOfConnection,
  isTemplate,
  protocolName,
  SYNC_FLAG,
  type SyncedConnection,
  stateName,
} from '../../src/core/sync/connection.ts';
import { decodeMessage, encodeMessage, type SyncMessage } from '../../src/core/sync/message.ts';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import type { Console } from './handbook/console.ts';
import { modules, open } from './handbook/opening.ts';
import type { Program } from './scene/program.ts';
import { inner, inner6, natStage, VIP, VIP6 } from './scene/stages.ts';
import { type Client, ECHO_PORT } from './scene/traffic.ts';

/**
 * The format of connection sync: what a kernel sends is read and written again byte by byte, in versions 0 and 1; and
 * what is written here, a kernel takes in.
 */
export const needs = 'kernel';

const ID = 10;
const MARK = 7;
const SIP = 5060;
const SGSAP = 29118;
const CALL_ID = '843817637684230@998sdasdh09';
/** By direct routing, and not answered: only the record matters. */
const DIRECT = 8080;
const SENDER = '192.168.1.1';
const STANDBY = '192.168.1.2';
const PYTHON = '/usr/bin/python3';
const GROUP_PROGRAM = join(ROOT, 'test/lab/programs/sync-group.py');
const SCTP_PROGRAM = join(ROOT, 'test/lab/programs/sctp.py');
const PROC = '/proc/net/ip_vs_conn_sync';

const story = suite('sync format');
const stage = natStage(2);
const { scene, director, user, servers } = stage;
const [rs1, rs2] = servers as [(typeof servers)[0], (typeof servers)[0]];
const standby = scene.host('standby').on(stage.rack, `${STANDBY}/24`);
story.after(() => scene.close());
let client: Client;
let listener: Program;
/** What kinds of records were heard. */
const seen = new Set<string>();

const SERVICES = `
  lvsadm -A -t ${VIP}:${ECHO_PORT} -s rr
  lvsadm -a -t ${VIP}:${ECHO_PORT} -r ${inner(1)} -m
  lvsadm -A -t [${VIP6}]:${ECHO_PORT} -s rr -p 60
  lvsadm -a -t [${VIP6}]:${ECHO_PORT} -r [${inner6(1)}]:${ECHO_PORT} -m
  lvsadm -A -u ${VIP}:${SIP} -s rr -p 60 --pe sip
  lvsadm -a -u ${VIP}:${SIP} -r ${inner(1)} -m
  lvsadm -A --sctp-service ${VIP}:${SGSAP} -s rr
  lvsadm -a --sctp-service ${VIP}:${SGSAP} -r ${inner(1)} -m
  lvsadm -A -u ${VIP}:${DIRECT} -s rr
  lvsadm -a -u ${VIP}:${DIRECT} -r ${inner(2)} -g
  lvsadm -A -f ${MARK} -s rr -p 90 -M 255.255.255.0
  lvsadm -a -f ${MARK} -r ${inner(1)} -m
`;

story.before(async () => {
  modules('ip_vs_pe_sip', 'sctp', 'iptable_mangle', 'xt_mark');
  let console: Console;
  ({ client, console } = await open(stage));
  // Every packet is told of.
  director.run('sysctl', '-qw', 'net.ipv4.vs.sync_threshold=0 1');
  director.address('lan', `${VIP}/32`).address('lan', `${VIP6}/128`);
  await console.type(`
    ${SERVICES}
    iptables-legacy -t mangle -A PREROUTING -d ${VIP} -p tcp --dport 8000 -j MARK --set-mark ${MARK}
    lvsadm --start-daemon master --mcast-interface rack --syncid ${ID}
    lvsadm --start-daemon backup --mcast-interface rack --syncid ${ID}
  `);
  const serving = rs1.start('sctp', [PYTHON, SCTP_PROGRAM, 'serve', 'rs1', inner(1), `${SGSAP}`]);
  listener = rs1.start('sync listener', [PYTHON, GROUP_PROGRAM, 'hear', inner(1)]);
  await scene.until('both listen', () =>
    [serving, listener].every((program) => program.log.includes('listens')),
  );
});

/** What the director's kernel has sent; each datagram must be the same when it is written again. */
function heard(): SyncMessage[] {
  const lines = listener.log.split('\n').filter((line) => line.startsWith(`${SENDER} `));
  return lines.map((line) => {
    const hex = line.slice(SENDER.length + 1).trim();
    const decoded = decodeMessage(fromHex(hex));
    assert.ok(decoded.ok, hex);
    const { message, count, faulty } = decoded;
    assert.equal(faulty, [], hex);
    assert.is(message.connections.length, count, hex);
    assert.is(message.syncId, ID, hex);
    assert.is(toHex(encodeMessage(message)), hex, 'written again');
    for (const connection of message.connections) seen.add(kindOf(message, connection));
    return message;
  });
}

const kindOf = ({ version }: SyncMessage, connection: SyncedConnection): string =>
  [
    `v${version}`,
    `IPv${familyOfConnection(connection)}`,
    protocolName(connection.protocol),
    isTemplate(connection) ? 'template' : stateName(connection),
    ...(connection.fwmark === 0 ? [] : ['mark']),
    ...(connection.engine === undefined ? [] : [connection.engine.name]),
    ...(connection.sequence === undefined ? [] : ['sequence']),
    ...((connection.flags & SYNC_FLAG.noOutput) === 0 ? [] : ['direct']),
    ...((connection.flags & SYNC_FLAG.conntrack) === 0 ? [] : ['conntrack']),
  ].join(' ');

/** Waits until the kernel has sent one of each kind. */
const hear = (...kinds: readonly string[]): Promise<number> =>
  scene.until(`the kernel sends ${kinds.join(', ')}`, () => {
    heard();
    return kinds.every((kind) => seen.has(kind));
  });

const datagram = (text: string, port: number): string =>
  user.run(PYTHON, '-c', `import socket; socket.socket(2, 2).sendto(b"""${text}""", ("${VIP}", ${port}))`);

/** Something of everything that IPVS forwards. */
async function traffic(hosts: readonly string[]): Promise<void> {
  for (const host of hosts) {
    const made = await client.dial(host, ECHO_PORT);
    assert.is(await made.say('hello'), 'hello');
    await made.hangUp();
  }
  await client.get(`http://${VIP}:8000/`);
  datagram(`INVITE sip:a@b SIP/2.0\\r\\nCall-ID: ${CALL_ID}\\r\\n\\r\\n`, SIP);
  datagram('x', DIRECT);
  user.run(PYTHON, SCTP_PROGRAM, 'call', VIP, `${SGSAP}`, '10.0.0.10', 'one', 'two');
}

story('version 1: TCP, UDP, SCTP, templates, a mark, a persistence engine, IPv6', async () => {
  await traffic([VIP, VIP6]);
  await hear(
    'v1 IPv4 TCP ESTABLISHED',
    'v1 IPv4 UDP UDP direct',
    'v1 IPv4 SCTP ESTABLISHED',
    'v1 IPv4 UDP template sip',
    'v1 IPv4 IP template mark',
    'v1 IPv6 TCP ESTABLISHED',
    'v1 IPv6 TCP template',
  );
  const all = heard().flatMap(({ connections }) => connections);
  const sip = all.find(({ engine }) => engine !== undefined);
  assert.equal(sip?.engine, { name: 'sip', data: new TextEncoder().encode(CALL_ID) });
  const mark = all.find(({ protocol }) => protocol === 0);
  assert.equal([mark?.fwmark, mark?.timeout, mark?.client.address], [MARK, 90, '10.0.0.0']);
  const tcp = all.find(({ protocol, state }) => protocol === 6 && state === 1);
  assert.equal(
    [tcp?.virtual, tcp?.destination, tcp?.timeout],
    [{ address: VIP, port: ECHO_PORT }, { address: inner(1), port: ECHO_PORT }, 900],
  );
});

story('with netfilter: its flag goes along', async () => {
  director.run('sysctl', '-qw', 'net.ipv4.vs.conntrack=1');
  await traffic([VIP]);
  await hear('v1 IPv4 TCP ESTABLISHED conntrack');
  director.run('sysctl', '-qw', 'net.ipv4.vs.conntrack=0');
});

const portOf = (connection: SyncedConnection): number => connection.client.port;
interface Watched {
  readonly own: boolean;
  readonly source: string;
  readonly syncId: number;
  readonly connection: { readonly virtual: object; readonly state: string; readonly timeout: number };
}

story('vipkeeper sync watch: what this host sends, and what another hears', async () => {
  const command = [process.execPath, join(ROOT, 'bin/vipkeeper'), 'sync', 'watch', '--count', '1', '--json'];
  const choice = ['--state', 'established', '--service', `${VIP}:${ECHO_PORT}`, '--client', '10.0.0.0/24'];
  const watching = [
    director.start('sync watch', [...command, ...choice]),
    rs2.start('sync watch', [...command, ...choice, '--interface', 'rack']),
  ];
  const call = await client.dial(VIP, ECHO_PORT);
  await scene.until('both have seen a connection', async () => {
    assert.is(await call.say('x'), 'x');
    return watching.every(({ child }) => child.exitCode !== null);
  });
  await call.hangUp();
  const seen = watching.map(({ log }) => JSON.parse(log) as Watched);
  for (const { source, syncId, connection } of seen) {
    assert.equal([source, syncId, connection.state, connection.timeout], [SENDER, ID, 'ESTABLISHED', 900]);
    assert.equal(connection.virtual, { address: VIP, port: ECHO_PORT });
  }
  assert.equal(
    seen.map(({ own }) => own),
    [true, false],
  );
});

const SHIFT = { from: 0xfedcba98, delta: 0, previous: 0 };
const SEQUENCE = { in: SHIFT, out: { from: 0x01020304, delta: 0, previous: 0 } };

/** Sends a datagram to the group, as another director would. */
const tell = (connections: readonly SyncedConnection[], version: 0 | 1 = 1): string => {
  const bytes = encodeMessage({ version, syncId: ID, connections });
  return rs2.run(PYTHON, GROUP_PROGRAM, 'say', inner(2), toHex(bytes));
};

for (const version of [1, 0] as const) {
  story(`version ${version}: shifts of sequence numbers, which the kernel had from us`, async () => {
    director.run('sysctl', '-qw', `net.ipv4.vs.sync_version=${version}`);
    const before = new Set(heard().flatMap(({ connections }) => connections.map(portOf)));
    const call = await client.dial(VIP, ECHO_PORT);
    await call.say('hello');
    await scene.until('the kernel sends the sequence numbers', async () => {
      assert.is(await call.say('more'), 'more');
      const messages = heard().filter((message) => message.version === version);
      const live = messages
        .flatMap(({ connections }) => connections)
        .filter((each) => !before.has(portOf(each)) && each.virtual.port === ECHO_PORT && each.state === 1);
      const [known] = live.slice(-1);
      if (known !== undefined)
        tell([{ ...known, flags: known.flags | SYNC_FLAG.sequences, sequence: SEQUENCE }], version);
      return seen.has(`v${version} IPv4 TCP ESTABLISHED sequence`);
    });
    const shifted = heard().flatMap(({ connections }) => connections.filter(({ sequence }) => sequence));
    // In version 1 the kernel copies the wrong way (hton_seq): the option has what was in memory there.
    if (version === 0) assert.equal(shifted.at(-1)?.sequence, SEQUENCE);
    await call.hangUp();
  });
}

story('version 0: what it can say', async () => {
  await traffic([VIP]);
  await hear('v0 IPv4 TCP ESTABLISHED', 'v0 IPv4 UDP UDP direct', 'v0 IPv4 IP template');
});

/** An IPv6 address as /proc has it. */
const long = (first: string, last: string): string => [first, ...Array(6).fill('0000'), last].join(':');

const CLIENT = ip('10.0.0.77');
const forged = (port: number, more: Partial<SyncedConnection> = {}): SyncedConnection => ({
  protocol: 6,
  flags: 0,
  state: 1,
  client: { address: CLIENT, port },
  virtual: { address: ip(VIP), port: ECHO_PORT },
  destination: { address: ip(inner(1)), port: ECHO_PORT },
  fwmark: 0,
  timeout: 500,
  ...more,
});
const SIX: Partial<SyncedConnection> = {
  client: { address: ip('fd00::77'), port: 5 },
  virtual: { address: ip(VIP6), port: ECHO_PORT },
  destination: { address: ip(inner6(1)), port: ECHO_PORT },
};

story(
  'what is written here, a kernel takes in: every option, both families, several in one datagram',
  async () => {
    standby.run('ipvsadm', '--start-daemon', 'backup', '--mcast-interface', 'rack', '--syncid', `${ID}`);
    const data = new TextEncoder().encode('odd');
    const sip = { protocol: 17, flags: SYNC_FLAG.template, state: 1, engine: { name: 'sip', data } };
    const messages: [0 | 1, SyncedConnection[]][] = [
      [
        1,
        [
          forged(1, { flags: SYNC_FLAG.sequences, sequence: SEQUENCE }),
          forged(0, { ...sip, virtual: { address: ip(VIP), port: SIP } }),
          forged(2, { protocol: 132, state: 8 }),
          forged(5, SIX),
          forged(3, { fwmark: MARK, state: 7 }),
        ],
      ],
      [
        0,
        [
          forged(4, { timeout: 0, flags: SYNC_FLAG.sequences, sequence: SEQUENCE }),
          forged(6, { timeout: 0, state: 5 }),
        ],
      ],
    ];
    for (const [version, connections] of messages) tell(connections, version);
    const expected = [
      'SCTP 0A00004D 0002 0A000064 1B58 C0A8010B 1B58 ESTABLISHED',
      'TCP 0A00004D 0001 0A000064 1B58 C0A8010B 1B58 ESTABLISHED',
      'TCP 0A00004D 0003 0A000064 1B58 C0A8010B 1B58 CLOSE_WAIT',
      'TCP 0A00004D 0004 0A000064 1B58 C0A8010B 1B58 ESTABLISHED',
      'TCP 0A00004D 0006 0A000064 1B58 C0A8010B 1B58 TIME_WAIT',
      `TCP ${long('fd00', '0077')} 0005 ${long('fd00', '0100')} 1B58 ${long('fd01', '0011')} 1B58 ESTABLISHED`,
      'UDP 0A00004D 0000 0A000064 13C4 C0A8010B 1B58 ASSURED',
    ];
    let listed: string[] = [];
    await scene
      .until('the standby lists them', () => {
        const rows = standby.run('cat', PROC).split('\n').slice(1);
        listed = rows.map((row) => row.trim().split(/\s+/).slice(0, 8).join(' ')).filter((row) => row !== '');
        return expected.every((row) => listed.includes(row));
      })
      .catch(() => undefined);
    assert.equal(listed.filter((row) => / (0A00004D|\S*:0077) /.test(row)).sort(), expected);
    assert.ok(standby.run('cat', '/proc/net/ip_vs_conn').includes(' sip odd'));
  },
);

story.run();
