import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { configured, findings, instance } from './memory.ts';

const test = suite('VMACs and strict mode in the configuration');
const VIP = 'virtual_ipaddress {\n10.0.0.1\n}';
const VIP6 = 'virtual_ipaddress {\nfe80::1\n}';

const first = (...bodies: string[]): VrrpSettings => {
  const [settings] = configured(instance(bodies.join('\n'), 'V', 9)).instances;
  assert.ok(settings);
  return settings;
};
const macvlan = (name: string, mac: string) => ({ name, sort: { kind: 'macvlan', mac } });

test('a VMAC has the name and the MAC address of the virtual router', () => {
  assert.equal(first('use_vmac', VIP).virtual, macvlan('vrrp.9', '00:00:5e:00:01:09'));
  assert.equal(first('use_vmac', VIP6).virtual, macvlan('vrrp.9', '00:00:5e:00:02:09'));
});

test('its words in any order; five octets are completed by the VRID', () => {
  const written = first('use_vmac 02:0:0:0:A group 7 netlink_notify_msg gate', VIP).virtual;
  assert.equal(written, { ...macvlan('gate', '02:00:00:00:0a:09'), group: 7 });
  assert.equal(first('use_vmac name group', VIP).virtual, macvlan('group', '00:00:5e:00:01:09'));
});

test('names are numbered where they are taken, in the order of the file', () => {
  const on = (device: string, name: string, body: string): string =>
    `vrrp_instance ${name} {\ninterface ${device}\nvirtual_router_id 9\n${body}\n}\n`;
  const text = [
    'global_defs {\nvmac_prefix v\n}\n',
    on('eth0', 'A', `use_vmac\n${VIP}`),
    on('eth0', 'B', `use_vmac\n${VIP6}`),
    on('eth1', 'C', 'use_vmac\nvirtual_ipaddress {\n10.1.0.1\n}'),
    on('eth2', 'D', 'use_vmac v2.9\nvirtual_ipaddress {\n10.2.0.1\n}'),
    on('eth3', 'E', 'use_vmac\nvirtual_ipaddress {\n10.3.0.1\n}'),
  ].join('');
  const names = configured(text).instances.map(({ virtual }) => virtual?.name);
  assert.equal(names, ['v.9', 'v6.9', 'v1.9', 'v2.9', 'v3.9']);
});

test('addresses get VMACs of their own, or that of the router', () => {
  const body = `use_vmac
    virtual_ipaddress {
      10.0.0.1
      10.0.0.2 dev eth0 use_vmac
      10.0.0.3 dev eth1 use_vmac
      10.0.0.4 dev eth1
    }`;
  const { addresses } = first(body);
  const own = { name: 'vrrp.9', mac: '00:00:5e:00:01:09' };
  const other = { name: 'vrrp1.9', mac: '00:00:5e:00:01:09' };
  assert.equal(
    addresses.map(({ vmac }) => vmac),
    [undefined, own, other, undefined],
  );
});

test('use_vmac_addr: all addresses elsewhere, and those of the other family', () => {
  const body = `use_vmac_addr
    virtual_ipaddress {
      10.0.0.1
      10.0.0.3 dev eth1
    }
    virtual_ipaddress_excluded {
      2001:db8::1
    }`;
  const { addresses, excluded, virtual } = first(body);
  assert.is(virtual, undefined);
  assert.equal(
    [...addresses, ...excluded].map(({ vmac }) => vmac),
    [undefined, { name: 'vrrp.9', mac: '00:00:5e:00:01:09' }, { name: 'vrrp6.9', mac: '00:00:5e:00:02:09' }],
  );
});

test('an ipvlan has an address, of the family of the router', () => {
  const { virtual } = first('use_ipvlan gate 10.0.0.9/24 private', VIP);
  const address = { ip: '10.0.0.9', length: 24 };
  assert.equal(virtual, { name: 'gate', address, sort: { kind: 'ipvlan', mode: 'private' } });
  assert.equal(findings(instance(`use_ipvlan\n${VIP}`)), [
    'error 5:1 use_ipvlan needs an IPv4 address of its own',
  ]);
  assert.equal(findings(instance(`use_ipvlan fe80::9\n${VIP}`)), [
    'error 5:1 use_ipvlan: fe80::9 is no IPv4 address',
  ]);
  assert.equal(findings(instance(`use_ipvlan fe80::9\nuse_vmac\n${VIP6}`)), [
    'error 5:1 use_vmac and use_ipvlan: write one of them',
  ]);
});

