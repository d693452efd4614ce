import * as assert from 'uvu/assert';
import { type Facts, NO_HOST } from '../../../src/core/config/facts.ts';
import { testExitCode } from '../../../src/core/config/load.ts';
import { print } from '../../../src/core/config/print.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { configured, findings, instance, loadText } from './memory.ts';

const test = suite('tracking, groups and scripts');
const VIP = 'virtual_ipaddress { 10.0.0.1 }';
const script = (name: string, body = '') =>
  `vrrp_script ${name} {\nscript "/bin/check a 'b c'"\n${body}\n}\n`;
const tracking = (lines: string) => instance(`${lines}\n${VIP}`);
/** The host of these tests. */
const host: Facts = {
  ...NO_HOST,
  isOwnAddress: (address) => address === '10.0.0.7',
  user: (name) => (name === 'worker' ? { uid: 33, gid: 34 } : NO_HOST.user(name)),
  group: (name) => (name === 'staff' ? 50 : undefined),
  program(name) {
    if (name === '/bin/gone') return { kind: 'missing' };
    if (name === '/bin/shared') return { kind: 'found', executable: true, writable: '/bin' };
    return { kind: 'found', executable: name !== '/bin/text' };
  },
};
const told = (text: string): string[] => findings(text, {}, host);

test('a script: its words, its times, and who runs it', () => {
  const whole = script('s', 'interval 2.5\ntimeout 1\nrise 2\nfall 3\nuser worker :staff');
  const { configuration, diagnostics } = loadText(whole, {}, host);
  assert.equal(diagnostics, []);
  assert.equal(configuration?.scripts, [
    {
      name: 's',
      command: ['/bin/check', 'a', 'b c'],
      interval: seconds(2.5),
      timeout: seconds(1),
      rise: 2,
      fall: 3,
      user: { uid: 33, gid: 50 },
    },
  ]);
  const [plain] = configured(script('s', 'interval 0')).scripts;
  assert.equal([plain?.interval, plain?.timeout, plain?.user], [seconds(1), seconds(1), undefined]);
});

test("a line's weight counts before the block's", () => {
  const blocks = `${script('s', 'weight -4 reverse')}track_file f {\nfile /run/f\n}\n`;
  const lines = 'track_script {\ns\n}\ntrack_file {\nf weight 2 reverse\n}\ntrack_interface {\neth1\n}';
  assert.equal(configured(blocks + tracking(lines)).instances[0]?.track, [
    { kind: 'interface', name: 'eth1', weight: 0, reverse: false },
    { kind: 'script', name: 's', weight: -4, reverse: true },
    { kind: 'file', name: 'f', weight: 2, reverse: true },
  ]);
});

test('what is tracked must be there, by its right name', () => {
  assert.equal(told(script('check_web') + tracking('track_script { check_wbe }')), [
    'error 9:16 there is no vrrp_script check_wbe',
  ]);
  for (const kind of ['file', 'process', 'bfd'])
    assert.match(told(tracking(`track_${kind} { x }`)).join(), / there is no \w+ x$/);
  const hint = loadText(script('check_web') + tracking('track_script { check_wbe }')).diagnostics[0]?.hint;
  assert.is(hint, 'did you mean check_web?');
});

test('keepalived wants definitions first: here it is a warning', () => {
  assert.equal(told(tracking('track_script { s }') + script('s')), [
    'warning 5:16 keepalived would not find vrrp_script s: it is defined further down',
  ]);
});

test('names are there once', () => {
  const twice: [string, string][] = [
    ['vrrp_script', script('x') + script('x')],
    ['track_file', 'track_file x {\nfile /a\n}\ntrack_file x {\nfile /b\n}\n'],
    ['vrrp_track_process', 'vrrp_track_process x {\nprocess a\n}\n'.repeat(2)],
    ['bfd_instance', 'bfd_instance x {\nneighbor_ip 10.0.0.2\n}\n'.repeat(2)],
    [
      'vrrp_sync_group',
      `${tracking('')}vrrp_sync_group x {\ngroup { V }\n}\nvrrp_sync_group x {\ngroup { V }\n}\n`,
    ],
  ];
  for (const [block, text] of twice) assert.match(told(text).join('\n'), `${block} x is defined twice`);
});

