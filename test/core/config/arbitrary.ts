import fc from 'fast-check';
import type { Destination, ForwardingMethod, ServiceKey, Tunnel } from '../../../src/core/balance/model.ts';
import type { MaintenanceWindow } from '../../../src/core/balance/orders.ts';
import type { BfdCheck, TcpCheck } from '../../../src/core/check/settings.ts';
import type { Configuration } from '../../../src/core/config/model.ts';
import { type Family, familyBits, ip } from '../../../src/core/ip.ts';
import type {
  RealServerSettings,
  ServicePoint,
  VirtualServerSettings,
} from '../../../src/core/serving/settings.ts';
import { micros, seconds } from '../../../src/core/time.ts';
import {
  ADDRESS_FLAGS,
  type AddressFlag,
  type AnnounceSettings,
  type VirtualAddress,
  type VirtualInterface,
  type VrrpSettings,
} from '../../../src/core/vrrp/settings.ts';
import { termOf } from './arbitrary-lease.ts';
import { identity, notifyBasics, notifyOf, ownScripts } from './arbitrary-notify.ts';
import { pacing, routing, routingOf } from './arbitrary-routing.ts';
import { syncDaemons } from './arbitrary-sync.ts';
import { cluster, groupOf, NAMES, power, sensible, tracked, tracking } from './arbitrary-tracking.ts';
import {
  addressOf,
  device,
  duration,
  given,
  lvsSysctls,
  maybe,
  name,
  placements,
  port,
  wholeSeconds,
} from './arbitrary-values.ts';

/** Configurations that a file can mean: every rule of the language is kept. */

/** What IPv4 has of the flags. */
const FLAGS: AddressFlag[] = ['noprefixroute', 'autojoin'];

const virtualAddress = (family: Family): fc.Arbitrary<VirtualAddress> =>
  fc
    .record({
      address: fc.record({ ip: addressOf(family), length: fc.integer({ min: 0, max: familyBits(family) }) }),
      dev: maybe(device),
      peer: maybe(addressOf(family)),
      label: family === 4 ? maybe(fc.constantFrom('eth0:1', 'vip')) : fc.constant(undefined),
      broadcast: family === 4 ? maybe(addressOf(4)) : fc.constant(undefined),
      scope: fc.constantFrom(0, 253, 254),
      flags: maybe(fc.subarray(family === 4 ? FLAGS : [...ADDRESS_FLAGS], { minLength: 1 })),
      preferred: maybe(fc.constantFrom(0, 9, 'forever')),
      tracked: fc.constantFrom(undefined, false),
    })
    .map((value) => given(value) as VirtualAddress);

const unique = (family: Family, max: number) =>
  fc.uniqueArray(virtualAddress(family), { selector: (a) => a.address.ip, maxLength: max });

/** An address that no other instance has. */
const outside = (index: number): VirtualAddress => ({
  address: { ip: ip(`198.18.255.${index}`), length: 31 },
  dev: 'eth9',
  scope: 0,
});

/** Of the names that configurations give: those that the program makes are written out as well. */
const virtualInterface = (family: Family, index: number): fc.Arbitrary<VirtualInterface> =>
  fc
    .record({
      name: fc.constantFrom(`vrrp${index}.9`, `group${index}`, `02-${index}`),
      group: maybe(fc.integer({ min: 0, max: 0xffff_ffff })),
      sort: fc.oneof(
        fc.integer({ min: 0, max: 255 }).map((last) => ({
          kind: 'macvlan' as const,
          mac: `02:00:${index.toString(16).padStart(2, '0')}:00:00:${last.toString(16).padStart(2, '0')}`,
        })),
        fc.constantFrom('bridge', 'private', 'vepa').map((mode) => ({ kind: 'ipvlan' as const, mode })),
      ),
      own: addressOf(family),
    })
    .map(({ own, ...value }) => {
      const address = { ip: own, length: familyBits(family) };
      return given({ ...value, ...(value.sort.kind === 'ipvlan' && { address }) }) as VirtualInterface;
    });