test('what cannot be, or has no effect, is said', () => {
  const two = instance(`use_vmac gate\n${VIP}`) + instance('use_vmac gate\nno_virtual_ipaddress', 'W', 2);
  assert.equal(findings(two), ['error 14:1 use_vmac: the interface gate is there twice']);
  assert.equal(findings(instance(`use_vmac 01:00:5e:00:00:01\n${VIP}`)), [
    'error 5:10 use_vmac: an interface cannot have the MAC address of a group',
  ]);
  assert.equal(
    findings(`global_defs {\nvmac_prefix interfaces123\n}\n${instance(`use_vmac\n${VIP}`, 'V', 255)}`),
    ['error 2:1 interfaces123.255 is too long for an interface: at most 15 characters'],
  );
  assert.equal(findings(instance(`vmac_xmit_base\n${VIP}`)), [
    'warning 5:1 vmac_xmit_base has no effect without use_vmac',
  ]);
  assert.equal(findings(instance(`use_vmac\nunicast_peer {\n10.0.0.9\n}\n${VIP}`)), [
    'warning 5:1 use_vmac with unicast_peer: adverts leave from the interface below',
  ]);
  assert.is(first('use_vmac\nunicast_peer {\n10.0.0.9\n}', VIP).transmitBase, true);
});

test('strict mode sets right what the RFC does not know, and says so', () => {
  const body = `strict_mode
    state MASTER
    use_vmac
    vmac_xmit_base
    accept
    down_timer_adverts 5
    garp_lower_prio_repeat 2
    garp_lower_prio_delay 3
    lower_prio_no_advert off
    higher_prio_send_advert on
    authentication {
      auth_type PASS
      auth_pass secret
    }`;
  const settings = first(body, VIP);
  const { initial, transmitBase, noAccept, downAdverts, announce, quietToLower, answerHigher, password } =
    settings;
  assert.equal(
    [initial, transmitBase, noAccept, downAdverts, quietToLower, answerHigher, password],
    ['BACKUP', undefined, true, 3, true, false, undefined],
  );
  assert.equal([announce.lowerRepeat, announce.lowerDelay], [0, seconds(0)]);
  const said = findings(instance(`${body}\n${VIP}`)).filter((text) => text.includes('strict mode: '));
  assert.is(said.length, 9, said.join('\n'));
});

test('strict mode of all, and not of this one', () => {
  const strict = (body: string): string => `global_defs {\nvrrp_strict\n}\n${instance(`${body}\n${VIP}`)}`;
  assert.is(configured(strict('')).instances[0]?.noAccept, true);
  assert.is(configured(strict('strict_mode off')).instances[0]?.noAccept, undefined);
  assert.is(configured(strict('version 3\naccept')).instances[0]?.noAccept, undefined);
});

test('an owner accepts and ignores adverts in strict mode', () => {
  const owner = `vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\npriority 255\nstrict_mode\n${VIP}\n}`;
  const [settings] = configured(owner).instances;
  assert.equal([settings?.noAccept, settings?.ownerIgnores, settings?.initial], [undefined, true, 'MASTER']);
});

test('strict mode has no unicast, and no router without an address', () => {
  assert.equal(findings(instance(`strict_mode\nunicast_peer {\n10.0.0.9\n}\n${VIP}`)), [
    'error 6:1 strict mode: adverts are multicast',
  ]);
  assert.equal(findings(instance('strict_mode\nno_virtual_ipaddress')), [
    'error 6:1 strict mode: vrrp_instance V needs a virtual_ipaddress',
  ]);
});

test('no_accept on what IPVS balances is a doubt, unless its rules come after', () => {
  const file = (priority: string): string =>
    `global_defs {\n${priority}\n}\n${instance(`no_accept\n${VIP}`)}virtual_server 10.0.0.1 80 {
      lb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server 10.0.0.9 80 {\n}\n}`;
  assert.equal(findings(file('')), [
    'warning 8:1 no_accept drops what virtual_server 10.0.0.1 is to balance',
  ]);
  assert.equal(findings(file('nftables_priority 100')), []);
});

test.run();
