import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { VrrpState } from '../../src/app/messages.ts';
import { fromHex, Writer } from '../../src/core/bytes.ts';
import { internetChecksum } from '../../src/core/checksum.ts';
import { familyOf, type Ip, ip, ipToBytes } from '../../src/core/ip.ts';
import type { DaemonStatus } from '../../src/core/status/facts.ts';
import { seconds } from '../../src/core/time.ts';
import { AuthTrailer } from '../../src/core/vrrp/auth-trailer.ts';
import { type Advert, encodeAdvert, passwordBytes, VRRP_GROUP } from '../../src/core/vrrp/packet.ts';
import { askControl } from '../../src/io/control.ts';
import { digest } from '../../src/io/digest.ts';
import { FrameSender } from '../../src/io/packet.ts';
import { ifindexOf } from '../io/namespace.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { eventually, Stage } from './stage.ts';

await enclose();

/** Adverts that are wrong in one way each, as packets: counted by reason, logged once, shown in the status. */
const test = suite('bad adverts');
const stage = new Stage();
const sender = new FrameSender();
const wire = ifindexOf('wire');

const SECRET = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const STRANGER: Ip = ip('10.9.0.9');
const STRANGER6: Ip = ip('fe80::9');
const TIMES = 3;

const router = (
  name: string,
  vrid: number,
  vip: string,
  ...lines: string[]
): string => `vrrp_instance ${name} {
  interface lan
  virtual_router_id ${vrid}
  priority 150
  ${lines.join('\n  ')}
  virtual_ipaddress {
    ${vip}
  }
}
`;
const CONFIGURATION =
  'global_defs {\n  log_unknown_vrids\n}\n' +
  router('plain', 7, '10.9.0.100/24', 'version 3', 'advert_int 0.2') +
  router(
    'signed',
    8,
    '10.9.0.101/24',
    'version 3',
    'advert_int 0.2',
    `auth_hmac {\nkey 1 hex:${SECRET}\nactive_key 1\n}`,
  ) +
  router(
    'old',
    9,
    '10.9.0.102/24',
    'version 2',
    'advert_int 1',
    'authentication {\nauth_type PASS\nauth_pass secret\n}',
  ) +
  router('six', 10, 'fe80::100/64', 'version 3', 'advert_int 0.2');

/** An advert that is right but for what is changed. It comes from a lesser router, so it changes nothing. */
const advert = (vrid: number, changes: Partial<Advert> = {}): Advert => ({
  version: 3,
  vrid,
  priority: 100,
  interval: seconds(0.2),
  addresses: [ip(vrid === 8 ? '10.9.0.101' : '10.9.0.100')],
  ...changes,
});

interface Header {
  readonly source?: Ip;
  readonly destination?: Ip;
  readonly ttl?: number;
}
type Sender = { readonly source: Ip; readonly destination: Ip };
const SENDING: Sender = { source: STRANGER, destination: VRRP_GROUP[4] };

/** The whole frame, with headers that are right but for what is said. */
function frame(
  payload: Uint8Array,
  { source = STRANGER, destination = VRRP_GROUP[familyOf(source)], ttl = 255 }: Header = {},
): Uint8Array {
  const out = new Writer(2048);
  if (familyOf(source) === 6) {
    out
      .bytes(fromHex('33330000001202000000009986dd'))
      .u32be(0x6c00_0000)
      .u16be(payload.length)
      .u8(112)
      .u8(ttl);
    return out.bytes(ipToBytes(source)).bytes(ipToBytes(destination)).bytes(payload).finish();
  }
  const header = new Writer(20)
    .u16be(0x45c0)
    .u16be(20 + payload.length)
    .u32be(0)
    .u8(ttl)
    .u8(112)
    .u16be(0);
  header.bytes(ipToBytes(source)).bytes(ipToBytes(destination));
  const bytes = header.finish();
  new DataView(bytes.buffer).setUint16(10, internetChecksum(bytes));
  return out.bytes(fromHex('01005e0000120200000000990800')).bytes(bytes).bytes(payload).finish();
}

/** An advert with other bytes in it; `repair` makes the checksum right again. */
function spoilt(
  at: number,
  value: number,
  repair = true,
  original = encodeAdvert(advert(7), SENDING),
): Uint8Array {
  const payload = original.slice();
  payload[at] = value;
  if (!repair) return payload;
  payload.fill(0, 6, 8);
  new DataView(payload.buffer, payload.byteOffset).setUint16(6, internetChecksum(payload));
  return payload;
}

/** An advert of the signed router, from a clock that is so many seconds off, with key `id`. */
function signed(off: number, id = 1, secret = SECRET): Uint8Array {
  const keys = [{ id, secret }];
  const window = seconds(5);
  const trailer = new AuthTrailer(
    { keys, activeKey: id, mode: 'enforce', antiReplay: 'time', window },
    0,
    digest,
  );
  trailer.begin((Date.now() + off * 1000) * 1000);
  return trailer.seal(encodeAdvert(advert(8), SENDING), SENDING).payload;
}

const old = (password: string, changes: Partial<Advert> = {}): Uint8Array =>
  encodeAdvert(advert(9, { version: 2, interval: seconds(1), addresses: [ip('10.9.0.102')], ...changes }), {
    ...SENDING,
    password: passwordBytes(password),
  });

async function status(): Promise<VrrpState> {
  const { vrrp } = (await askControl(join(stage.runDir, 'control.sock'), { verb: 'status' })) as DaemonStatus;
  assert.ok(vrrp !== null);
  return vrrp;
}