function instance(index: number): fc.Arbitrary<VrrpSettings> {
  return fc
    .record({
      family: fc.constantFrom<Family>(4, 6),
      three: fc.boolean(),
      state: fc.constantFrom('MASTER', 'BACKUP'),
    })
    .chain(({ family, three, state }) => {
      const version = family === 6 || three ? 3 : 2;
      return fc
        .record({
          name: name.map((n) => `${n}${index}`),
          interface: device,
          family: fc.constant(family),
          version: fc.constant(version),
          vrid: fc.constant(index + 1),
          priority: fc.integer({ min: 1, max: 255 }),
          initial: fc.constant(state),
          advertInterval:
            version === 2
              ? fc.integer({ min: 1, max: 255 }).map(seconds)
              : fc.integer({ min: 1, max: 4095 }).map((cs) => micros(cs * 1e4)),
          preempt: fc.boolean(),
          addresses: unique(family, 4),
          excluded: fc.constantFrom([], [outside(index)]),
          plainChecksum: fc.boolean(),
          downAdverts: fc.integer({ min: 1, max: 100 }),
          quietToLower: fc.boolean(),
          virtual: maybe(virtualInterface(family, index)),
          transmitBase: maybe(fc.constant(true)),
          noAccept: maybe(fc.constant(true)),
          skipAddressCheck: maybe(fc.constant(true)),
          announce: fc.record({
            repeat: fc.integer({ min: 1, max: 100 }),
            delay: wholeSeconds(100),
            refresh: wholeSeconds(100),
            refreshRepeat: fc.integer({ min: 1, max: 9 }),
            lowerRepeat: maybe(fc.integer({ min: 0, max: 9 })),
            elsewhere: maybe(
              fc.record({ period: wholeSeconds(100).filter((period) => period > 0), all: fc.boolean() }),
            ),
            lowerDelay: maybe(wholeSeconds(100)),
          }),
          ...tracking(family, version),
          onFenceFailure: maybe(fc.constantFrom('wait', 'take', 'manual')),
          takeoverPolicy: maybe(fc.constantFrom('silence', 'evidence', 'proof')),
          lease: wholeSeconds(60).map((lease) => (lease === 0 ? lease : micros(lease + 400e6))),
          alone: fc.boolean(),
        })
        .map(({ alone, ...value }) => {
          const preempt = value.preempt || value.initial === 'MASTER' || value.priority === 255;
          return sensible(
            given({
              ...value,
              term: termOf(value, alone),
              preempt,
              announce: sayingMore(given(value.announce) as AnnounceSettings),
            }) as VrrpSettings,
          );
        });
    });
}

/** What is said of the bursts after a lesser master, where it is not what the first bursts have. */
const sayingMore = (announce: AnnounceSettings): AnnounceSettings => {
  const { lowerRepeat, lowerDelay, ...common } = announce;
  return given({
    ...common,
    lowerRepeat: lowerRepeat === common.repeat ? undefined : lowerRepeat,
    lowerDelay: lowerDelay === common.delay ? undefined : lowerDelay,
  }) as AnnounceSettings;
};

const check = (family: Family): fc.Arbitrary<TcpCheck> =>
  fc
    .record({
      kind: fc.constant('tcp' as const),
      address: addressOf(family),
      port,
      timeout: duration(1, 60),
      source: maybe(addressOf(family)),
      sourcePort: maybe(port),
      period: duration(1, 60),
      warmup: duration(0, 60),
      retries: fc.integer({ min: 0, max: 9 }),
      retryDelay: duration(0, 60),
      alpha: fc.boolean(),
    })
    .map((value) => given(value) as TcpCheck);

const bfdCheck: fc.Arbitrary<BfdCheck> = fc.record({
  kind: fc.constant('bfd' as const),
  session: fc.constantFrom(...NAMES),
  alpha: fc.boolean(),
});

/** DR and TUN keep the service's port, a mark has none. */
function destination(key: ServiceKey, family: Family): fc.Arbitrary<Destination> {
  return fc
    .record({
      address: addressOf(family),
      port,
      method: fc.constantFrom<ForwardingMethod>('nat', 'dr', 'tun'),
      weight: fc.integer({ min: 0, max: 1000 }),
      upper: fc.constantFrom(400, 500),
      lower: fc.constantFrom(0, 400),
    })
    .chain((value) => {
      if (value.method === 'nat') return fc.constant(value);
      const placed = { ...value, port: key.kind === 'fwmark' ? 0 : key.port };
      if (value.method === 'dr') return fc.constant(placed);
      return maybe(tunnel).map((chosen) => given({ ...placed, tunnel: chosen }) as Destination);
    });
}

