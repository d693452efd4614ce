import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { Monitor } from './monitor.ts';
import { Stage, until } from './stage.ts';

await enclose();

/** Routes, rules and static lines in the real kernel's tables. */
const test = suite('routes and rules of a daemon');
const stage = new Stage();
const monitor = new Monitor('cable', 'address', 'route', 'rule');

const ip = (words: string): string => execFileSync('ip', words.split(' '), { encoding: 'utf8' });
/** The lines of our origin, without blanks at their ends. */
const lines = (words: string): string[] =>
  ip(words)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('proto keepalived'));
const routes = (): string[] =>
  lines('-d route show table all').map((line) => line.replace(/^unicast /, '').replace(' table main', ''));
const rules = (): string[] => lines('-d rule show');
const holds = (address: string): boolean => ip(`-o address show to ${address}`) !== '';
const VIP = '10.9.0.100';
const OTHER = '10.9.0.101';

/** A router without a rival: master after 0.36 s. */
const router = (name: string, vrid: number, vips: readonly string[], ...more: string[]): string => `
vrrp_instance ${name} {
  interface lan
  virtual_router_id ${vrid}
  version 3
  advert_int 0.1
  priority 150
  garp_master_delay 0
  virtual_ipaddress {
    ${vips.map((vip) => `${vip}/24`).join('\n    ')}
  }
  ${more.join('\n  ')}
}
`;
const block = (name: string, ...content: string[]): string => `${name} {\n  ${content.join('\n  ')}\n}\n`;
const ROUTES = block(
  'virtual_routes',
  `192.0.2.0/24 via 10.9.0.7 dev lan src ${VIP}`,
  'blackhole 10.66.0.0/16',
);
const RULES = block('virtual_rules', 'from 192.0.2.0/24 table 100 priority 700');

test.before(() => {
  ip('link add other type veth peer name cable');
  for (const device of ['other', 'cable']) ip(`link set ${device} up`);
});
test.before.each(() => {
  ip('link set other up');
});
test.after.each(() => {
  if (stage.runs) stage.stop();
  assert.equal([routes(), rules()], [[], []], 'nothing is left behind');
});
test.after(() => {
  monitor.close();
  stage.close();
});

/** What left the kernel's tables since `from`, of what matters here. */
async function deletions(from: number, pattern: RegExp): Promise<string[]> {
  const told = (await monitor.heard()).slice(from).split('\n');
  return told.filter((line) => line.startsWith('Deleted') && pattern.test(line));
}

test('a master has routes and rules, and gives them up', () => {
  stage.start(router('web', 7, [VIP], ROUTES, RULES));
  until(() => rules().length === 1, 'the rule is there');
  assert.equal(routes(), [
    'blackhole 10.66.0.0/16 proto keepalived scope global',
    `192.0.2.0/24 via 10.9.0.7 dev lan proto keepalived scope global src ${VIP}`,
  ]);
  assert.equal(rules(), ['700:\tfrom 192.0.2.0/24 lookup 100 proto keepalived']);
  assert.is(stage.operator('maintenance', 'on').status, 0);
  until(() => routes().length + rules().length === 0, 'both are gone');
  assert.not.ok(holds(VIP));
  assert.is(stage.operator('maintenance', 'off').status, 0);
  until(() => routes().length === 2 && rules().length === 1, 'both are back');
});

test('what somebody removes or replaces is put back, without no_track', () => {
  const untracked = block('virtual_routes', '10.67.0.0/16 dev lan no_track', '10.68.0.0/16 dev lan');
  stage.start(router('web', 7, [VIP], untracked, RULES));
  until(() => rules().length === 1 && routes().length === 2, 'they are there');
  ip('route del 10.67.0.0/16');
  ip('route del 10.68.0.0/16');
  ip('rule del priority 700 protocol keepalived');
  until(() => rules().length === 1 && routes().length === 1, 'what is tracked is back');
  assert.match(routes().join(), /^10\.68/);
  ip('route replace 10.68.0.0/16 dev other');
  until(() => routes().length === 1, 'ours is back after a replacement');
  ip('route del 10.68.0.0/16 dev other');
  assert.is(stage.router('web').state, 'MASTER');
});

test('routes that went with a link without a word are back when it is', () => {
  stage.start(
    router('web', 7, [VIP], block('virtual_routes', '10.69.0.0/16 dev other', 'fd69::/64 dev other')),
  );
  until(() => routes().length === 2, 'they are there');
  ip('link set other down');
  assert.equal(routes(), []);
  ip('link set other up');
  until(() => routes().length === 2, 'they are back');
});

test('the successor of a VRRP process that was killed adopts what is there', async () => {
  stage.start(router('web', 7, [VIP], ROUTES, RULES));
  until(() => rules().length === 1, 'the rule is there');
  const from = (await monitor.heard()).length;
  const { since } = stage.router('web');
  process.kill(stage.pid('vrrp'), 'SIGKILL');
  const successor = (): boolean =>
    stage.router('web').state === 'MASTER' && stage.router('web').since !== since;
  until(successor, 'a successor is master');
  until(() => rules().length === 1 && routes().length === 2, 'it has what is configured');
  assert.equal(
    await deletions(from, /10\.66\.0\.0/),
    ['Deleted blackhole 10.66.0.0/16 proto keepalived '],
    'as a backup it has none',
  );
});

