import * as assert from 'uvu/assert';
import { toHex } from '../../../src/core/bytes.ts';
import type { Director } from '../../../src/core/director/director.ts';
import { ip, ipToBytes } from '../../../src/core/ip.ts';
import { anonymous } from '../../../src/core/record/anonymous.ts';
import { plainText } from '../../../src/core/record/plain.ts';
import { Recorder } from '../../../src/core/record/recorder.ts';
import { heading, readRecording } from '../../../src/core/record/recording.ts';
import { replay } from '../../../src/core/record/replay.ts';
import { encodeAdvert, VRRP_GROUP, VRRP_TTL } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { Shell } from '../director/shell.ts';
import { SETTINGS } from '../vrrp/router.ts';
import { linesOf, SHORT } from './recorded.ts';

const test = suite('anonymous recordings');

const OTHER_VIP = ip('10.77.0.200');
const V6 = {
  own: 'fe80::77:5/64',
  peer: 'fe80::77:9',
  vip: { address: { ip: ip('2001:db8:77::1'), length: 64 }, scope: 0 },
};

/** A master that meets a rival with an equal priority and a higher address, which is a matter of their order. */
function lines(settings: VrrpSettings, own: string, peer: string): string[] {
  const recorder = new Recorder(SHORT);
  const shell = new Shell({ recorder, dev: settings.interface, own: [own] });
  shell.configure([settings], { leaseTable: 'vipkeeper_lease_secret' }).until(8);
  assert.is(shell.status(settings.name).state, 'MASTER');
  const [source, destination] = [ip(peer), VRRP_GROUP[settings.family]];
  const { family, version, vrid, priority, advertInterval: interval, interface: home } = settings;
  const addresses = family === 4 ? [OTHER_VIP] : [V6.vip.address.ip];
  const payload = encodeAdvert({ version, vrid, priority, interval, addresses }, { source, destination });
  const broken = payload.slice();
  broken[6] = (broken[6] ?? 0) ^ 0x40;
  for (const each of [broken, payload])
    shell.event({ type: 'packet', home, vrid, payload: each, source, destination, ttl: VRRP_TTL });
  const { state, statistics } = shell.status(settings.name);
  assert.equal([state, statistics.rejected.checksum], ['BACKUP', 1]);
  return [
    plainText(heading('0', 'secrethost')),
    plainText({ process: 'vrrp', pid: 1, at: 0, utc: 0, zone: 0 }),
    ...linesOf(recorder),
  ];
}

const v4 = {
  ...SETTINGS,
  name: 'SECRET_1',
  interface: 'secretlan',
  addresses: [{ address: { ip: ip('10.77.0.100'), length: 24 }, scope: 0 }],
};
const STORIES = [
  lines(v4, '10.77.0.5/24', '10.77.0.9'),
  lines({ ...v4, version: 2 }, '10.77.0.5/24', '10.77.0.9'),
  lines({ ...v4, family: 6, addresses: [V6.vip] }, V6.own, V6.peer),
];

test('no address and no name of the original is left, in text or in packets', () => {
  for (const story of STORIES) {
    const text = anonymous(story).join('\n');
    for (const secret of ['secret', 'SECRET', '10.77.0', '77:5', '77:9', 'db8:77'])
      assert.not.ok(text.includes(secret), secret);
    for (const address of ['10.77.0.100', OTHER_VIP, '2001:db8:77::1'])
      assert.not.ok(text.includes(toHex(ipToBytes(ip(address)))), `${address} in a packet`);
  }
});

test('addresses in texts: with a port, in brackets, at the end of a sentence', () => {
  const texts = [
    'tcp check of 10.77.0.5:80',
    '[10.77.0.5]:tcp:80',
    '[fe80::77:5]:80',
    'of 10.77.0.5.',
    'of fe80::77:9: checksum',
    'fe80::77:5',
  ];
  const [out = ''] = anonymous([plainText({ base: { texts }, items: [] })]);
  assert.not.ok(/10\.77|77:5/.test(out), out);
  assert.ok(out.includes('tcp check of 198.18.0.1:80') && out.includes('[fe80::1]:80'), out);
});

test('it replays with equal effects: who was better is better, and a wrong checksum stays wrong', () => {
  for (const story of STORIES) {
    for (const each of [story, anonymous(story)]) {
      const [track] = readRecording(each).processes[0]?.tracks ?? [];
      assert.ok(track !== undefined);
      const { difference, machine } = replay(track);
      assert.equal(difference, undefined);
      const [router] = (machine as unknown as Director).routers.values();
      const { state, statistics } = router?.status() ?? {};
      assert.equal([state, statistics?.rejected.checksum], ['BACKUP', 1]);
    }
  }
});

test.run();