const tunnel: fc.Arbitrary<Tunnel> = fc.oneof(
  fc.record({
    type: fc.constant('gue' as const),
    port,
    checksum: fc.constantFrom('nocsum' as const, 'csum' as const, 'remcsum' as const),
  }),
  fc.record({
    type: fc.constant('gre' as const),
    port: fc.constant(0),
    checksum: fc.constantFrom('nocsum' as const, 'csum' as const),
  }),
);

/** The same as a group of two services: servers of DR and TUN have the port of each. */
function inGroup(server: VirtualServerSettings, name: string, says: boolean): VirtualServerSettings {
  const [first] = server.services;
  if (first === undefined) return server;
  const { key } = first;
  const other: ServiceKey =
    key.kind === 'fwmark' ? { ...key, mark: key.mark + 50 } : { ...key, port: key.port + 50 };
  const pointOf = (each: ServiceKey): ServicePoint => {
    if (each.kind === 'address') return { kind: 'address', address: each.address, port: each.port };
    return { kind: 'fwmark', mark: each.mark, ...(says && { family: each.family }) };
  };
  const placed = (d: Destination): Destination => (d.method === 'nat' ? d : { ...d, port: 0 });
  const { sorry, realServers } = server;
  return {
    ...server,
    services: [first, { ...first, key: other }],
    group: { name, index: 0, points: [key, other].map(pointOf) },
    realServers: realServers.map((each) => ({ ...each, destination: placed(each.destination) })),
    ...(sorry !== undefined && { sorry: placed(sorry) }),
  };
}

const maintenance: fc.Arbitrary<MaintenanceWindow> = fc
  .record({
    cron: fc.constantFrom('0 3 * * 0', '*/10 0 3 * * 1#2', '@daily'),
    length: fc.integer({ min: 1, max: 7 * 86_400 }).map(seconds),
    weight: maybe(fc.integer({ min: 0, max: 9 })),
  })
  .map((value) => given(value) as MaintenanceWindow);

const realServer = (key: ServiceKey, family: Family): fc.Arbitrary<RealServerSettings> =>
  fc
    .record({
      destination: destination(key, family),
      inhibit: fc.boolean(),
      checks: fc
        .tuple(fc.array(check(family), { maxLength: 2 }), fc.array(bfdCheck, { maxLength: 1 }))
        .map((kinds) => kinds.flat()),
      slowStart: maybe(duration(1, 600)),
      maintenance: maybe(fc.array(maintenance, { minLength: 1, maxLength: 2 })),
    })
    .map((value) => given(value) as RealServerSettings);

function virtualServer(index: number): fc.Arbitrary<VirtualServerSettings> {
  const any = fc.record({ family: fc.constantFrom<Family>(4, 6), mark: fc.boolean(), udp: fc.boolean() });
  return any
    .chain(({ family, mark, udp }) => {
      const address = addressOf(family).map((a): ServiceKey => {
        return { kind: 'address', protocol: udp ? 'udp' : 'tcp', address: a, port: 100 + index };
      });
      const key: fc.Arbitrary<ServiceKey> = mark
        ? fc.constant({ kind: 'fwmark', mark: index + 1, family })
        : address;
      return fc.record({ key, family: fc.constant(family) });
    })
    .chain(({ key, family }) => {
      const udp = key.kind === 'address' && key.protocol === 'udp';
      const bits = familyBits(family);
      return fc
        .record({
          scheduler: fc.constantFrom('rr', 'wlc', 'sh', 'mh'),
          flags: fc.integer({ min: 0, max: 7 }).map((bit) => bit * 8 + (udp && bit % 2 ? 4 : 0)),
          persistence: fc.constantFrom(0, 1, 360),
          granularity: fc.integer({ min: 1, max: bits }),
          engine: fc.constantFrom(undefined, 'sip'),
          realServers: fc.uniqueArray(realServer(key, family), {
            selector: ({ destination: d }) => `${d.address} ${d.port}`,
            minLength: 1,
            maxLength: 3,
          }),
          sorry: maybe(destination(key, family).map((d) => ({ ...d, weight: 1, upper: 0, lower: 0 }))),
          hysteresis: fc.constantFrom(0, 1),
          omega: fc.boolean(),
          grouped: fc.constantFrom('no', 'says', 'silent'),
        })
        .map(({ scheduler, flags, persistence, granularity, engine, realServers, sorry, ...more }) => {
          const { hysteresis, omega, grouped } = more;
          const total = realServers.reduce((sum, { destination: d }) => sum + d.weight, 0);
          const quorum = Math.max(1, Math.min(3, total));
          const stuck = persistence === 0 ? bits : granularity;
          const pe = persistence === 0 ? undefined : engine;
          const service = given({ key, scheduler, flags, persistence, granularity: stuck, engine: pe });
          const kept = Math.min(hysteresis, quorum - 1);
          const quirks = {
            ...(omega && { omega: true }),
            ...(omega && key.kind === 'address' && { haSuspend: true }),
            ...(omega && sorry !== undefined && { sorryInhibit: true }),
            ...(hysteresis > 0 && { minUp: 30 }),
          };
          const balance = { realServers, sorry, quorum, hysteresis: kept };
          const alone = given({ services: [service], ...balance, ...quirks }) as VirtualServerSettings;
          return grouped === 'no' ? alone : inGroup(alone, `web ${index}`, grouped === 'says');
        });
    });
}

