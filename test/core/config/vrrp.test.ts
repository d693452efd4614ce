import * as assert from 'uvu/assert';
import { NO_HOST } from '../../../src/core/config/facts.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { configured, findings, instance, loadText } from './memory.ts';

const test = suite('vrrp settings');
const VIP = 'virtual_ipaddress { 10.0.0.1 }';
const only = (body: string) => {
  const [first] = configured(instance(`${body}\n${VIP}`)).instances;
  if (first === undefined) throw new Error('no instance');
  return first;
};

test('what an instance is when it says only what it must', () => {
  assert.equal(configured(`vrrp_instance V {\ninterface eth0\nvirtual_router_id 9\n${VIP}\n}`).instances, [
    {
      name: 'V',
      interface: 'eth0',
      family: 4,
      version: 2,
      vrid: 9,
      priority: 100,
      initial: 'BACKUP',
      advertInterval: seconds(1),
      preempt: true,
      addresses: [{ address: { ip: '10.0.0.1', length: 32 }, scope: 0 }],
      excluded: [],
      plainChecksum: false,
      downAdverts: 3,
      quietToLower: false,
      announce: { repeat: 5, delay: seconds(5), refresh: 0, refreshRepeat: 1 },
      lease: seconds(2),
      term: seconds(3),
    },
  ]);
});

test('state MASTER with auth_type AH begins as BACKUP, and keeps nopreempt', () => {
  const auth = 'authentication {\nauth_type AH\nauth_pass x\n}';
  const body = `state MASTER\nnopreempt\npriority 150\n${auth}`;
  assert.equal([only(body).initial, only(body).preempt], ['BACKUP', false]);
  assert.match(findings(instance(`${body}\n${VIP}`)).join(), /with auth_type AH it begins as BACKUP/);
  assert.is(only(body.replace('nopreempt', '').replace('150', '255')).initial, 'MASTER');
});

test('address lines: every option', () => {
  const text = `virtual_ipaddress {
    10.0.0.1/24 brd + dev eth1 label eth1:0 scope link
    10.0.0.2/30 broadcast 10.0.0.9
    10.0.0.3 brd - scope 7
  }
  virtual_ipaddress_excluded {
    2001:DB8::1
  }`;
  const [v] = configured(instance(text)).instances;
  assert.equal(v?.addresses, [
    {
      address: { ip: '10.0.0.1', length: 24 },
      dev: 'eth1',
      label: 'eth1:0',
      broadcast: '10.0.0.255',
      scope: 253,
    },
    { address: { ip: '10.0.0.2', length: 30 }, broadcast: '10.0.0.9', scope: 0 },
    { address: { ip: '10.0.0.3', length: 32 }, scope: 7 },
  ]);
  assert.equal(v?.excluded, [{ address: { ip: '2001:db8::1', length: 128 }, scope: 0 }]);
});

test('what must be there', () => {
  assert.equal(findings('vrrp_instance V {\n}'), [
    'error 1:1 vrrp_instance V has no interface',
    'error 1:1 vrrp_instance V has no virtual_router_id',
    'warning 1:1 vrrp_instance V has no virtual_ipaddress',
  ]);
  assert.equal(findings(instance('virtual_ipaddress {\n}')).length, 1);
  assert.equal(findings(instance('no_virtual_ipaddress')), []);
});

test('names, VRIDs of an interface and family, and addresses are unique', () => {
  const two = (a: string, b: string) => findings(a + b);
  const v = instance(VIP);
  assert.equal(two(v, instance('virtual_ipaddress { 10.0.0.2 }', 'V', 2)), [
    'warning 7:1 vrrp_instance V is defined twice: the first counts',
  ]);
  assert.equal(two(v, instance('virtual_ipaddress { 10.0.0.2 }', 'W', 1)), [
    'error 9:1 VRID 1 is used twice on eth0 for IPv4',
  ]);
  assert.equal(two(v, instance('virtual_ipaddress { fe80::1 }', 'W', 1)), []);
  assert.equal(two(v, instance(VIP, 'W', 2)), [
    'warning 11:21 10.0.0.1 on eth0 is there twice: it stays while one of both is master',
  ]);
  assert.equal(two(v, instance('virtual_ipaddress { 10.0.0.1 dev eth1 }', 'W', 2)), [
    'warning 11:21 the address 10.0.0.1 is used on two interfaces',
  ]);
  const excluded = `${VIP}\nvirtual_ipaddress_excluded {\n10.0.0.1/24\n}`;
  assert.equal(findings(instance(excluded)), [
    'warning 7:1 10.0.0.1 on eth0 is there twice: it stays while one of both is master',
  ]);
});

