import * as assert from 'uvu/assert';
import type { Link } from '../../../src/core/netlink/link.ts';
import { type FirewallSettings, removal, ruleset } from '../../../src/core/reconcile/firewall.ts';
import { suite } from '../../suite.ts';
import { configured } from '../config/memory.ts';

const test = suite("the packet filter's rules");
const SETTINGS: FirewallSettings = { table: 'vipkeeper', priority: -1, byIndex: false, counters: false };
const link = (ifindex: number, name: string): Link => ({
  ifindex,
  name,
  type: 1,
  flags: 0,
  mtu: 1500,
  operState: 6,
});
const LINKS = [link(2, 'eth0'), link(7, 'vrrp6.9')];

const instances = (...bodies: string[]) =>
  configured(
    bodies
      .map(
        (body, i) => `vrrp_instance V${i} {\ninterface eth0\nvirtual_router_id 9\npriority 100\n${body}\n}\n`,
      )
      .join(''),
  ).instances;
const FOUR = 'virtual_ipaddress {\n10.0.0.1\n}';
const SIX = 'virtual_ipaddress {\nfe80::1\n2001:db8::1\n}';
/** The rules of one table, a line each, without blanks around. */
const linesOf = (family: string, text = ''): string[] => {
  const [, body = ''] = new RegExp(`^table ${family} vipkeeper \\{\n([\\s\\S]*?)^\\}`, 'm').exec(text) ?? [];
  return body.split('\n').map((line) => line.trim());
};

test('no rule is needed where all is accepted and no VMAC is used', () => {
  assert.is(ruleset(instances(FOUR), SETTINGS, LINKS), undefined);
});

test('the tables are replaced at once, with nothing between', () => {
  const text = ruleset(instances(`no_accept\n${FOUR}`), SETTINGS, LINKS);
  assert.ok(text?.startsWith(removal('vipkeeper')));
  assert.equal(removal('x').split('\n'), [
    'table ip x {}',
    'delete table ip x',
    'table ip6 x {}',
    'delete table ip6 x',
    '',
  ]);
});

test('no_accept drops both ways, and lets neighbours be found', () => {
  const text = ruleset(instances(`no_accept\n${FOUR}`, `no_accept\n${SIX}`), SETTINGS, LINKS);
  const [four, six] = [linesOf('ip', text), linesOf('ip6', text)];
  for (const rule of ['elements = { 10.0.0.1 }', 'ip daddr @vips drop', 'ip saddr @vips drop']) {
    assert.ok(four.includes(rule), rule);
  }
  const found = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept';
  assert.ok(six.indexOf(found) < six.indexOf('ip6 daddr @vips drop'));
  assert.ok(six.includes('elements = { fe80::1 . "eth0" }'), 'a link-local one on its interface only');
  assert.ok(six.includes('ip6 daddr . iifname @vips_link_local drop'));
});

test('only routers that do not accept, with all their addresses', () => {
  const excluded = 'virtual_ipaddress_excluded {\n2001:db8::9\n}';
  const text = ruleset(instances(`no_accept\n${FOUR}\n${excluded}`, SIX), SETTINGS, LINKS);
  assert.ok(linesOf('ip6', text).includes('elements = { 2001:db8::9 }'));
});

test('VMACs report no membership; what they would is sent from below', () => {
  const text = ruleset(instances(`use_vmac\n${FOUR}`, `use_vmac\n${SIX}`), SETTINGS, LINKS);
  assert.ok(linesOf('ip', text).includes('ip protocol igmp oifname { "vrrp.9" } drop'));
  const reports = 'icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report }';
  const six = linesOf('ip6', text);
  const resent = `${reports} oifname "vrrp6.9" dup to ip6 daddr device 2 drop`;
  assert.ok(six.includes(resent));
  assert.ok(six.indexOf(resent) < six.indexOf(`${reports} oifname { "vrrp6.9" } drop`));
  const without = ruleset(instances(`use_vmac\n${SIX}`), SETTINGS, []);
  assert.not.match(without ?? '', 'dup');
});

test('by index: what is not there has no rule', () => {
  const both = instances(`use_vmac\n${FOUR}`, `use_vmac\nno_accept\n${SIX}`);
  const settings = { ...SETTINGS, byIndex: true, counters: true, priority: 100 };
  const text = ruleset(both, settings, LINKS);
  assert.is(linesOf('ip', text).length, 1, 'there is no vrrp.9');
  const six = linesOf('ip6', text);
  assert.ok(six.includes('type filter hook input priority 100; policy accept;'));
  assert.ok(six.includes('type ipv6_addr . iface_index'));
  assert.ok(six.includes('elements = { fe80::1 . 7 }'));
  assert.ok(six.includes('ip6 daddr . iif @vips_link_local counter drop'));
});

test.run();
