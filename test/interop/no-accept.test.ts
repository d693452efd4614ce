import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { file, keepalived, operator, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * no_accept with real packets: a router that is not the owner of its addresses routes what comes to their MAC address,
 * answers for them by ARP and neighbour discovery, and takes nothing that is sent to them. The same configuration does
 * the same with keepalived.
 */
const VIPS = ['10.0.0.100', '2001:db8::100'];
/** Beyond the router. */
const FAR = ['192.168.1.11', '2001:db8:1::11'];
const OWN = ['10.0.0.1', '2001:db8::1'];

const configuration = (...lines: string[]): string =>
  [
    'global_defs {',
    '  nftables',
    // Other tables have a test of their own: lease.test.ts.
    '  nftables_lease off',
    '}',
    ...['four', 'six'].flatMap((name, i) => [
      `vrrp_instance ${name} {`,
      '  interface lan',
      '  virtual_router_id 7',
      '  priority 200',
      '  version 3',
      '  advert_int 0.2',
      ...lines.map((line) => `  ${line}`),
      '  virtual_ipaddress {',
      ...(i === 0 ? [] : ['    fe80::7']),
      `    ${VIPS[i]}/${i === 0 ? 24 : 64}`,
      '  }',
      '}',
    ]),
    '',
  ].join('\n');

await enclose();
const test = suite('no_accept');
let scene: Scene;
let router: Host;
let user: Host;

test.before.each(() => {
  scene = new Scene();
  const lan = scene.link('lan');
  const rack = scene.link('rack');
  router = scene.host('router').on(lan, '10.0.0.1/24', '2001:db8::1/64');
  router.on(rack, '192.168.1.1/24', '2001:db8:1::1/64').forwarding();
  user = scene.host('user').on(lan, '10.0.0.10/24', '2001:db8::10/64');
  const far = scene.host('far').on(rack, '192.168.1.11/24', '2001:db8:1::11/64');
  far.via('192.168.1.1').via('2001:db8:1::1');
  user.via(VIPS[0] ?? '').via(VIPS[1] ?? '');
});
test.after.each(() => scene.close());

const pings = (host: Host, address: string): boolean =>
  host.reaches(address, ...(address.includes('%') ? ['-6'] : []));
const rules = (): string => router.run('nft', 'list', 'ruleset');
const holdsAll = (): boolean => VIPS.every((vip) => router.has(vip));

async function routesAndTakesNothing(): Promise<void> {
  await scene.until('the router holds its addresses', holdsAll);
  await scene.until('there are rules for them', () => VIPS.every((vip) => rules().includes(vip)));
  for (const far of FAR) await scene.until(`${far} is reached by way of the VIP`, () => pings(user, far));
  for (const own of OWN) await scene.until(`${own}, no VIP, answers`, () => pings(user, own));
  for (const vip of [...VIPS, 'fe80::7%lan']) assert.not.ok(pings(user, vip), `${vip} answers nothing`);
  for (const vip of VIPS) {
    assert.not.ok(router.reaches(user10(vip), '-I', vip), `nothing leaves from ${vip}`);
  }
}

const user10 = (vip: string): string => (vip.includes(':') ? '2001:db8::10' : '10.0.0.10');

async function leavesNoRules(program: Program): Promise<void> {
  await program.stop();
  assert.is(rules().trim(), '');
}

test('we route by way of the addresses, and take nothing that is sent to them', async () => {
  const program = vipkeeper(router, configuration('no_accept'), '-P');
  await routesAndTakesNothing();
  await leavesNoRules(program);
});

test('so does keepalived', async () => {
  const program = keepalived(router, configuration('no_accept'), '-P', '-G');
  await routesAndTakesNothing();
  await leavesNoRules(program);
});

test('strict mode implies it, for all but the owner', async () => {
  const program = vipkeeper(router, configuration('strict_mode'), '-P');
  await routesAndTakesNothing();
  await leavesNoRules(program);
});

test('a reload takes it back: the addresses answer', async () => {
  const program = vipkeeper(router, configuration('no_accept'), '-P');
  await routesAndTakesNothing();
  file(router, 'vipkeeper.conf', configuration('accept'));
  operator(router, 'reload');
  for (const vip of VIPS) await scene.until(`${vip} answers`, () => pings(user, vip));
  assert.is(rules().trim(), '');
  file(router, 'vipkeeper.conf', configuration('no_accept').replace('nftables', 'nftables other'));
  operator(router, 'reload');
  await routesAndTakesNothing();
  assert.match(rules(), 'table ip other');
  await leavesNoRules(program);
});

test('rules that a crash left go with the next start', async () => {
  const program = vipkeeper(router, configuration('no_accept'), '-P');
  await routesAndTakesNothing();
  router.kill('SIGKILL');
  await program.stop();
  assert.match(rules(), VIPS[0] ?? '');
  const next = vipkeeper(router, configuration('accept'), '-P');
  await scene.until('the rules are gone', () => rules().trim() === '');
  await leavesNoRules(next);
});

test.run();