test('weights out of range are cut, which is the same; words are errors', () => {
  const list = (line: string) => told(script('s') + tracking(`track_script { ${line} }`)).join();
  assert.match(list('s weight 254'), /^warning .* from -253 to 253, found '254': 253 is used/);
  assert.match(list('s weight x'), /^error .* from -253 to 253/);
  assert.match(
    told(script('s', 'weight 500')).join(),
    /^warning 3:8 weight: expected a whole number from -253 to 253, found '500': 253 is used/,
  );
});

test('a priority that cannot do what it seems to be for', () => {
  const chances = (priority: number, track: string) =>
    told(script('s') + tracking(track).replace('priority 100', `priority ${priority}`)).join();
  assert.is(chances(100, 'track_script { s weight 20 }'), '');
  assert.match(chances(255, 'track_script { s weight 20 }'), /255, is moved by no weight/);
  assert.match(chances(1, ''), /priority 1 can never win/);
  assert.match(chances(250, 'track_script { s weight 20 }'), /to 270, and 254 is the most/);
  assert.match(chances(10, 'track_script { s weight -20 }'), /to -10, and 1 is the least/);
});

test('scripts are looked at: a tracked one must be able to run', () => {
  const ran = (path: string, more = '') => told(`vrrp_script s {\nscript "${path}"\n${more}\n}\n`);
  assert.equal(ran('/bin/gone'), [
    'warning 2:1 script: there is no /bin/gone: it is not tracked, as in keepalived',
  ]);
  assert.equal(ran('/bin/text'), [
    'warning 2:1 script: /bin/text is not executable: it is not tracked, as in keepalived',
  ]);
  const gone = 'vrrp_script s {\nscript /bin/gone\n}\n';
  const left = loadText(gone + instance(`track_script {\ns\n}\n${VIP}`), {}, host).configuration;
  assert.equal([left?.scripts, left?.instances[0]?.track], [[], undefined]);
  assert.equal(ran('/bin/shared'), [
    'warning 2:1 script: root would run /bin/shared, and others can write /bin',
  ]);
  assert.equal(ran('/bin/shared', 'user worker'), []);
  assert.equal(ran('/bin/check', 'user wroker'), ['warning 3:1 there is no user wroker: s is not tracked']);
  const secure = told('global_defs {\nenable_script_security\n}\nvrrp_script s {\nscript /bin/shared\n}');
  assert.equal(secure, ['error 5:1 script: root would run /bin/shared, and others can write /bin']);
  const unsafe = loadText(
    'global_defs {\nenable_script_security\n}\nvrrp_script s {\nscript /bin/shared\n}',
    {},
    host,
  );
  assert.is(testExitCode(unsafe), 6);
  const notified = (words: string) => told(instance(`notify_master ${words}\n${VIP}`)).join();
  assert.match(notified('/bin/gone'), /^warning 5:1 notify_master: there is no \/bin\/gone: nothing is run/);
  assert.match(notified('/bin/check wroker'), /^warning 5:1 .* no user wroker: the script is not run/);
  assert.match(notified('/bin/check /bin/check 3'), /error 5:1 .* no user \/bin\/check/);
});

test('a script_user who is not there: one warning, and no script runs as another', () => {
  const scripts =
    'vrrp_script s {\nscript /bin/check\n}\nvrrp_script own {\nscript /bin/check\nuser worker\n}\n';
  const hooks = 'notify_master /bin/n\nnotify_backup /bin/n worker\ntrack_script {\ns\nown\n}\n';
  const text = `global_defs {\nscript_user wroker\nstartup_script /bin/n\n}\n${scripts}${instance(hooks + VIP)}`;
  const { configuration, diagnostics } = loadText(text, {}, host);
  assert.equal(
    diagnostics.map(({ severity, at, message }) => `${severity} ${at.line} ${message}`),
    ['warning 2 there is no user wroker: no script runs that names no user, and each check by one fails'],
  );
  assert.equal(
    configuration?.scripts.map(({ name }) => name),
    ['own'],
  );
  assert.equal(Object.keys(configuration?.notify.subjects[0]?.scripts ?? {}), ['backup']);
  assert.is(configuration?.global.startup, undefined);
});

