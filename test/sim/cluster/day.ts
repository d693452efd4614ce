import type { DeviceSettings } from '../../../src/core/fence/agent.ts';
import { defaultLease, filterTerm } from '../../../src/core/fence/lease.ts';
import type { ClusterSettings, FencingTargets } from '../../../src/core/fence/settings.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import { type Duration, micros, millis, seconds } from '../../../src/core/time.ts';
import type { GroupSettings, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { drawFault, lying, type Operation, type Stage } from './operations.ts';

/** A kind of cluster: how many directors, who has the last vote of an even number, whether directors fence. */
export interface Kind {
  readonly directors: number;
  readonly third?: 'witness' | 'etcd';
  readonly fences: boolean;
}

export const KINDS = {
  'a pair with a witness': { directors: 2, third: 'witness', fences: false },
  'a pair with etcd': { directors: 2, third: 'etcd', fences: false },
  'a pair that fences': { directors: 2, fences: true },
  'a pair with a witness that fences': { directors: 2, third: 'witness', fences: true },
  'a pair with etcd that fences': { directors: 2, third: 'etcd', fences: true },
  'three directors': { directors: 3, fences: false },
  'three directors that fence': { directors: 3, fences: true },
  'five directors': { directors: 5, fences: false },
} as const satisfies Readonly<Record<string, Kind>>;
export type KindName = keyof typeof KINDS;
/** Five directors take three times as long to play as two. */
const NAMES: readonly KindName[] = [
  ...(Object.keys(KINDS) as KindName[]),
  ...(['a pair with a witness', 'a pair that fences', 'a pair with a witness that fences'] as const),
];

/** All about a simulated day that is decided before it begins: plain data, which a file can have. */
export interface Day {
  /** Of what chance does during the day: delays, losses, how late the CPU comes. */
  readonly seed: number;
  readonly kind: KindName;
  /** The advert interval. */
  readonly unit: Duration;
  /** A virtual router; two on two segments, in a sync group; two on one segment, each best on another director. */
  readonly routers: 'single' | 'group' | 'active-active';
  /** Of addresses: `vip_lease`; 0 without. */
  readonly lease: Duration;
  /** Packets pass a lease of nf_tables. */
  readonly filtered: boolean;
  readonly preempt: boolean;
  /** Of heartbeats, beside the VRRP link. */
  readonly paths: number;
  /** Between two heartbeats. */
  readonly interval: Duration;
  readonly longest: Duration;
  readonly margin: number;
  readonly reboots: boolean;
  readonly startup: 'wait' | 'fence';
  /** Of the kernel's watchdog; absent without one. */
  readonly watchdog?: Duration;
  /** Ordinary delay of packets, at most. */
  readonly delayMost: number;
  /** How many packets of all are late by far. */
  readonly stragglers: number;
  readonly nodes: readonly PlayedNode[];
  readonly operations: readonly Operation[];
  /** Has no power from the end of the faults on. */
  readonly gone?: string;
  /** It ends as soon as all is at rest; others end when all must be. */
  readonly brief?: boolean;
}

export interface PlayedNode {
  readonly name: string;
  /** Local seconds in a true second. */
  readonly clockRate: number;
  readonly clockOffset: number;
  /** When it starts. */
  readonly starts: number;
  readonly priority: number;
}

/** In advert intervals: when faults begin, and the longest fault. */
const FIRST_FAULT = 8;
const FAULT_PHASE = 24;
const LONGEST_FAULT = 10;
/** By then somebody holds the addresses. */
const HELD = 12;
/** So many of the days go on when all is at rest: what is at rest has to stay so. */
const WHOLE = 0.125;
/** By so much clocks differ where safety has to break: ten times the largest margin. */
const BEYOND = 1;

/** What is drawn: clocks differ `beyond` the margin, and stand while the kernel does; devices that `lie`. */
export interface Sort {
  readonly beyond?: boolean;
  readonly lies?: boolean;
}

/** The day of a seed. */
export function drawDay(seed: number, { beyond = false, lies = false }: Sort = {}): Day {
  const prng = new Prng(seed);
  const kind = prng.pick(NAMES);
  const { directors: count, fences, third }: Kind = KINDS[kind];
  const unit = prng.chance(fences ? 0.05 : 0.3) ? millis(100) : seconds(1);
  const names = Array.from({ length: count }, (_, i) => `d${i}`);
  const margin = prng.pick([0.01, 0.05, 0.1]);
  const spread = beyond ? BEYOND : margin * 0.98;
  const together = prng.chance(0.3);
  const nodes = [...names, ...(third === undefined ? [] : [third])].map((name, i) => ({
    name,
    // Half of the clocks differ as much as they may.
    clockRate: 1 + ((prng.chance(0.5) ? prng.between(0, 1) : prng.unit()) - 0.5) * spread,
    clockOffset: prng.between(1, 1e9),
    starts: together ? 0 : Math.round(prng.unit() * 3 * unit),
    priority: 200 - 10 * i,
  }));
  const routers = prng.pick(['single', 'single', 'group', 'active-active'] as const);
  const lease = defaultLease(unit);
  const filtered = lease === 0 || prng.chance(0.7);
  const paths = prng.pick([0, 0, 1, 2]);
  const segments = routers === 'group' ? 2 : 1;
  const stage = { prng, unit, directors: names, third, fences, segments, paths, beyond };
  const operations = lies ? lying(stage, FIRST_FAULT * unit) : drawOperations(prng, unit, stage);
  const gone = prng.chance(0.25) ? prng.pick(nodes).name : undefined;
  return {
    seed,
    kind,
    unit,
    routers,
    lease: filtered && prng.chance(0.5) ? seconds(0) : lease,
    filtered,
    preempt: prng.chance(0.7),
    paths,
    interval: micros(unit / prng.pick([2, 4])),
    longest: micros(unit * prng.between(3, 5)),
    margin,
    reboots: fences && prng.chance(0.25),
    // With `wait` one that is alone from its start on takes nothing.
    startup: gone !== undefined || prng.chance(0.2) ? 'fence' : 'wait',
    ...(prng.chance(0.4) && { watchdog: micros(unit * prng.between(3, 6)) }),
    delayMost: unit / prng.pick([20, 200]),
    stragglers: prng.pick([0, 0.03, 0.15]),
    nodes,
    operations,
    ...(gone !== undefined && { gone }),
    brief: !prng.chance(WHOLE),
  };
}

/** A few faults, some at once, most of them short; often where no adverts are heard, so that only votes count. */
function drawOperations(prng: Prng, unit: number, stage: Stage): Operation[] {
  const operations: Operation[] = [];
  if (prng.chance(0.4)) {
    const links = prng.pick(['vrrp', 'vrrp', 'all'] as const);
    const node = prng.pick(stage.directors);
    const lasts = LONGEST_FAULT * unit;
    operations.push({ kind: 'cut', node, links, way: 'both', at: HELD * unit, lasts });
  }
  for (let count = prng.between(1, 3); count > 0; count--) {
    const at = Math.round((FIRST_FAULT + prng.unit() * (FAULT_PHASE - FIRST_FAULT)) * unit);
    for (let many = prng.pick([1, 2, 2]); many > 0; many--) {
      const begins = Math.round(at + prng.pick([0, 1]) * prng.unit() * unit);
      const lasts = Math.round(prng.unit() ** 2 * LONGEST_FAULT * unit);
      operations.push({ ...drawFault(stage), at: begins, lasts });
    }
  }
  return operations.sort((a, b) => a.at - b.at);
}

/** What a virtual router's address is, and on which segment. */
export interface Vip {
  readonly router: string;
  readonly segment: number;
  readonly address: ReturnType<typeof ip>;
}

export function vipsOf({ routers }: Day): readonly Vip[] {
  const first = { router: 'VI_1', segment: 0, address: ip('10.0.0.100') };
  if (routers === 'single') return [first];
  const segment = routers === 'group' ? 1 : 0;
  return [first, { router: 'VI_2', segment, address: ip(`10.0.${segment}.101`) }];
}

export const segmentsOf = (day: Day): number => (day.routers === 'group' ? 2 : 1);
export const thirdOf = ({ kind }: Day): Kind['third'] => (KINDS[kind] as Kind).third;
export const directorsOf = (day: Day): readonly PlayedNode[] => day.nodes.slice(0, KINDS[day.kind].directors);

/** What a director is configured with. */
export function settingsOf(
  day: Day,
  { name, priority }: PlayedNode,
): {
  readonly instances: readonly VrrpSettings[];
  readonly groups: readonly GroupSettings[];
  readonly cluster: ClusterSettings;
  readonly fencing?: FencingTargets;
} {
  const { unit, preempt, lease } = day;
  const instances = vipsOf(day).map(({ router, segment, address }, i): VrrpSettings => {
    const swapped = day.routers === 'active-active' && i === 1;
    return {
      name: router,
      interface: `eth${segment}`,
      family: 4,
      version: 3,
      vrid: 51 + i,
      priority: swapped ? 255 - priority : priority,
      initial: 'BACKUP',
      advertInterval: unit,
      preempt,
      addresses: [{ address: { ip: address, length: 24 }, scope: 0 }],
      excluded: [],
      plainChecksum: false,
      downAdverts: 3,
      quietToLower: false,
      announce: { repeat: 1, delay: seconds(0), refresh: seconds(0), refreshRepeat: 1 },
      lease,
      ...(day.filtered && { term: filterTerm(unit, 3) }),
    };
  });
  const members = instances.map((instance) => instance.name);
  const directors = directorsOf(day).map((each) => ({ name: each.name, addresses: [] }));
  const third = thirdOf(day);
  const { margin, longest, interval } = day;
  const cluster: ClusterSettings = {
    cluster: 'sim',
    name,
    directors,
    ...(third === 'witness' && { witness: { name: third, addresses: [], port: 0 } }),
    ...(third === 'etcd' && { etcd: { name: third, endpoints: [], prefix: '' } }),
    port: 0,
    keyFile: '',
    ...{ interval, longest, margin },
  };
  const targets = directors.map((each) => each.name).filter((each) => each !== name);
  return {
    instances,
    groups: day.routers === 'group' ? [{ name: 'G', members, track: [], weights: true }] : [],
    cluster,
    ...(KINDS[day.kind].fences && { fencing: { targets, startup: day.startup, onFailure: 'wait' } }),
  };
}

/** The fence device of each other director. */
export const devicesOf = (day: Day, own: string): DeviceSettings[] =>
  directorsOf(day)
    .filter(({ name }) => name !== own)
    .map(({ name, priority }) => ({
      name: `device of ${name}`,
      agent: 'fence_sim',
      target: name,
      parameters: {},
      level: 1,
      action: day.reboots ? 'reboot' : 'off',
      verify: true,
      timeout: seconds(3),
      retries: 1,
      // The best is shot last.
      delay: priority === 200 ? seconds(1) : seconds(0),
      monitor: seconds(0),
    }));
