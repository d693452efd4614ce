import * as assert from 'uvu/assert';
import { examine } from '../../../src/core/doctor/examine.ts';
import type { DoctorFacts } from '../../../src/core/doctor/facts.ts';
import { marksSet } from '../../../src/core/doctor/marks.ts';
import { ip } from '../../../src/core/ip.ts';
import { suite } from '../../suite.ts';
import { configured, KEY_FILE } from '../config/memory.ts';

const test = suite('the doctor');

const INSTANCE = `vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    10.0.0.100/24
    192.0.2.10/24 dev wan0
  }
}
`;
const server = (kind: string, name = '10.0.0.100 80'): string => `virtual_server ${name} {
  lb_algo wrr
  lb_kind ${kind}
  protocol TCP
  real_server 10.0.1.11 80 {
  }
}
`;
const address = (text: string, length = 24) => ({ ip: ip(text), length });
const device = (name: string, ...addresses: ReturnType<typeof address>[]) => ({
  ...{ name, up: true, multicast: true, addresses },
});

/** A host on which all is well for direct routing. */
const WELL: DoctorFacts = {
  sysctls: { 'net/ipv4/ip_forward': '1', 'net/ipv4/conf/eth0/send_redirects': '0' },
  modules: ['ip_vs'],
  devices: [device('eth0', address('10.0.0.1')), device('wan0'), device('eth1', address('10.0.1.1'))],
  defaultDevices: ['eth0'],
  loadable: { ip_vs_wrr: true },
  rules: '',
  conntrack: { count: 10, max: 1000 },
  clockSynced: true,
  managed: [],
  neighbours: {},
  programs: ['nft'],
  unread: [],
};

const found = (text: string, part: Partial<DoctorFacts> = {}): string[] =>
  examine(configured(text), { ...WELL, ...part }).map(
    ({ severity, subject, message, command, on }) =>
      `${severity} ${subject}: ${message} | ${on === undefined ? '' : `${on}: `}${command}`,
  );
const one = (text: string, part: Partial<DoctorFacts> = {}): string => {
  const all = found(text, part);
  assert.is(all.length, 1, all.join('\n'));
  return all[0] ?? '';
};
const DR = INSTANCE + server('DR');

test('all is well', () => assert.equal(found(DR), []));

test('a module that the kernel does not have', () => {
  assert.match(
    one(DR, { loadable: { ip_vs_wrr: false } }),
    /does not have ip_vs_wrr \(for the scheduler wrr\) \|/,
  );
  assert.match(
    one(DR, { modules: [], loadable: { ip_vs: false } }),
    'does not have ip_vs (for virtual servers)',
  );
  assert.equal(found(DR, { modules: [], loadable: {} }), [], 'without modprobe nobody knows');
  const vmac = INSTANCE.replace('interface eth0', 'interface eth0\nuse_vmac');
  assert.match(one(vmac, { loadable: { macvlan: false } }), 'macvlan (for use_vmac)');
  const places = 'local 192.0.2.1\npeer 192.0.2.2';
  const relay = `sync_relay {\nkey_file ${KEY_FILE}\n${places}\n}`;
  const relayed = `global_defs {\nlvs_sync_daemon vksync\n}\n${relay}\n${DR}`;
  assert.match(one(relayed, { loadable: { dummy: false } }), 'dummy (for sync_relay)');
});

test('forwarding and redirects matter to NAT, and to nothing else', () => {
  const off = { 'net/ipv4/ip_forward': '0', 'net/ipv4/conf/eth0/send_redirects': '1' };
  assert.equal(found(DR, { sysctls: off }), []);
  const vip = INSTANCE.replace('192.0.2.10/24 dev wan0', '10.0.1.254/24 dev eth1');
  const [first = '', second = ''] = found(vip + server('NAT'), { sysctls: off });
  assert.match(first, 'error sysctls: IPv4 is not forwarded');
  assert.match(first, '| sysctl -w net.ipv4.ip_forward=1');
  assert.match(second, 'warning sysctls: redirects are sent on 1 interface:');
});

test('a strict reverse path filter where VIPs are and the default route is not', () => {
  const strict = (name: string) => ({ sysctls: { [`net/ipv4/conf/${name}/rp_filter`]: '1' } });
  assert.match(
    one(DR, strict('wan0')),
    /rp_filter: wan0 takes only .* \| sysctl -w net\.ipv4\.conf\.wan0\.rp_filter=2/,
  );
  assert.match(one(DR, strict('all')), 'wan0 takes only');
  assert.equal(found(DR, strict('eth0')), [], 'it is the way to clients');
  assert.equal(found(INSTANCE, strict('wan0')), [], 'nothing is balanced');
});