/** Of one router: how often which reason was counted; what was odd begins with `odd`. */
function counts({ instances }: VrrpState, name: string): Record<string, number> {
  const found = instances.find((instance) => instance.name === name);
  assert.ok(found !== undefined);
  const { rejected, noticed } = found.statistics;
  const odd = Object.entries(noticed).map(([notice, count]) => [`odd ${notice}`, count] as const);
  return Object.fromEntries([...Object.entries(rejected), ...odd].filter(([, count]) => count > 0));
}

const happens = (what: string, condition: (now: VrrpState) => boolean): Promise<void> =>
  eventually(async () => condition(await status()), what);

const send = (frames: readonly Uint8Array[]): void => {
  assert.is(sender.send(wire, frames), frames.length);
};

test.before(async () => {
  stage.start(CONFIGURATION);
  await happens('all routers are master', ({ instances }) =>
    instances.every(({ state }) => state === 'MASTER'),
  );
});
test.after(() => {
  stage.stop();
  stage.close();
});

const other = ip('10.9.0.55');
const CASES: readonly (readonly [router: string, reason: string, frame: () => Uint8Array])[] = [
  ['plain', 'checksum', () => frame(spoilt(2, 99, false))],
  ['plain', 'version', () => frame(spoilt(0, 0x21 + 0x20))],
  ['plain', 'type', () => frame(spoilt(0, 0x32))],
  ['plain', 'ttl', () => frame(encodeAdvert(advert(7), SENDING), { ttl: 254 })],
  ['plain', 'length', () => frame(spoilt(3, 2))],
  ['plain', 'short', () => frame(encodeAdvert(advert(7), SENDING).subarray(0, 6))],
  ['plain', 'interval', () => frame(spoilt(5, 0))],
  ['plain', 'count', () => frame(encodeAdvert(advert(7, { addresses: [] }), SENDING))],
  ['plain', 'odd addresses', () => frame(encodeAdvert(advert(7, { addresses: [other] }), SENDING))],
  [
    'plain',
    'odd count',
    () => frame(encodeAdvert(advert(7, { addresses: [ip('10.9.0.100'), other] }), SENDING)),
  ],
  ['signed', 'auth-missing', () => frame(encodeAdvert(advert(8), SENDING))],
  ['signed', 'auth-stale', () => frame(signed(-60))],
  ['signed', 'auth-key', () => frame(signed(0, 2))],
  ['signed', 'auth-invalid', () => frame(signed(0, 1, SECRET.replace('00', 'ff')))],
  ['old', 'auth-failure', () => frame(old('wrong'))],
  ['old', 'interval', () => frame(old('secret', { interval: seconds(2) }))],
  [
    'six',
    'ttl',
    () =>
      frame(
        encodeAdvert(advert(10, { addresses: [ip('fe80::100')] }), {
          source: STRANGER6,
          destination: VRRP_GROUP[6],
        }),
        { source: STRANGER6, ttl: 64 },
      ),
  ],
];

const ROUTERS = ['plain', 'signed', 'old', 'six'];

/** What is to be counted: everything that was sent, by reason, and nothing else. */
function expected(name: string): Record<string, number> {
  const sent = CASES.filter(([router]) => router === name).map(([, reason]) => [reason, TIMES] as const);
  return Object.fromEntries(name === 'signed' ? [...sent, ['auth-replay', TIMES]] : sent);
}

test('each is counted by its reason, and nothing else is', async () => {
  for (const [, , make] of CASES) send(Array.from({ length: TIMES }, make));
  const payload = frame(signed(0));
  send(Array.from({ length: 1 + TIMES }, () => payload));
  send(Array.from({ length: TIMES }, () => frame(encodeAdvert(advert(77), SENDING))));
  send(Array.from({ length: TIMES }, () => frame(Uint8Array.of(0x31))));
  await happens('the last is counted', ({ malformed }) => malformed === TIMES);
  for (const name of ROUTERS) {
    const sum = (counted: Record<string, number>) => Object.values(counted).reduce((a, b) => a + b, 0);
    await happens(`all of ${name}`, (now) => sum(counts(now, name)) >= sum(expected(name)));
    assert.equal(counts(await status(), name), expected(name), name);
  }
});

test('what was signed once was taken once, and another virtual router is nobody here', async () => {
  const { instances, unknownVrids } = await status();
  const signer = instances.find(({ name }) => name === 'signed');
  assert.equal([signer?.statistics.advertsReceived, unknownVrids], [1, TIMES]);
});

test('the log has one line for each kind', async () => {
  // The status may know of an advert before the log has its line; the lines come in order.
  const UNKNOWN = /adverts? of virtual routers that are not here, now VRID 77 of 10\.9\.0\.9/g;
  await eventually(() => stage.log.search(UNKNOWN) >= 0, 'the line of the last kind');
  const text = stage.log;
  for (const [name, reason] of CASES) {
    const words = reason.startsWith('odd ') ? reason.replace('odd ', 'with unexpected ') : `: ${reason}`;
    const lines = text
      .split('\n')
      .filter((line) => line.includes(`${name}: `) && line.replace(/ \([^()]*\)$/, '').endsWith(words));
    assert.is(lines.length, 1, `${name} ${reason}: ${lines.join('\n')}`);
  }
  assert.is(text.match(UNKNOWN)?.length, 1);
});

test('the status says it all, and nobody has lost a virtual address', async () => {
  const text = stage.operator('status').stdout;
  assert.match(text, /plain +dropped +\S.*checksum 3/);
  assert.match(
    text,
    /plain +taken, but unexpected +count 3, addresses 3|plain +taken, but unexpected +addresses 3, count 3/,
  );
  assert.match(text, /- +for other virtual routers +3/);
  for (const { state, statistics } of (await status()).instances)
    assert.equal([state, statistics.becameMaster], ['MASTER', 1]);
  assert.ok(execFileSync('ip', ['-o', 'address', 'show', 'to', '10.9.0.100'], { encoding: 'utf8' }) !== '');
});

test.run();
