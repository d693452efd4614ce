import fc from 'fast-check';
import { toHex } from '../../../src/core/bytes.ts';
import { type Family, familyBits, type Ip, ipFromBytes, type Prefix } from '../../../src/core/ip.ts';
import type { Encapsulation } from '../../../src/core/netlink/encap.ts';
import type { Hop } from '../../../src/core/netlink/hop.ts';
import { METRIC, type RouteMetrics } from '../../../src/core/netlink/metrics.ts';
import type { Route } from '../../../src/core/netlink/route.ts';
import type { Rule } from '../../../src/core/netlink/rule.ts';

/** Every route and rule that the codecs' types can say. */

const u8 = fc.integer({ min: 1, max: 255 });
const u32 = fc.integer({ min: 1, max: 0xfffffffe });
const word = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex);
const device = fc.constantFrom('eth0', 'vrrp.7', 'a-name-of-15-ch');
const bytes = (count: number): fc.Arbitrary<Ip> =>
  fc.uint8Array({ minLength: count, maxLength: count }).map(ipFromBytes);
export const addresses = (family: Family): fc.Arbitrary<Ip> => bytes(familyBits(family) / 8);
/** What may be left out; absent rather than undefined. */
const record = <T>(model: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }, requiredKeys: (keyof T)[] = []) =>
  fc.record(model as never, { noNullPrototype: true, requiredKeys } as never) as unknown as fc.Arbitrary<T>;

/** The kernel leaves prefixes of length 0 out. */
const prefix = (family: Family, least = 1): fc.Arbitrary<Prefix> =>
  record<Prefix>({ ip: addresses(family), length: fc.integer({ min: least, max: familyBits(family) }) }, [
    'ip',
    'length',
  ]);

const tunnel = (kind: 'ip' | 'ip6'): fc.Arbitrary<Encapsulation> =>
  record(
    {
      kind: fc.constant(kind),
      id: word,
      destination: addresses(kind === 'ip' ? 4 : 6),
      source: addresses(kind === 'ip' ? 4 : 6),
      tos: u8,
      ttl: u8,
      flags: fc.integer({ min: 0, max: 0xffff }),
    },
    ['kind'],
  ) as fc.Arbitrary<Encapsulation>;

const encapsulation: fc.Arbitrary<Encapsulation> = fc.oneof(
  tunnel('ip'),
  tunnel('ip6'),
  record(
    {
      kind: fc.constant('mpls' as const),
      labels: fc.array(fc.nat(0xfffff), { minLength: 1, maxLength: 5 }),
      ttl: u8,
    },
    ['kind', 'labels'],
  ) as fc.Arbitrary<Encapsulation>,
  record({ kind: fc.constant('ila' as const), locator: word }, [
    'kind',
    'locator',
  ]) as fc.Arbitrary<Encapsulation>,
);

const metrics: fc.Arbitrary<RouteMetrics> = record<RouteMetrics>({
  ...(Object.fromEntries(Object.keys(METRIC).map((name) => [name, u32])) as object),
  congestion: fc.constantFrom('cubic', 'reno'),
  locked: fc.constantFrom(['mtu' as const], ['mtu' as const, 'rtt' as const, 'congestion' as const]),
}).filter((found) => Object.keys(found).length > 0);

const hopFields = (family: Family) => ({
  via: fc.oneof(addresses(family), addresses(family === 4 ? 6 : 4)),
  ifindex: u32,
  onLink: fc.constant(true),
  realms: u32,
  encapsulation,
});

const hop = (family: Family): fc.Arbitrary<Hop> =>
  record<Hop>({ ...hopFields(family), weight: fc.integer({ min: 2, max: 256 }) } as never);

export const route: fc.Arbitrary<Route> = fc.constantFrom<Family>(4, 6).chain((family) =>
  record<Route>(
    {
      destination: prefix(family),
      from: prefix(family),
      tos: u8,
      source: addresses(family),
      metric: u32,
      table: u32,
      protocol: u8,
      scope: u8,
      type: fc.integer({ min: 1, max: 11 }),
      hops: fc.array(hop(family), { minLength: 1, maxLength: 3 }),
      metrics,
      expires: u32,
      preference: fc.nat(3),
      ttlPropagate: fc.boolean(),
      ...hopFields(family),
    } as never,
    ['destination', 'table', 'protocol', 'scope', 'type'],
  ),
);

const range = (most: number) => fc.tuple(fc.nat(most), fc.nat(most));

export const rule: fc.Arbitrary<Rule> = fc.constantFrom<Family>(4, 6).chain((family) =>
  record<Rule>(
    {
      family: fc.constant(family),
      invert: fc.constant(true),
      from: prefix(family),
      to: prefix(family),
      tos: u8,
      iif: device,
      oif: device,
      fwmark: fc.nat(0xffffffff),
      fwmask: u32,
      realms: u32,
      tunnelId: word,
      uids: range(0xffffffff),
      ipProtocol: u8,
      sourcePorts: range(0xffff),
      destinationPorts: range(0xffff),
      priority: fc.nat(0xffffffff),
      action: fc.constantFrom('goto', 'nop', 'blackhole', 'unreachable', 'prohibit'),
      table: fc.nat(0xffffffff),
      l3mdev: fc.constant(true),
      goto: u32,
      suppressLength: fc.nat(128),
      suppressGroup: u32,
      protocol: u8,
    } as never,
    ['family', 'table'],
  ),
);