test('notify scripts: every event, who runs them, and their limit', () => {
  const text = instance(`notify "/bin/n 'a b'" worker\nnotify_deleted /bin/d\n${VIP}`);
  const { configuration } = loadText(`global_defs {\nnotify_timeout 5\n}\n${text}`, {}, host);
  assert.equal(configuration?.notify, {
    subjects: [
      {
        of: 'instance',
        name: 'V',
        scripts: {
          any: { command: ['/bin/n', 'a b'], user: { uid: 33, gid: 34 } },
          deleted: { command: ['/bin/d'] },
        },
        mail: false,
      },
    ],
    fifos: {},
    timeout: seconds(5),
    statesOnReload: false,
  });
});

test('a group: its members are there, and in no other', () => {
  const two = tracking('') + instance('virtual_ipaddress { 10.0.0.2 }', 'W', 2);
  const group = (name: string, members: string) => `vrrp_sync_group ${name} {\ngroup { ${members} }\n}\n`;
  assert.equal(configured(two + group('g', 'V W')).groups, [
    { name: 'g', members: ['V', 'W'], track: [], weights: false },
  ]);
  assert.match(told(two + group('g', 'V X')).join(), /there is no vrrp_instance X/);
  assert.match(told(two + group('g', 'V W') + group('h', 'W')).join(), /W is in a sync group already/);
  assert.match(told(two + group('g', 'V')).join(), /has one member only/);
  assert.match(told(`${two}vrrp_sync_group g {\n}\n`).join(), /g has no members/);
});