test('IPv6: version 3, one family, in strict mode a link-local address first', () => {
  const [v] = configured(instance('virtual_ipaddress {\nfe80::1\n2001:db8::1/64\n}')).instances;
  assert.equal([v?.family, v?.version], [6, 3]);
  const found = (lines: string) => findings(instance(`virtual_ipaddress {\n${lines}\n}`));
  assert.equal(found('2001:db8::1'), []);
  assert.equal(findings(instance('strict_mode\nvirtual_ipaddress {\n2001:db8::1\n}')), [
    'warning 6:1 strict mode: the first IPv6 address should be link-local (RFC 9568, 5.2.9)',
  ]);
  assert.equal(found('10.0.0.1\nfe80::1'), [
    'warning 7:1 an advert has one family, here IPv4: this address is left out',
  ]);
  assert.equal(findings(instance('version 2\nvirtual_ipaddress { fe80::1 }')), [
    'warning 5:1 IPv6 has no version 2: version 3 is used',
  ]);
});

test('more addresses than an advert holds: the rest is excluded, behind those that are', () => {
  const list = (count: number, address: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => address(i)).join('\n');
  const counts = (addresses: string, more = '', mtu?: number) => {
    const text = instance(`${more}\nvirtual_ipaddress {\n${addresses}\n}`);
    const { configuration, diagnostics } = loadText(text, {}, { ...NO_HOST, mtu: () => mtu });
    const [v] = configuration?.instances ?? [];
    const last = v?.excluded.map(({ address }) => address.ip).join(' ');
    return [v?.addresses.length, last, diagnostics.map(({ message }) => message).join()];
  };
  const v4 = (i: number) => `10.0.${i >> 8}.${i & 255}`;
  assert.equal(counts(list(257, v4), 'virtual_ipaddress_excluded {\n10.9.9.9\n}'), [
    255,
    '10.9.9.9 10.0.0.255 10.0.1.0',
    'an advert holds 255 addresses: this one and 1 more are not advertised',
  ]);
  // keepalived 2.2.7 on an interface with an MTU of 1500, and of 300.
  assert.is(counts(list(90, (i) => `2001:db8::${i + 1}`))[0], 89);
  assert.is(counts(list(90, v4), '', 300)[0], 62);
});

test('advert_int: version 2 has whole seconds, version 3 hundredths up to 40.95', () => {
  assert.is(only('version 3\nadvert_int 0.25').advertInterval, 250_000);
  assert.is(only('version 3\nadvert_int 0.014').advertInterval, 10_000);
  assert.is(only('advert_int 2.6').advertInterval, seconds(3));
  assert.is(only('advert_int 0.2').advertInterval, seconds(1));
  const found = (body: string) => findings(instance(`${body}\n${VIP}`));
  assert.match(found('advert_int 0.2').join(), /^warning 5:12 advert_int: version 2 has whole seconds/);
  assert.equal(found('version 3\nadvert_int 41'), [
    'warning 6:12 advert_int: version 3 has at most 40.95 seconds: that is used',
  ]);
  assert.match(found('advert_int 256').join(), /^warning 5:12 .* it has no effect/);
});

