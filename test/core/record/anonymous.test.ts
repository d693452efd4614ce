import * as assert from 'uvu/assert';
import { toHex } from '../../../src/core/bytes.ts';
import { ip, ipToBytes } from '../../../src/core/ip.ts';
import { anonymous } from '../../../src/core/record/anonymous.ts';
import { plainText } from '../../../src/core/record/plain.ts';
import { Recorder } from '../../../src/core/record/recorder.ts';
import { heading, readRecording } from '../../../src/core/record/recording.ts';
import { replay } from '../../../src/core/record/replay.ts';
import { instant } from '../../../src/core/time.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import { encodeAdvert, VRRP_GROUP, VRRP_TTL } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { SETTINGS } from '../vrrp/router.ts';
import { RecordedMachine, SHORT } from './recorded.ts';

const test = suite('anonymous recordings');

const OTHER_VIP = ip('10.77.0.200');
const V6 = {
  own: 'fe80::77:5',
  peer: 'fe80::77:9',
  vip: { address: { ip: ip('2001:db8:77::1'), length: 64 }, scope: 0 },
};

/** A master that meets a rival with an equal priority and a higher address, which is a matter of their order. */
function lines(settings: VrrpSettings, own: string, peer: string): string[] {
  const recorder = new Recorder(SHORT);
  const instance = new VrrpInstance(settings);
  const part = { kind: 'router', name: settings.name, birth: settings, memory: () => instance.memory() };
  const router = new RecordedMachine(recorder, instance, part, instant(0));
  const settle = (): void => {
    while (router.take().length > 0);
  };
  const { family, version, vrid, priority, advertInterval: interval } = settings;
  router.handle({ type: 'link', up: true, source: ip(own), why: 'secretlan is up' }, instant(0));
  settle();
  router.handle({ type: 'start' }, instant(0));
  settle();
  for (let due = router.deadline(); due !== undefined && due < 8e6; due = router.deadline()) {
    router.timeout(due);
    settle();
  }
  assert.is(instance.state, 'MASTER');
  const [source, destination] = [ip(peer), VRRP_GROUP[family]];
  const addresses = family === 4 ? [OTHER_VIP] : [V6.vip.address.ip];
  const payload = encodeAdvert({ version, vrid, priority, interval, addresses }, { source, destination });
  const broken = payload.slice();
  broken[6] = (broken[6] ?? 0) ^ 0x40;
  for (const each of [broken, payload]) {
    router.handle({ type: 'packet', payload: each, source, destination, ttl: VRRP_TTL }, instant(8e6));
    settle();
  }
  assert.is(instance.state, 'BACKUP');
  assert.is(instance.status().statistics.rejected.checksum, 1);
  return [
    plainText(heading('0', 'secrethost')),
    plainText({ process: 'vrrp', pid: 1, at: 0, utc: 0, zone: 0 }),
    ...recorder.lines(),
  ];
}

const v4 = {
  ...SETTINGS,
  name: 'SECRET_1',
  interface: 'secretlan',
  addresses: [{ address: { ip: ip('10.77.0.100'), length: 24 }, scope: 0 }],
};
const STORIES = [
  lines(v4, '10.77.0.5', '10.77.0.9'),
  lines({ ...v4, version: 2 }, '10.77.0.5', '10.77.0.9'),
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
      const { state, statistics } = (machine as unknown as VrrpInstance).status();
      assert.equal([state, statistics.rejected.checksum], ['BACKUP', 1]);
    }
  }
});

test.run();
