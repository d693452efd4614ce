import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { suite } from '../suite.ts';

/** Keywords about interfaces, by what is on the wire and in the kernel. */
await enclose();
const test = suite('keywords about interfaces');
const scene = new Scene();
test.after(() => scene.close());

const VIP = '10.0.0.100';
const BACK = '10.1.0.100';
const configuration = (global: string, own: string): string => `global_defs {
  ${global}
}
vrrp_instance pair {
  interface lan
  virtual_router_id 7
  priority 255
  garp_master_repeat 1
  garp_master_delay 0
  ${own}
}
`;
const vips = (dev = 'lan'): string => `virtual_ipaddress {
    ${VIP}/24
    ${BACK}/24 dev ${dev}
  }`;

for (const [program, start] of Object.entries({ vipkeeper, keepalived })) {
  test(`garp_extra_if all, ${program}: what is on another interface is announced again and again`, async () => {
    const [lan, back] = [scene.link(`lan${program[0]}`), scene.link(`back${program[0]}`)];
    const host = scene.host(`at${program[0]}`).on(lan, '10.0.0.1/24').on(back, '10.1.0.1/24');
    const watcher = await Watcher.start(scene.host(`eye${program[0]}`).on(back), '');
    const captures = [await lan.capture(), await back.capture()] as const;
    const text = configuration('', `garp_extra_if all 1\n${vips(back.name)}`).replace(
      'face lan',
      `face ${lan.name}`,
    );
    const daemon = start(host, text, '-P');
    await scene.until('it is master', () => host.has(VIP) && host.has(BACK));
    const announced = async (): Promise<number> =>
      (await watcher.observations()).announcements.filter(({ address }) => address === BACK).length;
    await scene.until('it is announced four times', async () => (await announced()) >= 4);
    for (const capture of captures) await capture.stop();
    const count = (which: 0 | 1, address: string): number =>
      captures[which].count(`arp.isgratuitous && arp.src.proto_ipv4 == ${address}`);
    assert.is(count(0, VIP), 1, 'not there where the adverts are');
    assert.ok(count(1, BACK) >= 4, `${count(1, BACK)} announcements`);
    await daemon.stop('SIGTERM');
  });
}

const KEY = 'net.ipv4.igmp_link_local_mcast_reports';
const reports = (host: Host): string => host.run('sysctl', '-n', KEY).trim();

test('disable_local_igmp: the group is joined and not reported; the kernel is as before after the stop', async () => {
  const seen: number[] = [];
  for (const [name, global] of [
    ['two', ''],
    ['three', 'disable_local_igmp'],
  ] as const) {
    const link = scene.link(`lan${name}`);
    const host = scene.host(name).on(link, '10.0.0.1/24');
    const text = configuration(global, vips(`lan${name}`)).replace('interface lan', `interface lan${name}`);
    const capture = await link.capture();
    const daemon = vipkeeper(host, text, '-P');
    await scene.until('it is master', () => host.has(VIP));
    assert.match(host.run('cat', '/proc/net/igmp'), /120000E0/);
    assert.is(reports(host), global === '' ? '1' : '0');
    const watcher = await Watcher.start(scene.host(`e${name}`).on(link), '');
    await scene.until('adverts pass', async () => (await watcher.observations()).adverts.length >= 3);
    await capture.stop();
    seen.push(capture.count('igmp.maddr == 224.0.0.18'));
    await daemon.stop('SIGTERM');
    assert.is(reports(host), '1');
  }
  assert.ok((seen[0] ?? 0) > 0, 'the group is reported without it');
  assert.is(seen[1], 0);
});

test('dynamic_interfaces: one that comes later is waited for, and one that goes is come back to', async () => {
  const host = scene.host('four');
  const daemon = vipkeeper(host, configuration('dynamic_interfaces', vips('lan')), '-P');
  await scene.until('it waits', () => daemon.log.includes('FAULT: there is no interface lan'));
  assert.not.match(daemon.log, /there is no interface lan yet/);
  for (const round of ['it came', 'it came again']) {
    host.run('ip', 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'wire');
    host.run('ip', 'address', 'add', '10.0.0.1/24', 'dev', 'lan');
    for (const device of ['lan', 'wire']) host.run('ip', 'link', 'set', device, 'up');
    await scene.until(`${round}: it is master`, () => host.has(VIP));
    host.run('ip', 'link', 'delete', 'lan');
  }
  await daemon.stop('SIGTERM');
});

test.run();