/** Lists of up to `max` elements, each made from its index. */
const indexed = <T>(make: (index: number) => fc.Arbitrary<T>, max: number): fc.Arbitrary<T[]> =>
  fc.integer({ min: 0, max }).chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => make(i))));

/** Addresses and names of different instances must differ: those that clash are dropped. */
function distinct(instances: readonly VrrpSettings[]): VrrpSettings[] {
  const seen = new Set<string>();
  return instances.filter(({ addresses }) => {
    const clash = addresses.some(({ address }) => seen.has(address.ip));
    for (const { address } of addresses) seen.add(address.ip);
    return !clash;
  });
}

/** Cloned at the end: fast-check's records have no prototype, what a file gives has. */
export const configuration: fc.Arbitrary<Configuration> = fc
  .record({
    ...tracked,
    routerId: maybe(name),
    start: fc.record({ delay: wholeSeconds(9), afterBoot: wholeSeconds(9) }),
    scriptUser: maybe(identity),
    scriptSecurity: fc.boolean(),
    grouped: fc.boolean(),
    basics: notifyBasics,
    ...ownScripts,
    placements,
    namespaces: fc
      .record({ own: maybe(fc.constant('blue')), ipvs: maybe(fc.constantFrom('', 'red')) })
      .map((names) => given(names)),
    firewall: fc.record({
      table: fc.constantFrom('vipkeeper', 'vrrp-2'),
      priority: fc.integer({ min: -400, max: 400 }),
      byIndex: fc.boolean(),
      counters: fc.boolean(),
    }),
    leaseTables: fc.boolean(),
    vmacPrefix: maybe(fc.constantFrom('vm', 'vrrp')),
    flush: fc.boolean(),
    saveFolder: maybe(fc.constantFrom('/var/lib/copies', '/tmp/two words')),
    dynamicInterfaces: fc.boolean(),
    quietIgmp: fc.boolean(),
    logUnknownVrids: fc.boolean(),
    flushOnStop: fc.boolean(),
    lvsSysctls: maybe(lvsSysctls),
    timeouts: maybe(fc.record({ tcp: fc.integer({ min: 0, max: 9999 }), udp: maybe(port) }).map(given)),
    initNotifies: fc.boolean(),
    instances: indexed(instance, 3).map(distinct),
    lines: routingOf,
    pacing,
    virtualServers: indexed(virtualServer, 3),
    cluster: maybe(cluster),
    power,
    sync: maybe(syncDaemons),
  })
  .map(({ instances: drawn, virtualServers, sync, grouped, basics, lines, pacing: gaps, ...rest }) => {
    // Who waits for a copy of the connection table needs one to come.
    const copies = sync !== undefined && sync.bulkPort > 0 && rest.cluster;
    const instances = copies ? drawn : drawn.map(({ preemptAfterSync: _, ...instance }) => instance);
    const { scripts, files, processes, bfd, delays, cluster: voters, power: powers, ...global } = rest;
    const groups = grouped ? groupOf(instances) : [];
    const notify = notifyOf(basics, instances, groups, virtualServers);
    const first = instances[0];
    const followed = first === undefined ? {} : { instance: first.name };
    const syncDaemon = sync && given({ ...sync, ...followed });
    return structuredClone(
      given({
        global: given(global),
        instances,
        ...routing(instances, lines),
        pacing: gaps,
        groups,
        scripts,
        files,
        processes,
        bfd,
        cluster: voters,
        ...(voters !== undefined && { fencing: powers.fencing }),
        watchdog: powers.watchdog,
        delays,
        notify,
        virtualServers,
        syncDaemon,
      }),
    ) as unknown as Configuration;
  });
