import * as assert from 'uvu/assert';
import { Footings } from '../../../src/core/director/footing.ts';
import { type News, sumUp } from '../../../src/core/director/news.ts';
import { ip, parsePrefix } from '../../../src/core/ip.ts';
import type { InterfaceAddress } from '../../../src/core/netlink/address.ts';
import type { RouteEvent } from '../../../src/core/netlink/events.ts';
import { LINK_FLAG, type Link, OPER_STATE } from '../../../src/core/netlink/link.ts';
import { Interfaces } from '../../../src/core/reconcile/interfaces.ts';
import type { HeldRouting } from '../../../src/core/reconcile/routing-events.ts';
import { NO_STATICS } from '../../../src/core/reconcile/settings.ts';
import type { VirtualAddress, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { SETTINGS } from '../vrrp/router.ts';

const VIP = '10.0.0.100';
const settings = (more: Partial<VrrpSettings> = {}): VrrpSettings => ({ ...SETTINGS, ...more });

const { up, running, lowerUp } = LINK_FLAG;
const link = (ifindex: number, name: string, more: Partial<Link> = {}): Link => {
  const plain = { type: 1, flags: up | running | lowerUp, mtu: 1500, operState: OPER_STATE.up };
  return { ifindex, name, ...plain, mac: `02:00:00:00:00:0${ifindex % 10}`, ...more };
};
const down = { flags: up, operState: OPER_STATE.down };

function prefix(text: string): NonNullable<ReturnType<typeof parsePrefix>> {
  const parsed = parsePrefix(text);
  assert.ok(parsed);
  return parsed;
}
const address = (ifindex: number, text: string): InterfaceAddress => {
  return { ifindex, address: prefix(text), scope: 0, flags: 0, valid: 2 ** 32 - 1, preferred: 2 ** 32 - 1 };
};

/** Virtual routers on interfaces of a kernel that is played. */
class Bench {
  readonly interfaces = new Interfaces();
  readonly footings = new Footings(this.interfaces, (name) => this.interfaces.state(name));
  readonly moved = new Set([ip(VIP)]);

  constructor(...routers: readonly (VrrpSettings | { settings: VrrpSettings; routing: HeldRouting })[]) {
    const all = routers.map((router, i) => {
      const grounded =
        'routing' in router ? router : { settings: router, routing: { routes: [], rules: [] } };
      return [`${i}`, grounded] as const;
    });
    this.footings.configure(new Map(all), NO_STATICS, () => undefined);
    this.hear(present(link(1, 'eth0')), present(link(2, 'wan0')), came(address(1, '10.0.0.1/24')));
  }

  hear(...events: readonly RouteEvent[]): News {
    return sumUp(events, this.interfaces, this.moved);
  }

  /** The keys of those who are to look after this news, each once. */
  concerned(...events: readonly RouteEvent[]): string[] {
    return [...this.footings.concernedBy(this.hear(...events).interfaces)];
  }

  /** Why the first router cannot serve. */
  fault(): string | undefined {
    const [look] = this.footings.look(['0'], this.moved);
    return look?.link.up ? undefined : look?.link.why;
  }
}
const present = (shown: Link): RouteEvent => ({ type: 'link', present: true, link: shown });
const gone = (shown: Link): RouteEvent => ({ type: 'link', present: false, link: shown });
const came = (shown: InterfaceAddress): RouteEvent => ({ type: 'address', present: true, address: shown });
const left = (shown: InterfaceAddress): RouteEvent => ({ type: 'address', present: false, address: shown });

const away = (text: string, more: Partial<VirtualAddress> = {}): VirtualAddress => {
  return { address: prefix(text), scope: 0, dev: 'wan0', ...more };
};
const NO_ROUTING: HeldRouting = { routes: [], rules: [] };

const test = suite('what virtual routers stand on');

test('a storm of other links and addresses concerns no router', () => {
  const bench = new Bench(settings(), settings({ vrid: 8 }));
  const storm = Array.from({ length: 200 }, (_, i) => link(100 + i, `veth${i}`));
  const addresses = storm.map(({ ifindex }) => address(ifindex, '192.0.2.1/24'));
  assert.equal(bench.concerned(...storm.map(present), ...addresses.map(came)), []);
  assert.equal(bench.concerned(...addresses.map(left), ...storm.map(gone)), []);
});

test('however much is said of an interface, its routers look once, and no others', () => {
  const bench = new Bench(settings(), settings({ vrid: 8 }), settings({ interface: 'wan0' }));
  const flaps = Array.from({ length: 100 }, () => [present(link(1, 'eth0', down)), present(link(1, 'eth0'))]);
  assert.equal(bench.concerned(...flaps.flat()), ['0', '1']);
  assert.equal(bench.concerned(came(address(2, '10.1.0.1/24'))), ['2']);
});

test('addresses that VRRP moves concern no router', () => {
  const bench = new Bench(settings());
  assert.equal(bench.concerned(came(address(1, `${VIP}/24`)), left(address(1, `${VIP}/24`))), []);
});

test('news of a member of a VRF concern who stands on the VRF', () => {
  const bench = new Bench(settings({ interface: 'red' }));
  bench.hear(present(link(5, 'red', { kind: 'vrf' })), present(link(6, 'port', { master: 5 })));
  assert.equal(bench.concerned(came(address(6, '10.2.0.1/24'))), ['0']);
});

test('a renamed interface concerns those of both names', () => {
  const bench = new Bench(settings(), settings({ interface: 'lan0' }));
  assert.equal(bench.concerned(present(link(1, 'lan0'))), ['0', '1']);
});

test('the link of an address of its own counts', () => {
  const bench = new Bench(settings({ excluded: [away('10.1.0.100/24')] }));
  assert.is(bench.fault(), undefined);
  assert.equal(bench.concerned(present(link(2, 'wan0', down))), ['0']);
  assert.is(bench.fault(), 'wan0 has no carrier (for 10.1.0.100/24)');
  assert.equal(bench.concerned(present(link(2, 'wan0'))), ['0']);
  assert.is(bench.fault(), undefined);
  bench.hear(gone(link(2, 'wan0')));
  assert.is(bench.fault(), 'there is no interface wan0 (for 10.1.0.100/24)');
});

test('no_track exempts it', () => {
  const bench = new Bench(settings({ excluded: [away('10.1.0.100/24', { tracked: false })] }));
  assert.equal(bench.concerned(present(link(2, 'wan0', down))), []);
  assert.is(bench.fault(), undefined);
});

test('an interface that was never there is waited for, not missed', () => {
  const bench = new Bench(settings({ addresses: [away('10.1.0.100/24', { dev: 'later' })] }));
  assert.is(bench.fault(), undefined);
  bench.hear(present(link(9, 'later', down)));
  assert.is(bench.fault(), 'later has no carrier (for 10.1.0.100/24)');
});

test('dont_track_primary: addresses on the interface itself do not make its link matter', () => {
  const bench = new Bench(
    settings({ trackPrimary: false, excluded: [away('10.0.0.101/24', { dev: 'eth0' })] }),
  );
  bench.hear(present(link(1, 'eth0', down)));
  assert.is(bench.fault(), undefined);
});

test('the links of routes and rules count, unless no_track is said', () => {
  const route = {
    destination: prefix('192.0.2.0/24'),
    table: 254,
    protocol: 18,
    scope: 0,
    type: 1,
    dev: 'wan0',
  };
  const rule = { family: 4, table: 100, oif: 'wan0', priority: 7 } as const;
  const bench = (tracked: boolean, what: 'route' | 'rule'): Bench => {
    const routing =
      what === 'route'
        ? { ...NO_ROUTING, routes: [{ ...route, tracked }] }
        : { ...NO_ROUTING, rules: [{ rule, tracked }] };
    const made = new Bench({ settings: settings(), routing });
    made.fault();
    made.hear(present(link(2, 'wan0', down)));
    return made;
  };
  assert.is(bench(true, 'route').fault(), 'wan0 has no carrier (for route 192.0.2.0/24 table 254)');
  assert.is(bench(true, 'rule').fault(), 'wan0 has no carrier (for rule priority 7 lookup 100)');
  assert.is(bench(false, 'route').fault(), undefined);
  assert.is(bench(false, 'rule').fault(), undefined);
});

test('the static things of its track group concern a router', () => {
  const bench = new Bench(settings());
  const statics = {
    ...NO_STATICS,
    addresses: [{ dev: 'wan0', address: prefix('10.1.0.5/24'), scope: 0, group: 'g' }],
    groups: [{ name: 'g', members: ['VI_1'] }],
  };
  const routers = new Map([['0', { settings: settings(), routing: NO_ROUTING }]]);
  bench.footings.configure(routers, statics, (name) => (name === 'VI_1' ? '0' : undefined));
  assert.equal(bench.concerned(left(address(2, '10.1.0.5/24'))), ['0']);
});

test('an interface has risen when it can send again, or from another MAC address', () => {
  const bench = new Bench(settings());
  const risen = (event: RouteEvent): string[] => [...bench.hear(event).risen];
  assert.equal(risen(present(link(1, 'eth0'))), []);
  assert.equal(risen(present(link(1, 'eth0', { mac: '02:00:00:00:00:77' }))), ['eth0']);
  assert.equal(risen(present(link(1, 'eth0', down))), []);
  assert.equal(risen(present(link(1, 'eth0'))), ['eth0']);
  assert.equal(risen(gone(link(1, 'eth0'))), []);
  assert.equal(risen(present(link(4, 'eth0'))), ['eth0']);
});

test('routes are in doubt that lead through what was set down or has lost its last address', () => {
  const bench = new Bench(settings());
  const doubtful = (...events: readonly RouteEvent[]): [number[], string[]] => {
    const { ifindexes, sources } = bench.hear(...events).doubtful;
    return [[...ifindexes], [...sources]];
  };
  assert.equal(doubtful(present(link(3, 'new', { flags: 0 })), gone(link(3, 'new', { flags: 0 }))), [[], []]);
  assert.equal(doubtful(present(link(1, 'eth0', { flags: 0 }))), [[1], []]);
  assert.equal(doubtful(came(address(1, '10.0.0.2/24')), left(address(1, '10.0.0.2/24'))), [
    [],
    ['10.0.0.2'],
  ]);
  assert.equal(doubtful(left(address(1, '10.0.0.1/24'))), [[1], ['10.0.0.1']]);
});

test.run();
