import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { keepalived, vipkeeper } from './scene/director.ts';
import type { Host } from './scene/host.ts';
import { run } from './scene/run.ts';
import { Scene } from './scene/scene.ts';
import { ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * What VRRP does with interfaces that this machine's kernel may not have: ipvlans with keepalived as the other
 * director, a VRF, and the IPVS table in another network namespace than VRRP.
 */
export const needs = 'kernel';
export const limitSeconds = 900;

const VIP = '10.0.0.100';
const VIP6 = '2001:db8::100';
const story = suite('interfaces and namespaces on a real kernel');
let scene: Scene;
story.before.each(() => {
  scene = new Scene();
});
story.after.each(() => scene.close());

const instance = (...lines: string[]): string =>
  [
    'vrrp_instance pair {',
    '  virtual_router_id 7',
    '  version 3',
    '  advert_int 0.3',
    ...lines.map((line) => `  ${line}`),
    '}',
    '',
  ].join('\n');

const vips = (...addresses: string[]): string[] => ['virtual_ipaddress {', ...addresses, '}'];
const reaches = (from: Host, address: string): Promise<number> =>
  scene.until(`${from.name} reaches ${address}`, () => from.succeeds('ping', '-c', '1', '-W', '1', address));
/** Whether the address is on that interface and no other. */
const isOn = (host: Host, address: string, device: string): boolean =>
  new RegExp(`^\\d+: ${device}\\s`).test(
    run(['ip', '-n', host.name, '-o', 'address', 'show', 'to', address]),
  );

for (const family of [4, 6] as const) {
  story(`IPv${family} ipvlans: we and keepalived hand over to each other`, async () => {
    const lan = scene.link('lan');
    const [prefix, length] = family === 4 ? ['10.0.0.', 24] : ['2001:db8::', 64];
    const [ours, theirs, user] = ['ours', 'theirs', 'user'].map((name, i) =>
      scene.host(name).on(lan, `${prefix}${i + 1}/${length}`),
    );
    assert.ok(ours && theirs && user);
    const [vip, addresses] = family === 4 ? [VIP, [`${VIP}/24`]] : [VIP6, ['fe80::7', `${VIP6}/64`]];
    const own = (last: number): string => (family === 4 ? `10.0.0.${last}/24` : `fe80::${last}/64`);
    const director = (last: number, priority: number): string =>
      instance(
        'interface lan',
        `use_ipvlan ipv.7 ${own(last)}`,
        `priority ${priority}`,
        ...vips(...addresses),
      );
    const high = vipkeeper(ours, director(11, 150), '-P');
    await scene.until('we hold the VIP on the ipvlan', () => isOn(ours, vip, 'ipv.7(@lan)?'));
    const low = keepalived(theirs, director(12, 100), '-P', '-G');
    await reaches(user, vip);
    await high.stop();
    await scene.until('keepalived holds it', () => theirs.has(vip));
    assert.not.match(ours.run('ip', '-br', 'link'), 'ipv.7');
    const again = vipkeeper(ours, director(11, 150), '-P');
    await scene.until('we hold it again', () => isOn(ours, vip, 'ipv.7(@lan)?') && !theirs.has(vip));
    await reaches(user, vip);
    for (const program of [low, again]) await program.stop();
  });
}

story('unicast through a VRF, without an interface', async () => {
  const lan = scene.link('lan');
  const [one, two, user] = ['one', 'two', 'user'].map((name, i) =>
    scene.host(name).on(lan, `10.0.0.${i + 1}/24`),
  );
  assert.ok(one && two && user);
  run(['ip', '-n', one.name, 'link', 'add', 'red', 'type', 'vrf', 'table', '10']);
  run(['ip', '-n', one.name, 'link', 'set', 'red', 'up']);
  run(['ip', '-n', one.name, 'link', 'set', 'lan', 'master', 'red']);
  const director = (where: string, own: number, peer: number, priority: number): string =>
    instance(
      where,
      `priority ${priority}`,
      `unicast_src_ip 10.0.0.${own}`,
      `unicast_peer {`,
      `10.0.0.${peer}`,
      '}',
      ...vips(`${VIP}/24 dev lan`),
    );
  const high = vipkeeper(one, director('vrf red', 1, 2, 150), '-P');
  await scene.until('the one in the VRF holds the VIP', () => one.has(VIP));
  keepalived(two, director('interface lan', 2, 1, 100), '-P', '-G');
  await reaches(user, VIP);
  await high.stop();
  await scene.until('the other one holds it', () => two.has(VIP));
  vipkeeper(one, director('vrf red', 1, 2, 150), '-P');
  await scene.until('the better one takes over', () => one.has(VIP) && !two.has(VIP));
});

story('the IPVS table is in another network namespace than VRRP and the checks', async () => {
  const lan = scene.link('lan');
  const director = scene.host('director').on(lan, '10.0.0.1/24');
  const balancer = scene.host('balancer').on(lan, '10.0.0.2/24');
  const server = scene.host('server').on(lan, '10.0.0.11/24');
  await realServer(server);
  const daemon = vipkeeper(
    director,
    [
      `net_namespace_ipvs ${balancer.name}`,
      'global_defs {',
      '  lvs_sync_daemon lan pair',
      '}',
      instance('interface lan', 'priority 255', ...vips(`${VIP}/24`)),
      `virtual_server ${VIP} ${ECHO_PORT} {`,
      '  lb_algo rr',
      '  lb_kind DR',
      '  protocol TCP',
      '  delay_loop 1',
      `  real_server 10.0.0.11 ${ECHO_PORT} {`,
      '    TCP_CHECK {',
      '      connect_timeout 1',
      '    }',
      '  }',
      '}',
      '',
    ].join('\n'),
  );
  const table = (host: Host): string => host.run('ipvsadm', '-Sn');
  await scene.until('the server is in the other namespace', () => table(balancer).includes('10.0.0.11'));
  await scene.until('the sync daemon runs there', () =>
    balancer.run('ipvsadm', '--list', '--daemon').includes('master'),
  );
  assert.ok(director.has(VIP), 'VRRP is at home');
  assert.is(table(director), '');
  assert.is(director.run('ipvsadm', '--list', '--daemon').trim(), '');
  // The check goes out from where the daemon is: there the server is not to be reached any more.
  lan.cut(director);
  await scene.until('the server is out', () => !table(balancer).includes('10.0.0.11'));
  await daemon.stop();
  assert.is(table(balancer), '');
});

story.run();