test('state MASTER without a priority means the address owner, and ends nopreempt', () => {
  const text = (body: string) => `vrrp_instance V {\ninterface eth0\nvirtual_router_id 9\n${body}\n${VIP}\n}`;
  const [owner] = configured(text('state MASTER')).instances;
  assert.equal([owner?.priority, owner?.initial], [255, 'MASTER']);
  assert.match(findings(text('state MASTER')).join(), /^warning 4:1 state MASTER without priority means 255/);
  assert.is(configured(text('priority 255')).instances[0]?.initial, 'MASTER');
  assert.is(only('state BACKUP\nnopreempt').preempt, false);
  const [master] = configured(text('state MASTER\npriority 100\nnopreempt')).instances;
  assert.is(master?.preempt, true);
  assert.match(
    findings(text('state MASTER\npriority 100\nnopreempt')).join(),
    /^warning 6:1 nopreempt has no effect/,
  );
});

test('authentication: PASS, eight bytes, version 2', () => {
  const auth = (type: string, pass: string) => `authentication {\nauth_type ${type}\nauth_pass ${pass}\n}`;
  assert.is(only(auth('PASS', 'secret')).password, 'secret');
  assert.is(only(auth('PASS', '"123456789"')).password, '12345678');
  assert.is(only(auth('PASS', '1234567ü')).password, '1234567');
  assert.is(only(`version 3\n${auth('PASS', 'x')}`).password, undefined);
  assert.is(only(auth('AH', '"123456789"')).ah, '12345678');
  const six = 'virtual_ipaddress { fe80::1 }';
  assert.is(only(auth('AH', 'x')).password, undefined);
  assert.match(findings(instance(`${six}\nversion 2\n${auth('AH', 'x')}`)).join(), /no authentication/);
  assert.match(findings(instance(`${VIP}\nauthentication {\nauth_type PASS\n}`)).join(), /has no auth_pass/);
});

test('global settings are defaults for the instances', () => {
  const global = `global_defs {
    vrrp_version 3
    vrrp_garp_master_delay 1
    vrrp_garp_master_repeat 0
    vrrp_garp_master_refresh 30
    vrrp_garp_master_refresh_repeat 2
    vrrp_down_timer_adverts 4
    vrrp_lower_prio_no_advert
    v3_checksum_as_v2 off
  }\n`;
  const [v] = configured(global + instance(VIP)).instances;
  assert.equal([v?.version, v?.downAdverts, v?.quietToLower, v?.plainChecksum], [3, 4, true, false]);
  assert.equal(v?.announce, { repeat: 1, delay: seconds(1), refresh: seconds(30), refreshRepeat: 2 });
  const own = 'version 2\ndown_timer_adverts 2\nlower_prio_no_advert no\ngarp_master_delay 0';
  const [w] = configured(global + instance(`${own}\n${VIP}`)).instances;
  assert.equal([w?.version, w?.downAdverts, w?.quietToLower, w?.announce.delay], [2, 2, false, 0]);
  const [least] = configured(`global_defs {\nvrrp_min_garp\n}\n${instance(VIP)}`).instances;
  assert.equal([least?.announce.repeat, least?.announce.delay], [1, 0]);
});

test('vip_lease: on where it ends before the peer takes over, off by word', () => {
  assert.is(only('advert_int 1').lease, seconds(2));
  assert.is(only('version 3\nadvert_int 0.1').lease, 0);
  assert.is(only('vip_lease off').lease, 0);
  // The packet filter's lease is as long as a backup waits, or as is written.
  assert.is(only('advert_int 1').term, seconds(3));
  assert.is(only('version 3\nadvert_int 0.1').term, seconds(0.3));
  assert.is(only('version 3\nadvert_int 0.1\ndown_timer_adverts 5').term, seconds(0.5));
  assert.is(only('vip_lease 60').term, seconds(60));
  assert.is(only('vip_lease 2').term, seconds(3));
  assert.is(only('vip_lease off').term, undefined);
  const found = (body: string) => findings(instance(`${body}\n${VIP}`)).join();
  assert.is(found('vip_lease 2'), '');
  assert.is(found('vip_lease 3'), 'warning 5:11 vip_lease: the peer may take over before this lease ends');
  assert.match(found('advert_int 2\nvip_lease 2'), /^error 6:11 vip_lease: adverts every 2 s cannot keep/);
  assert.match(found('vip_lease 0'), /^error 5:11 vip_lease: expected a whole number from 1 to 3600, or off/);
});