test('a mark that no rule sets, in the words of each packet filter', () => {
  const marked = INSTANCE + server('DR', 'fwmark 7');
  assert.match(
    one(marked),
    /marks: no rule gives packets the mark 7.* \| iptables -t mangle .* --set-mark 7$/,
  );
  for (const rule of [
    'tcp dport 80 meta mark set 0x00000007',
    '-A PREROUTING -p tcp --dport 80 -j MARK --set-mark 7',
    '-A PREROUTING -j MARK --set-xmark 0x7/0xffffffff',
  ])
    assert.equal(found(marked, { rules: rule }), [], rule);
  assert.match(one(marked, { rules: 'meta mark set 0x00000070' }), 'mark 7');
  const { rules: _, ...unseen } = WELL;
  assert.equal(examine(configured(marked), unseen), [], 'rules that nobody may read');
  assert.equal([...marksSet('ct mark set 9 mark set 8')], [9, 8]);
});

test('NAT servers need a gateway that moves', () => {
  const nat = INSTANCE + server('NAT');
  assert.match(
    one(nat),
    /warning gateway: NAT servers in 10\.0\.1\.0\/24 need a gateway .* \| each real server: ip route/,
  );
  const moving = INSTANCE.replace('192.0.2.10/24 dev wan0', '10.0.1.254/24 dev eth1') + server('NAT');
  assert.equal(found(moving), []);
  assert.equal(found(nat, { devices: WELL.devices.slice(0, 2) }), [], 'behind a router nobody here knows');
  assert.equal(found(server('NAT')), [], 'one director alone');
});

test('a real server that answers ARP for the VIP', () => {
  const mac = '02:00:00:00:00:11';
  const neighbours = { [ip('10.0.0.100')]: mac, [ip('10.0.1.11')]: mac };
  assert.match(
    one(DR, { neighbours }),
    /error ARP: the real server 10\.0\.1\.11 answers ARP for .* \| 10\.0\.1\.11: vipkeeper realserver prepare/,
  );
  assert.equal(found(DR, { neighbours: { ...neighbours, [ip('10.0.0.100')]: '02:00:00:00:00:02' } }), []);
});

test('a router that hears nobody', () => {
  const heard = (part: object) => ({
    heard: [{ name: 'VI_1', state: 'BACKUP', age: 60, peer: false, rejected: 0, ...part }],
  });
  assert.match(
    one(DR, heard({ state: 'FAULT' })),
    /peer: VI_1 has heard no other router.* \| tcpdump -nvi eth0/,
  );
  for (const part of [{ peer: true }, { state: 'MASTER' }, { age: 2 }])
    assert.equal(found(DR, heard(part)), []);
  assert.match(one(DR, heard({ state: 'MASTER', rejected: 3 })), 'error peer: VI_1 drops every advert');
});

test('others that manage the interfaces', () => {
  const networkd = { by: 'systemd-networkd', device: 'eth0', file: '10-lan.network' } as const;
  assert.match(
    one(DR, { managed: [networkd] }),
    /removes virtual addresses.*10-lan\.network\.d.*KeepConfiguration=yes/,
  );
  const manager = { by: 'NetworkManager', device: 'wan0', file: '' } as const;
  assert.match(one(DR, { managed: [manager] }), '| nmcli device set wan0 managed no');
  assert.equal(found(DR, { managed: [{ ...manager, device: 'eth7' }] }), []);
});

test('interfaces that are not there, down, or without multicast', () => {
  const [eth0, ...others] = WELL.devices;
  assert.match(one(DR, { devices: others }), 'error interfaces: there is no interface eth0');
  const changed = (part: object) => ({
    devices: [{ ...device('eth0', address('10.0.0.1')), ...part }, ...others],
  });
  assert.match(one(DR, changed({ up: false })), '| ip link set eth0 up');
  assert.match(one(DR, changed({ multicast: false })), '| ip link set eth0 multicast on');
  const unicast = DR.replace('virtual_ipaddress {', 'unicast_peer {\n10.0.0.2\n}\nvirtual_ipaddress {');
  assert.equal(found(unicast, changed({ multicast: false })), []);
  assert.ok(eth0?.up);
});

test('connection tracking that is nearly full, a clock that nobody keeps', () => {
  assert.match(one(DR, { conntrack: { count: 900, max: 1000 } }), /warning conntrack.*nf_conntrack_max=4000/);
  assert.match(one(DR, { conntrack: { count: 1000, max: 1000 } }), 'error conntrack');
  assert.match(one(DR, { clockSynced: false }), /warning clocks.* \| timedatectl set-ntp true/);
});

test('the gravest first', () => {
  const all = found(INSTANCE + server('DR', 'fwmark 7'), { clockSynced: false });
  assert.equal(
    all.map((each) => each.split(':')[0]),
    ['error marks', 'warning clocks'],
  );
});

test.run();
