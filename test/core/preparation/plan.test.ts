import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { directorSettings } from '../../../src/core/preparation/director.ts';
import { plan, planUndo, remember } from '../../../src/core/preparation/plan.ts';
import { realServerProblems, realServerSettings } from '../../../src/core/preparation/realserver.ts';
import {
  type Change,
  type HostFacts,
  makeCommands,
  shellLine,
  undoCommands,
} from '../../../src/core/preparation/setting.ts';
import { suite } from '../../suite.ts';

const preparation = suite('preparation of hosts');

const VIP = ip('10.0.0.100');
const EMPTY: HostFacts = { sysctls: {}, devices: [], modules: [], tables: [] };
const WISHES = { ipv6: true, conntrack: true, masquerade: [], vs: { expire_nodest_conn: '1' } };

/** The kernel, as far as sysctls go: what else a write of the forwarding switches sets. */
function write(sysctls: Record<string, string>, key: string, value: string): void {
  const each = (pattern: RegExp): string[] => Object.keys(sysctls).filter((name) => pattern.test(name));
  sysctls[key] = value;
  if (key === 'net/ipv4/ip_forward') {
    for (const name of each(/ipv4\/conf\/.*\/forwarding$/)) sysctls[name] = value;
    sysctls['net/ipv4/conf/all/accept_redirects'] = value === '1' ? '0' : '1';
  }
  if (key === 'net/ipv6/conf/all/forwarding') {
    for (const name of each(/ipv6\/conf\/.*\/forwarding$/)) sysctls[name] = value;
  }
}

const run = (sysctls: Record<string, string>, commands: readonly (readonly string[])[]): void => {
  for (const [program, , text = ''] of commands) {
    const [name = '', value = ''] = text.split('=');
    if (program === 'sysctl') write(sysctls, name.replaceAll('.', '/'), value);
  }
};

const BIT = fc.constantFrom('0', '1');
const KEYS = [
  'net/ipv4/ip_forward',
  ...['all', 'default', 'lo', 'eth0', 'eth1'].flatMap((device) => [
    ...['forwarding', 'accept_redirects', 'send_redirects'].map((name) => `net/ipv4/conf/${device}/${name}`),
    ...['forwarding', 'accept_ra'].map((name) => `net/ipv6/conf/${device}/${name}`),
  ]),
  'net/ipv4/vs/conntrack',
  'net/ipv4/vs/expire_nodest_conn',
];

/** Values as a kernel has them: `all` of IPv4 is the switch itself. */
const HOST = fc.record(Object.fromEntries(KEYS.map((key) => [key, BIT]))).map((values) => ({
  ...(values as Record<string, string>),
  'net/ipv4/conf/all/forwarding': values['net/ipv4/ip_forward'] ?? '0',
}));

preparation('undo brings every sysctl back, whatever it was', () => {
  fc.assert(
    fc.property(HOST, (found) => {
      const sysctls: Record<string, string> = { ...found };
      let made: Change[] = [];
      for (const change of plan(directorSettings(WISHES, { ...EMPTY, sysctls }), { ...EMPTY, sysctls })) {
        made = remember(made, change);
        run(sysctls, makeCommands(change));
      }
      const facts = { ...EMPTY, sysctls };
      assert.equal(plan(directorSettings(WISHES, facts), facts), []);
      const { undo, leave } = planUndo(made, facts);
      assert.equal(leave, []);
      for (const change of undo) run(sysctls, undoCommands(change));
      assert.equal(sysctls, found);
    }),
  );
});

preparation('a sysctl that was changed twice goes back to the first value', () => {
  const change = { kind: 'sysctl', key: 'net/a', beside: {} } as const;
  const once = remember([], { ...change, value: '1', was: '0' });
  const twice = remember(once, { ...change, value: '2', was: '1' });
  assert.equal(twice, [{ ...change, value: '2', was: '0' }]);
});

preparation('arp_ignore 2 is quiet as well; loose paths are left as they are', () => {
  const sysctls = {
    'net/ipv4/conf/all/arp_ignore': '2',
    'net/ipv4/conf/all/arp_announce': '0',
    'net/ipv4/conf/all/rp_filter': '0',
    'net/ipv4/conf/eth0/rp_filter': '0',
  };
  const facts = { ...EMPTY, sysctls };
  const changes = plan(realServerSettings({ method: 'dr', vips: [VIP] }, facts), facts);
  assert.equal(changes.flatMap(makeCommands).map(shellLine), [
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    'ip address add 10.0.0.100/32 dev lo',
  ]);
});

preparation('tunnels: the device comes up and the address last', () => {
  const vips = [VIP, ip('2001:db8::1')];
  const changes = plan(realServerSettings({ method: 'tun', vips }, EMPTY), EMPTY);
  assert.equal(changes.flatMap(makeCommands).map(shellLine), [
    'modprobe ipip',
    'modprobe ip6_tunnel',
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    'ip link set tunl0 up',
    'ip link set ip6tnl0 up',
    'ip address add 10.0.0.100/32 dev tunl0',
    'ip address add 2001:db8::1/128 dev ip6tnl0 preferred_lft 0',
  ]);
});

preparation('a VIP that makes a network local, or that the segment hears of, is a problem', () => {
  const on = (name: string, length: number): string[] =>
    realServerProblems(
      { method: 'dr', vips: [VIP] },
      { ...EMPTY, devices: [{ name, up: true, addresses: [{ address: VIP, length }] }] },
    );
  assert.equal(on('lo', 32), []);
  assert.match(on('lo', 24).join(), 'whole network');
  assert.match(on('eth0', 32).join(), 'is on eth0');
});

preparation.run();