test('lvs_sync_daemon: its options, its instance, and that instance must exist', () => {
  const sync = (line: string, rest = instance(VIP, 'V', 7)) =>
    `global_defs {\nlvs_sync_daemon ${line}\n}\n${rest}`;
  assert.equal(configured(sync('eth1 V')).syncDaemon, {
    interface: 'eth1',
    instance: 'V',
    id: 7,
    bulkPort: 8849,
    alarm: 5,
  });
  assert.equal(configured(sync('eth1 inst V id 3 maxlen 1400 port 9 ttl 2 group 224.0.0.9')).syncDaemon, {
    interface: 'eth1',
    instance: 'V',
    id: 3,
    maxlen: 1400,
    port: 9,
    ttl: 2,
    group: '224.0.0.9',
    bulkPort: 8849,
    alarm: 5,
  });
  assert.equal(configured(sync('eth1')).syncDaemon, { interface: 'eth1', id: 0, bulkPort: 8849, alarm: 5 });
  assert.equal(findings(sync('eth1 W')), ['error 2:22 lvs_sync_daemon: there is no vrrp_instance W']);
  assert.match(findings(sync('eth1 V group 10.0.0.1')).join(), /expected a multicast address/);
});

test('preempt_after_sync and lvs_bulk_port: nobody waits for a copy that cannot come', () => {
  const waits = (global: string, priority = 100): string[] =>
    findings(
      `global_defs {\n${global}\n}\n${instance(`${VIP}\npriority ${priority}\npreempt_after_sync 9`, 'V', 7)}`,
    );
  assert.match(waits('').join(), /error .*preempt_after_sync needs lvs_sync_daemon/);
  assert.match(waits('lvs_sync_daemon eth1 V').join(), /error .*preempt_after_sync needs a heartbeat block/);
  assert.match(
    waits('lvs_sync_daemon eth1 V', 255).join(),
    /preempt_after_sync has no effect with priority 255/,
  );
  assert.match(
    waits('lvs_sync_daemon eth1 V\nlvs_bulk_port 0').join(),
    /error .*preempt_after_sync needs (a heartbeat block|lvs_bulk_port)/,
  );
  const ports = (line: string): string => findings(`global_defs {\nlvs_sync_daemon eth1\n${line}\n}`).join();
  assert.match(ports('lvs_bulk_port 8848'), /^error .*is the port of lvs_sync_daemon/);
  assert.match(ports('lvs_bulk_port 9000'), /^warning .*no effect without a heartbeat block/);
  assert.is(ports('lvs_bulk_port 0'), '');
});

test('an interface that is missing is a warning, unless dynamic_interfaces says that it may be', () => {
  const facts = { ...NO_HOST, hasInterface: (name: string) => name !== 'eth0' };
  const text = instance(VIP);
  assert.equal(findings(text, {}, facts), ['warning 2:11 there is no interface eth0 yet: V waits for it']);
  for (const words of ['dynamic_interfaces', 'dynamic_interfaces allow_if_changes'])
    assert.equal(findings(`global_defs {\n${words}\n}\n${text}`, {}, facts), []);
  assert.equal(findings(text.replace('eth0', 'eth1'), {}, facts), []);
});

test('each interface is asked about once, however many virtual routers are on it', () => {
  const asked: string[] = [];
  const ask = (what: string) => asked.push(what) > 0;
  const facts = {
    ...NO_HOST,
    hasInterface: (name: string) => ask(name),
    mtu: (name: string) => (ask(`mtu of ${name}`) ? 1500 : undefined),
  };
  findings(['V', 'W', 'X'].map((name, i) => instance(VIP, name, i + 1)).join(''), {}, facts);
  assert.equal(asked, [...new Set(asked)]);
  assert.ok(asked.includes('eth0'));
});