test('a reload exchanges what changed and touches nothing else', async () => {
  stage.start(router('web', 7, [VIP], ROUTES, RULES));
  until(() => rules().length === 1, 'they are there');
  const from = (await monitor.heard()).length;
  stage.reload(
    router(
      'web',
      7,
      [VIP],
      ROUTES.replace('10.9.0.7', '10.9.0.8'),
      RULES.replace('priority 700', 'priority 701'),
    ),
  );
  assert.match(routes().join(), /192\.0\.2\.0\/24 via 10\.9\.0\.8/);
  assert.equal(rules(), ['701:\tfrom 192.0.2.0/24 lookup 100 proto keepalived']);
  const gone = await deletions(from, /10\.66|192\.0\.2|lookup 100/);
  assert.equal(gone, ['Deleted 700:\tfrom 192.0.2.0/24 lookup 100 proto keepalived']);
});

for (const [what, first, second] of [
  ['upward', 'low', 'high'],
  ['downward', 'high', 'low'],
] as const) {
  test(`a reload moves an address, a route and a rule from one master to another, ${what}`, async () => {
    const both = (moved: string): string =>
      (['low', 'high'] as const)
        .map((name, i) => {
          const own = `10.9.0.${110 + i}`;
          return name === moved
            ? router(name, 20 + i, [own, OTHER], ROUTES.replace(VIP, OTHER), RULES)
            : router(name, 20 + i, [own]);
        })
        .join('');
    stage.start(both(first));
    until(() => holds('10.9.0.110') && holds('10.9.0.111') && rules().length === 1, 'both are master');
    const from = (await monitor.heard()).length;
    stage.reload(both(second));
    assert.ok(holds(OTHER));
    assert.equal([routes().length, rules().length], [2, 1]);
    assert.equal(await deletions(from, /10\.9\.0\.101|10\.66|192\.0\.2|lookup 100/), []);
    stage.reload(router('low', 20, ['10.9.0.110']));
    until(() => !holds(OTHER) && routes().length + rules().length === 0, 'they go when nobody has them');
  });
}

test('an address is as its line says; without tracking, one that somebody removes stays away', () => {
  const line = 'virtual_ipaddress_excluded';
  const flagged = 'fd09::9/64 dev lan preferred_lft 0 noprefixroute home mngtmpaddr';
  stage.start(
    router(
      'web',
      7,
      [VIP],
      block(line, '10.9.0.102/32 dev lan no_track', flagged, '10.9.0.103/24 noprefixroute'),
    ),
  );
  until(() => holds('fd09::9') && holds('10.9.0.103'), 'all are there');
  const shown = ip('-o address show to fd09::9');
  for (const flag of ['home', 'mngtmpaddr', 'noprefixroute', 'deprecated', 'nodad'])
    assert.match(shown, flag);
  assert.match(ip('-o address show to 10.9.0.103'), 'noprefixroute');
  ip('address del 10.9.0.102/32 dev lan');
  ip(`address del ${VIP}/24 dev lan`);
  until(() => holds(VIP), 'what is tracked is back');
  assert.not.ok(holds('10.9.0.102'));
});

test('promote_secondaries is set while the router is configured', () => {
  const path = '/proc/sys/net/ipv4/conf/lan/promote_secondaries';
  const value = (): string => readFileSync(path, 'latin1').trim();
  writeFileSync(path, '0');
  stage.start(router('web', 7, [VIP], 'promote_secondaries'));
  until(() => holds(VIP), 'it is master');
  assert.is(value(), '1');
  stage.reload(router('web', 7, [VIP]));
  assert.is(value(), '0');
  stage.reload(router('web', 7, [VIP], 'promote_secondaries'));
  stage.stop();
  assert.is(value(), '0');
});

test('static lines are kept without any router, and put back', () => {
  const statics = [
    block('static_ipaddress', '10.8.0.1/24 dev other', 'fd08::1/64 dev other'),
    block(
      'static_routes',
      '10.70.0.0/16 via 10.8.0.7 src 10.8.0.1 metric 9',
      'default6 via fd08::7 dev other table 77',
    ),
    block('static_rules', 'inet6 from fd08::/64 table 77 priority 77'),
  ];
  stage.start(statics.join(''));
  const there = (): boolean =>
    holds('10.8.0.1') && holds('fd08::1') && routes().length === 2 && lines('-6 rule show').length === 1;
  until(there, 'all of it is there');
  ip('address del 10.8.0.1/24 dev other');
  ip('-6 rule del priority 77 protocol keepalived');
  until(there, 'all of it is back, with the route that went with its source');
  stage.stop();
  assert.equal([holds('10.8.0.1'), holds('fd08::1'), lines('-6 rule show')], [false, false, []]);
});

