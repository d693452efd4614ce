import fc from 'fast-check';
import { type Family, familyOf, networkOf } from '../../../src/core/ip.ts';
import type { Route } from '../../../src/core/netlink/route.ts';
import type { Rule } from '../../../src/core/netlink/rule.ts';
import type {
  HopSettings,
  MasterRouting,
  RouteSettings,
  RuleSettings,
  StaticSettings,
} from '../../../src/core/reconcile/settings.ts';
import type { PacingSettings, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { route as anyRoute, rule as anyRule } from '../netlink/arbitrary-routing.ts';
import { addressOf, device, duration, given, maybe } from './arbitrary-values.ts';

/** Routes, rules and static lines that a file can mean: what the language cannot say of the codecs' is cut. */

const keeping = fc.record({ tracked: fc.boolean() });

/** Times are within what TCP works with, and there is one feature. */
function metricsOf(route: Route): Route['metrics'] {
  const { features, rtt, rttvar, rtoMin, quickack, fastopenNoCookie, hoplimit, locked, ...rest } =
    route.metrics ?? {};
  const within = (value: number | undefined, units: number) =>
    value === undefined ? undefined : (200 + (value % 1000)) * units;
  const metrics = given({
    ...rest,
    features: features && 1,
    rtt: within(rtt, 8),
    rttvar: within(rttvar, 4),
    rtoMin: within(rtoMin, 1),
    quickack: quickack && quickack % 2,
    fastopenNoCookie: fastopenNoCookie && fastopenNoCookie % 2,
    hoplimit: hoplimit && hoplimit % 256,
  }) as NonNullable<Route['metrics']>;
  const there = locked?.filter((name) => metrics[name] !== undefined && name !== 'congestion');
  const congestion = locked?.includes('congestion') && metrics.congestion !== undefined;
  const all = [...(there ?? []), ...(congestion ? ['congestion' as const] : [])];
  if (Object.keys(metrics).length === 0) return undefined;
  return all.length === 0 ? metrics : { ...metrics, locked: all };
}

type AnyHop = Pick<Route, 'via' | 'onLink' | 'realms' | 'encapsulation'> & { readonly weight?: number };

/** Realms are of 8 bits, an IP tunnel leads somewhere. */
function hopOf(hop: AnyHop, family: Family, dev: string): HopSettings {
  const { realms, encapsulation: encap } = hop;
  const idle =
    encap !== undefined && 'source' in encap && encap.destination === undefined && encap.id === undefined;
  const mpls = encap?.kind === 'mpls' ? { kind: encap.kind, labels: encap.labels } : encap;
  const leads =
    encap?.kind !== 'ip' && encap?.kind !== 'ip6' ? true : (encap.destination ?? encap.id) !== undefined;
  return given({
    via: hop.via,
    dev,
    onLink: hop.onLink,
    weight: hop.weight,
    realms:
      family === 4 && realms !== undefined ? (realms & 0xff) | (((realms >> 16) & 0xff) << 16) : undefined,
    encapsulation: idle || !leads ? undefined : mpls,
  }) as HopSettings;
}

const route: fc.Arbitrary<RouteSettings> = fc
  .record({
    route: anyRoute,
    dev: device,
    vrf: maybe(fc.constant('red')),
    insertion: maybe(fc.constantFrom('exclusive', 'append')),
    several: fc.boolean(),
    keeping,
  })
  .map(({ route: made, dev, vrf, insertion, several, keeping: kept }) => {
    const family = familyOf(made.destination.ip);
    const hops = several ? made.hops?.map((hop) => hopOf(hop, family, dev)) : undefined;
    return given({
      destination: networkOf(made.destination),
      from: family === 6 ? made.from : undefined,
      tos: family === 4 ? made.tos : undefined,
      ...(hops === undefined ? hopOf(made, family, dev) : {}),
      source: made.source,
      metric: made.metric,
      table: made.table,
      vrf,
      protocol: kept.tracked ? 18 : made.protocol,
      scope: made.scope,
      type: made.type,
      hops,
      metrics: metricsOf(made),
      expires: family === 6 ? made.expires : undefined,
      preference: family === 6 ? made.preference : undefined,
      ttlPropagate: made.ttlPropagate,
      insertion,
      ...kept,
    }) as unknown as RouteSettings;
  });

const sorted = ([a, b]: readonly [number, number], least = 0): [number, number] => [
  Math.max(least, Math.min(a, b)),
  Math.max(least, a, b),
];

const rule: fc.Arbitrary<RuleSettings> = fc
  .record({ made: anyRule, keeping })
  .map(({ made, keeping: kept }) => {
    const action = made.action === 'goto' ? undefined : made.action;
    const table = action === undefined && !made.l3mdev;
    const looks = action === undefined;
    return given({
      rule: given({
        ...made,
        action,
        goto: undefined,
        priority: made.priority ?? 7,
        fwmask: made.fwmark === undefined ? undefined : made.fwmask,
        table: table ? Math.max(1, made.table) : 0,
        l3mdev: looks ? made.l3mdev : undefined,
        realms: undefined,
        suppressLength: looks ? made.suppressLength && made.suppressLength % 33 : undefined,
        suppressGroup: looks ? made.suppressGroup && made.suppressGroup % 0x7fffffff : undefined,
        protocol: kept.tracked ? 18 : made.protocol,
        uids: made.uids && sorted(made.uids),
        sourcePorts: made.sourcePorts && sorted(made.sourcePorts, 1),
        destinationPorts: made.destinationPorts && sorted(made.destinationPorts, 1),
      }) as unknown as Rule,
      ...kept,
    }) as unknown as RuleSettings;
  });

const address = fc.record({
  address: fc.record({ ip: addressOf(4), length: fc.nat(32) }),
  dev: device,
  scope: fc.constantFrom(0, 253),
});

const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 2 });
const lines = { routes: few(route), rules: few(rule) };

/** Gaps, and groups of interfaces that share theirs. */
export const pacing: fc.Arbitrary<PacingSettings> = fc
  .record({ garp: duration(0, 2), gna: duration(0, 2), one: duration(1, 2), grouped: fc.boolean() })
  .map(({ garp, gna, one, grouped }) => {
    const groups = [
      { interfaces: ['eth0', 'bond0.12'], garp: one, gna },
      { interfaces: ['eth1'], garp, gna: one },
    ];
    return { garp, gna, groups: grouped ? groups : [] };
  });

/** What the instances keep, and what is static, tracked by a group of the first. */
export const routingOf = fc.record({
  own: fc.array(fc.record(lines), { minLength: 3, maxLength: 3 }),
  always: fc.record({ addresses: few(address), ...lines }),
});

export function routing(
  instances: readonly VrrpSettings[],
  { own, always }: { own: Omit<MasterRouting, 'instance'>[]; always: Omit<StaticSettings, 'groups'> },
): { routing: MasterRouting[]; statics: StaticSettings } {
  const [first] = instances;
  const groups = first === undefined ? [] : [{ name: 'watched', members: [first.name] }];
  const routes = always.routes.map((line) =>
    line.tracked && groups.length > 0 ? { ...line, group: 'watched' } : line,
  );
  return {
    routing: instances
      .map(({ name }, i) => ({ instance: name, routes: [], rules: [], ...own[i] }))
      .filter(({ routes: some, rules }) => some.length + rules.length > 0),
    statics: { ...always, routes, groups },
  };
}
