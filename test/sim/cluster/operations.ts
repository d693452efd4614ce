import type { Prng } from '../../../src/core/prng.ts';

/**
 * What goes wrong with a cluster, as data: nodes by their names, times in microseconds. Chance has no part in what an
 * operation is, so that one can be left out and the others stay what they are.
 */
export type Fault =
  /** SIGSTOP, SIGKILL. A director's VRRP process, or the whole daemon; the witness is one process, and so is etcd. */
  | { readonly kind: 'freeze' | 'kill'; readonly node: string; readonly what: 'vrrp' | 'daemon' }
  /** SIGTERM; `vipkeeper switchover` of all its routers. */
  | { readonly kind: 'stop' | 'switchover'; readonly node: string }
  | { readonly kind: 'power'; readonly node: string }
  /** The kernel stands still with all that runs on it; `clocks`: whether its clocks know. */
  | { readonly kind: 'kernel'; readonly node: string; readonly clocks: 'go on' | 'stand' }
  /** Nothing passes from it (`out`), to it (`in`), or both. Fence devices have a network of their own: not in `all`. */
  | {
      readonly kind: 'cut';
      readonly node: string;
      readonly links: Link | 'all';
      readonly way: 'in' | 'out' | 'both';
    }
  /** Its cable of this segment is pulled, which its kernel sees. */
  | { readonly kind: 'carrier'; readonly node: string; readonly segment: number }
  /** Of each packet, on all links. */
  | { readonly kind: 'loss' | 'duplicate'; readonly chance: number }
  /** `most`: the longest delay. */
  | { readonly kind: 'delay'; readonly most: number }
  /** Its wall clock is set. */
  | { readonly kind: 'wall clock'; readonly node: string; readonly by: number }
  /** What the fence device of this director does. */
  | { readonly kind: 'device'; readonly node: string; readonly does: DeviceFault }
  /** The kernel refuses to change addresses. */
  | { readonly kind: 'refusal'; readonly node: string }
  /** How late its processes get the CPU, at most. */
  | { readonly kind: 'busy'; readonly node: string; readonly latency: number };

/** `heartbeat`: paths of heartbeats alone; `third`: to the witness or etcd; `device`: to fence devices. */
export type Link = 'vrrp' | 'heartbeat' | 'third' | 'device';
/** It never answers; says that it failed; switches off when nobody waits any more; says that it did and did not. */
export type DeviceFault = 'hangs' | 'fails' | 'is late' | 'lies';

/** A fault from `at` on, for so long. At its end all that it did is undone. */
export type Operation = Fault & { readonly at: number; readonly lasts: number };
export type FaultKind = Fault['kind'];

/** A day on which faults are drawn. */
export interface Stage {
  readonly prng: Prng;
  /** The advert interval, in microseconds. */
  readonly unit: number;
  readonly directors: readonly string[];
  /** The witness or etcd. */
  readonly third: string | undefined;
  readonly fences: boolean;
  readonly segments: number;
  /** Of heartbeats alone. */
  readonly paths: number;
  /** Clocks may stand. */
  readonly beyond: boolean;
}

const HOUR = 3_600_000_000;
const LOSSES = [0.05, 0.3];

/** Faults by how often they are drawn. */
const KINDS: readonly FaultKind[] = [
  ...(['freeze', 'freeze', 'freeze', 'kill', 'kill', 'kernel', 'kernel', 'power', 'power'] as const),
  ...(['cut', 'cut', 'cut', 'cut', 'carrier', 'loss', 'delay', 'duplicate', 'device', 'device'] as const),
  ...(['stop', 'switchover', 'wall clock', 'refusal', 'busy'] as const),
];

/** One fault. */
export function drawFault(stage: Stage): Fault {
  const { prng, unit, directors, third, segments } = stage;
  const kind = prng.pick(KINDS);
  const node = prng.pick(directors);
  const any = third !== undefined && prng.chance(0.3) ? third : node;
  switch (kind) {
    case 'freeze':
    case 'kill':
      return { kind, node: any, what: prng.pick(['vrrp', 'daemon']) };
    case 'kernel':
      return { kind, node, clocks: stage.beyond && prng.chance(0.5) ? 'stand' : 'go on' };
    case 'cut':
      return { kind, node, links: drawLinks(stage), way: prng.pick(['both', 'both', 'in', 'out']) };
    case 'carrier':
      return { kind, node, segment: prng.between(0, segments - 1) };
    case 'loss':
    case 'duplicate':
      return { kind, chance: prng.pick(LOSSES) };
    case 'delay':
      return { kind, most: unit * prng.pick([0.5, 3]) };
    case 'wall clock':
      return { kind, node, by: prng.pick([-HOUR, HOUR]) };
    case 'device': {
      const does = prng.pick(['hangs', 'fails', 'is late'] as const);
      return stage.fences ? { kind, node, does } : { kind: 'power', node };
    }
    case 'busy':
      return { kind, node, latency: (unit * prng.unit()) / 2 };
    default:
      return { kind, node };
  }
}

function drawLinks({ prng, third, fences, paths }: Stage): Link | 'all' {
  const links: (Link | 'all')[] = ['vrrp', 'all'];
  if (paths > 0) links.push('heartbeat');
  if (third !== undefined) links.push('third');
  if (fences) links.push('device');
  return prng.pick(links);
}

/** Devices of all directors lie while one of them is cut off. */
export function lying({ prng, unit, directors }: Stage, at: number): Operation[] {
  const lasts = 10 * unit;
  return [
    ...directors.map((node): Operation => ({ kind: 'device', node, does: 'lies', at, lasts })),
    { kind: 'cut', node: prng.pick(directors), links: 'all', way: 'both', at, lasts },
  ];
}

/** `cut for 3.000 s: node "d0", links "all", way "both"`. */
export function tellOperation({ kind, at: _at, lasts, ...rest }: Operation): string {
  const more = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${kind} for ${(lasts / 1e6).toFixed(3)} s: ${more.join(', ')}`;
}