test('lines of every form are adopted as they are after a crash', async () => {
  const every = [
    '10.21.0.0/16 via 10.9.0.7 table 200 tos 0x10 src 10.9.0.1 realms 1/2',
    '10.22.0.0/16 via 10.9.0.7 mtu lock 1400 advmss 1300 rtt 300ms rttvar 400ms rto_min 300ms window 4096',
    '10.23.0.0/16 via 10.9.0.7 hoplimit 9 initcwnd 20 initrwnd 30 quickack 1 features ecn congctl lock reno',
    '10.25.0.0/16 nexthop via 10.9.0.7 dev lan weight 3 nexthop via 10.9.0.8 dev lan onlink',
    '10.26.0.0/16 via 172.16.0.1 dev lan onlink',
    'unreachable 10.28.0.0/16 metric 70',
    'throw 10.30.0.0/16 table 1000',
    'local 10.31.0.0/16 dev lan table 200',
    '10.34.0.0/16 via inet6 fe80::7 dev lan',
    'fd20::/64 via fe80::7 dev lan pref high mtu 1400',
    'fd21::/64 dev lan metric 5 table 200',
    'fd22::/64 nexthop via fe80::7 dev lan weight 2 nexthop via fe80::8 dev lan',
    'unreachable fd23::/64',
  ];
  const both =
    block('static_routes', ...every) +
    block('static_rules', 'not from 10.0.0.0/8 fwmark 7/255 table 200 priority 9');
  stage.start(both + router('web', 7, [VIP]));
  until(() => rules().length === 1 && holds(VIP), 'they are there');
  const before = routes();
  const from = (await monitor.heard()).length;
  const { since } = stage.router('web');
  process.kill(stage.pid('vrrp'), 'SIGKILL');
  until(
    () => stage.router('web').state === 'MASTER' && stage.router('web').since !== since,
    'a successor is master',
  );
  assert.equal(await deletions(from, /proto keepalived/), []);
  assert.equal(routes(), before);
});

test('a router whose track group lacks something static is in FAULT', () => {
  const group = block('track_group watched', 'group {', '  web', '}');
  const statics = [
    block('static_ipaddress', '10.8.0.1/24 dev other track_group watched'),
    block('static_routes', '10.70.0.0/16 via 10.8.0.7 dev other track_group watched'),
  ];
  stage.start(group + statics.join('') + router('web', 7, [VIP]));
  until(() => holds(VIP), 'it is master');
  ip('link set other down');
  until(() => !holds(VIP), 'the VIP goes');
  const { state, faults } = stage.router('web');
  assert.is(state, 'FAULT');
  assert.match(faults.join(), /^track_group watched: /);
  ip('link set other up');
  until(() => holds(VIP), 'it comes back');
  ip('route del 10.70.0.0/16');
  until(() => routes().length === 1, 'a route that somebody removes is put back');
  assert.is(stage.router('web').state, 'MASTER');
});

test('a stop right after a crash leaves nothing: before the next process is there, and when it has just begun', () => {
  const text = `${router('web', 7, [VIP], ROUTES, RULES)}${block('static_routes', '198.51.100.0/24 via 10.9.0.7')}`;
  for (const moment of ['before', 'begun'] as const) {
    stage.configure(text);
    assert.is(stage.daemon('-P').status, 0);
    until(() => holds(VIP) && routes().length === 3 && rules().length === 1, 'it is master');
    const dead = stage.pid('vrrp');
    process.kill(dead, 'SIGKILL');
    if (moment === 'begun') until(() => stage.pid('vrrp') !== dead, 'there is another');
    stage.stop();
    assert.equal([routes(), rules(), holds(VIP)], [[], [], false], moment);
  }
});

test('an address with a peer: as written, changed by a reload, and gone after the stop', () => {
  const shown = (): string[] =>
    ip('-o address show dev lan').match(/(?:10\.8\.0\.1|2001:db8::1)(?: peer \S+|\/\d+)/g) ?? [];
  const text = (peer: string, six: string): string => {
    const excluded = block('virtual_ipaddress_excluded', `2001:db8::1 peer ${six}`);
    return router('web', 7, [VIP], excluded).replace(`${VIP}/24`, `10.8.0.1 peer ${peer}`);
  };
  stage.configure(text('10.8.0.2', '2001:db8::2'));
  assert.is(stage.daemon('-P').status, 0);
  until(() => shown().length === 2, 'it is master');
  assert.equal(shown(), ['10.8.0.1 peer 10.8.0.2/32', '2001:db8::1 peer 2001:db8::2/128']);
  stage.configure(text('10.8.0.3', '2001:db8::3'));
  assert.is(stage.operator('reload').status, 0);
  const others = ['10.8.0.1 peer 10.8.0.3/32', '2001:db8::1 peer 2001:db8::3/128'];
  until(() => shown().join() === others.join(), 'the others are there instead');
  stage.stop();
  assert.equal(shown(), []);
});

test.run();