test('unicast: limits, the wrong family, and a peer that is this host', () => {
  const unicast = (peers: string, more = '') => told(tracking(`unicast_peer {\n${peers}\n}\n${more}`)).join();
  const [built] = configured(
    tracking(
      'unicast_src_ip 10.0.0.7\nunicast_peer {\n10.0.0.2 min_ttl 9 max_ttl 9\n10.0.0.3\n}\nunicast_ttl 9',
    ),
  ).instances;
  assert.equal(built?.peers, [{ address: '10.0.0.2', minTtl: 9, maxTtl: 9 }, { address: '10.0.0.3' }]);
  assert.equal([built?.source, built?.unicastTtl], ['10.0.0.7', 9]);
  assert.match(unicast('10.0.0.7'), /10.0.0.7 is this host's own address/);
  assert.match(unicast('10.0.0.3', 'unicast_src_ip 10.0.0.3'), /is this host's own address/);
  assert.match(unicast('fe80::1'), /is no IPv4 address/);
  assert.match(unicast('10.0.0.2 min_ttl 9 max_ttl 8'), /no TTL is at least 9 and at most 8/);
  assert.match(told(tracking('unicast_src_ip 10.0.0.9')).join(), /adverts are multicast, as in keepalived/);
  assert.match(told(tracking('unicast_src_ip 10.0.0.9\nunicast_fault_no_peer')).join(), /there is no peer/);
});

test('auth_hmac: keys as hexadecimal, text or a file, and one that signs', () => {
  const hex = 'ab'.repeat(32);
  const hmac = (lines: string) => tracking(`advert_int 4\nauth_hmac {\n${lines}\n}`);
  const files = { '/key': `${'k'.repeat(32)}\n`, '/short': 'k' };
  const { configuration } = loadText(hmac(`key 1 hex:${hex}\nkey 2 file:/key\nactive_key 2`), files);
  assert.equal(configuration?.instances[0]?.hmac, {
    keys: [
      { id: 1, secret: hex },
      { id: 2, secret: '6b'.repeat(32) },
    ],
    activeKey: 2,
    mode: 'enforce',
    antiReplay: 'time',
    window: seconds(12),
  });
  const wrong = (lines: string) => findings(hmac(lines), files).join();
  assert.match(wrong(`key 1 hex:${hex}`), /no active_key/);
  assert.match(wrong(`key 1 hex:${hex}\nactive_key 3`), /there is no key 3/);
  assert.match(wrong('key 1 hex:abc\nactive_key 1'), /a key of 32 to 64 bytes/);
  assert.match(wrong('key 1 file:/short\nactive_key 1'), /has 1 bytes: 32 to 64 are needed/);
  assert.match(wrong('key 1 file:/none\nactive_key 1'), /cannot be read: \/none does not exist/);
  assert.match(wrong(`key 1 hex:${hex}\nkey 1 hex:${hex}\nactive_key 1`), /key 1 is given twice/);
});

test('BFD sessions: what they are when they say only what they must', () => {
  assert.equal(configured('bfd_instance b {\nneighbor_ip 10.0.0.2\n}').bfd, [
    {
      name: 'b',
      neighbor: '10.0.0.2',
      minRx: seconds(0.01),
      minTx: seconds(0.01),
      idleTx: seconds(1),
      multiplier: 5,
      passive: false,
      ttl: 255,
      maxHops: 0,
      multihop: false,
      tells: 'both',
    },
  ]);
  assert.match(told('bfd_instance b {\nneighbor_ip 10.0.0.7\n}').join(), /this host's own address/);
  assert.match(told('bfd_instance b {\n}').join(), /b has no neighbor_ip/);
  const ipv6 = (line: string) => told(`bfd_instance b {\nneighbor_ip fd00::9\n${line}\n}`);
  assert.match(ipv6('').join(), /^warning 1:1 bfd_instance b sends with hop limit 64/);
  assert.equal(ipv6('hoplimit 255'), []);
  assert.match(ipv6('multihop on').join(), /takes only packets that took no hop/);
  assert.equal(ipv6('multihop on\nmax_hops 3'), []);
});

test('BFD sessions: two with one neighbour, where packets tell which one they are for', () => {
  const two = (one: string, other: string) =>
    told(
      `bfd_instance a {\nneighbor_ip 10.0.0.2\n${one}\n}\nbfd_instance b {\nneighbor_ip 10.0.0.2\n${other}\n}`,
    );
  assert.match(two('', '').join(), /is the neighbor of another bfd_instance/);
  assert.match(two('source_ip 10.0.0.7', '').join(), /is the neighbor of another/);
  assert.equal(two('source_ip 10.0.0.7', 'source_ip 10.0.0.8'), []);
  assert.equal(two('', 'multihop\nmax_hops 1'), []);
});

test('BFD sessions: who is told', () => {
  const session = (line: string) => `bfd_instance b {\nneighbor_ip 10.0.0.2\n${line}\n}\n`;
  const check = 'real_server 10.0.0.2 80 {\nBFD_CHECK {\nname b\n}\n}';
  const service = `virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n${check}\n}`;
  const server = (line: string) => told(session(line) + service);
  assert.match(server('vrrp').join(), /b is for VRRP only: this check never hears of it/);
  for (const line of ['checker', '', 'vrrp\nchecker']) assert.equal(server(line), []);
  assert.match(told('bfd_instance b {\nneighbor_ip ::1\nsource_ip 10.0.0.2\n}').join(), /no IPv6 address/);
});

test('delays, and the old name of a keyword', () => {
  assert.equal(configured('interface_up_down_delays {\neth0 2.5 1\n}').delays, [
    { interface: 'eth0', down: seconds(2.5), up: seconds(1) },
  ]);
  assert.match(told('interface_up_down_delays {\neth0 2\n}').join(), /^warning 2:1 a link that comes up/);
  assert.is(told('vrrp_track_file f {\nfile /run/f\n}')[0], 'warning 1:1 vrrp_track_file is an old keyword');
  const { start } = configured('global_defs {\nvrrp_startup_delay 3\nvrrp_delay_after_boot 9\n}').global;
  assert.equal(start, { delay: seconds(3), afterBoot: seconds(9) });
});

test('include_check changes what a plain include checks, in its file', () => {
  const missing = 'include nothing.conf\n';
  const checked = (words: string) => findings(`global_defs {\ninclude_check ${words}\n}\n${missing}`).join();
  assert.match(findings(missing).join(), /^warning 1/);
  assert.match(checked('all'), /^error 4/);
  assert.match(checked('all -read -match -wildcard_match -brace_match'), /^warning 4/);
  assert.match(checked('readable'), /include_check: expected read/);
  const inner = { 'inner.conf': 'global_defs {\ninclude_check all\n}\n' };
  assert.match(findings(`include inner.conf\n${missing}`, inner).join(), /^warning 2/);
});

test('routes and rules: every form of a line, and what is wrong with one', () => {
  const lines = (block: string, line: string) => findings(`${block} {\n${line}\n}`);
  for (const route of [
    '10.1.0.0/16 via 10.0.0.1 dev eth0 metric 7',
    'src 10.0.0.2 10.1.0.0/16 via inet 10.0.0.1',
    'blackhole 10.2.0.0/16',
    'inet6 to default via fe80::1 dev eth0 mtu lock 1400 pref high',
    '10.1.0.0/16 nexthop via 10.0.0.1 weight 2 nexthop dev eth1 onlink',
    '10.1.0.0/16 encap ip id 7 dst 10.0.0.9 ttl 3 dev eth0 features ecn table main no_track',
  ])
    assert.equal(lines('static_routes', route), []);
  assert.match(lines('static_routes', 'via 10.0.0.1').join(), /a route needs a destination/);
  assert.match(lines('static_routes', '10.1.0.0/33').join(), /expected a route/);
  const bits = lines('static_routes', '10.1.0.5/16 via 10.0.0.1').join();
  assert.match(bits, /a route leads to a network/);
  assert.equal(lines('static_routes', '10.1.128.0/17 via 10.0.0.1'), []);
  assert.match(lines('static_routes', '2001:db8::5/64 dev eth0').join(), /a route leads to a network/);
  assert.match(lines('static_routes', '10.1.0.0/16 10.2.0.0/16').join(), /is no option of a route/);
  assert.match(lines('static_routes', '10.1.0.0/16 via 10.0.0.1 or 10.0.0.2').join(), /or is an old word/);
  for (const rule of [
    'from 10.0.0.0/8 table 7 priority 9',
    'not to all fwmark 0x7/0xff lookup main preference 9',
    'iif eth0 sport 80 dport 1-9 ipproto tcp uidrange 1-2 order 9 blackhole',
  ])
    assert.equal(lines('static_rules', rule), []);
  assert.match(lines('static_rules', 'from all priority 3').join(), /a rule needs an action/);
  assert.match(lines('static_rules', 'from all table 3').join(), /gets one from 16384 downward/);
  assert.match(lines('static_rules', 'frm all table 3').join(), /found 'frm'/);
});

test('checkers: what they refer to is there', () => {
  const server = (check: string) =>
    told(
      `virtual_server 10.0.0.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.2 80 {\n${check}\n}\n}`,
    ).join();
  assert.match(server('FILE_CHECK {\ntrack_file x\n}'), /there is no track_file x/);
  assert.match(server('BFD_CHECK {\nname x\n}'), /there is no bfd_instance x/);
  assert.match(server('MISC_CHECK {\nmisc_path /bin/gone\n}'), /misc_path: there is no \/bin\/gone/);
  assert.match(server('HTTP_GET {\n}'), /HTTP_GET has no url/);
  assert.match(server('HTTP_GET {\nurl {\nstatus_code 200-99\n}\n}'), /a status from 100 to 599/);
});

test('umask is a number, or names of bits in one word or several', () => {
  const umask = (words: string) =>
    loadText(`global_defs {\numask ${words}\n}\n${instance(VIP)}`).configuration?.global.umask;
  assert.equal(['022', 'IWGRP|IWOTH', 'IWGRP | IWOTH', '18'].map(umask), [18, 18, 18, 18]);
  assert.is(umask('IWGRP IWOTH'), undefined);
});

test('a process with parameters is looked for by its whole command line', () => {
  const built = (lines: string) => loadText(`vrrp_track_process p {\n${lines}\n}\n${instance(VIP)}`);
  const [process] = built('process /usr/sbin/haproxy -f /etc/x').configuration?.processes ?? [];
  assert.equal([process?.fullCommand, process?.parameters], [true, ['-f', '/etc/x']]);
  assert.match(built('process /usr/sbin/haproxy').diagnostics[0]?.message ?? '', /15 characters of a name/);
});

test('a bare notify_deleted: the end of an instance is told as DELETED', () => {
  const { notify } = configured(instance(`notify /bin/n\nnotify_deleted\n${VIP}`));
  assert.is(notify.subjects[0]?.toldOfEnd, true);
  assert.match(print(configured(instance(`notify_deleted\n${VIP}`))), /^ +notify_deleted$/m);
});

test('notify_priority_changes of a sync group is for its instances that say nothing themselves', () => {
  const group = 'vrrp_sync_group G {\ngroup {\nV\nW\n}\nnotify_priority_changes on\n}\n';
  const own = instance('virtual_ipaddress {\n10.0.0.1\n}\nnotify_priority_changes off', 'V', 1);
  const other = instance('virtual_ipaddress {\n10.0.0.2\n}', 'W', 2);
  const alone = instance('virtual_ipaddress {\n10.0.0.3\n}', 'X', 3);
  const { notify } = configured(`${group}${own}${other}${alone}`);
  assert.equal(
    notify.subjects.map(({ name, priorities }) => [name, priorities]),
    [['W', true]],
  );
});

test.run();