test('garp_extra_if, vmac_garp_intvl: the period, on which interfaces; 0 takes back the global one', () => {
  const elsewhere = (body: string, global = '') =>
    configured(`global_defs {\n${global}\n}\n${instance(`${body}\n${VIP}`)}`).instances[0]?.announce
      .elsewhere;
  assert.is(elsewhere(''), undefined);
  assert.equal(elsewhere('garp_extra_if all 100'), { all: true, period: seconds(100) });
  assert.equal(elsewhere('vmac_garp_intvl 7'), { all: false, period: seconds(7) });
  assert.equal(elsewhere('', 'vrrp_garp_extra_if 9'), { all: false, period: seconds(9) });
  assert.equal(elsewhere('', 'vrrp_vmac_garp_intvl all 9'), { all: true, period: seconds(9) });
  assert.is(elsewhere('garp_extra_if 0', 'vrrp_garp_extra_if 9'), undefined);
});

test('skip_check_adv_addr: false is off, which keepalived takes for on', () => {
  const skips = (body: string, global = '') =>
    configured(`global_defs {\n${global}\n}\n${instance(`${body}\n${VIP}`)}`).instances[0]?.skipAddressCheck;
  assert.equal(
    ['', 'skip_check_adv_addr', 'skip_check_adv_addr false'].map((body) => skips(body)),
    [undefined, true, undefined],
  );
  assert.is(skips('', 'vrrp_skip_check_adv_addr'), true);
  assert.is(skips('skip_check_adv_addr off', 'vrrp_skip_check_adv_addr'), undefined);
});

test("this host's own address among the peers is left out; alone it is an error", () => {
  const own = { ...NO_HOST, isOwnAddress: (address: string) => address === '192.0.2.1' };
  const peers = (list: string) =>
    loadText(instance(`unicast_peer {\n${list}\n}\n${VIP}`), {}, own as typeof NO_HOST);
  const all = peers('192.0.2.1\n192.0.2.2\n192.0.2.3');
  assert.equal(
    all.configuration?.instances[0]?.peers?.map(({ address }) => address),
    ['192.0.2.2', '192.0.2.3'],
  );
  assert.equal(
    all.diagnostics.map(({ severity, message }) => `${severity} ${message}`),
    ["warning the peer 192.0.2.1 is this host's own address: it is left out"],
  );
  assert.ok(
    peers('192.0.2.1').diagnostics.some(({ message }) => /no peer but this host's own/.test(message)),
  );
});

test('an address or a route on an interface that is not there is a doubt', () => {
  const facts = { ...NO_HOST, hasInterface: (name: string) => name !== 'wan9' };
  const body =
    'virtual_ipaddress {\n10.0.0.1 dev wan9\n10.0.0.2 dev vrrp.1\n}\nvirtual_routes {\n10.1.0.0/16 dev wan9\n}';
  const said = (text: string) =>
    loadText(text, {}, facts).diagnostics.map(({ at, message }) => `${at.line} ${message}`);
  const MISSING = 'there is no interface wan9 yet: this waits for it';
  assert.equal(said(instance(`use_vmac vrrp.1\n${body}`)), [`7 ${MISSING}`, `11 ${MISSING}`]);
  assert.equal(said(`global_defs {\ndynamic_interfaces\n}\n${instance(body)}`), []);
});

test('after a lesser master was heard, what is not said is global, not of the first burst', () => {
  const announce = (own: string, global = '') =>
    configured(`global_defs {\n${global}\n}\n${instance(`${own}\n${VIP}`)}`).instances[0]?.announce;
  const lower = (own: string, global?: string) => {
    const { lowerRepeat, lowerDelay, repeat, delay } = announce(own, global) ?? {};
    return [lowerRepeat ?? repeat, lowerDelay ?? delay];
  };
  assert.equal(lower('garp_master_delay 20\ngarp_master_repeat 2'), [5, seconds(5)]);
  assert.equal(lower('garp_master_delay 20', 'vrrp_garp_master_delay 7'), [5, seconds(7)]);
  assert.equal(lower('garp_lower_prio_delay 3\ngarp_lower_prio_repeat 0'), [0, seconds(3)]);
  assert.equal(lower('', 'vrrp_garp_lower_prio_delay 9\nvrrp_garp_lower_prio_repeat 4'), [4, seconds(9)]);
});

test.run();
