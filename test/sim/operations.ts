import type { Prng } from '../../src/core/prng.ts';

/**
 * What goes wrong on a day, as data: directors and segments by their index, times in microseconds. Chance has no part
 * in what an operation is, so that one can be left out and the others stay what they are.
 */
export type Fault =
  /** `chance`: of each packet. */
  | { readonly kind: 'loss' | 'duplicate' | 'corrupt'; readonly segment: number; readonly chance: number }
  /** `most`: the longest delay. */
  | { readonly kind: 'delay'; readonly segment: number; readonly most: number }
  /** `here`: one side of it. One way: nothing passes from there to the other side. */
  | {
      readonly kind: 'partition' | 'one-way';
      readonly segment: number;
      readonly here: readonly number[];
    }
  | { readonly kind: 'crash' | 'stop' | 'stall' | 'pause' | 'weight'; readonly director: number }
  /** `latency`: how late it gets the CPU, at most. */
  | { readonly kind: 'busy'; readonly director: number; readonly latency: number }
  /** The interface itself, or the one of the virtual addresses, has no carrier; it has lost its own address. */
  | {
      readonly kind: 'carrier' | 'address link' | 'own address' | 'resign' | 'removal';
      readonly director: number;
      readonly segment: number;
    }
  /** For a while it has these settings. */
  | {
      readonly kind: 'reload';
      readonly director: number;
      readonly segment: number;
      readonly priority: number;
      readonly quietToLower: boolean;
    }
  /** Adverts do not leave, for this reason. */
  | { readonly kind: 'mute'; readonly director: number; readonly code: string }
  /** The kernel refuses every change, with this errno. */
  | { readonly kind: 'refusal'; readonly director: number; readonly errno: number }
  /** The kernel takes so long for changes, and the process waits. */
  | { readonly kind: 'slow kernel'; readonly director: number; readonly takes: number }
  /** The kernel's news do not come, and what happens meanwhile is only seen when all is read again. */
  | {
      readonly kind: 'lost news';
      readonly director: number;
      readonly segment: number;
      readonly hides: 'nothing' | 'carrier' | 'address link' | 'own address' | 'removal';
    };

/** A fault from `at` on, for so long. At its end all that it did is undone. */
export type Operation = Fault & { readonly at: number; readonly lasts: number };
export type FaultKind = Fault['kind'];

export const FAULT_KINDS: readonly FaultKind[] = [
  'loss',
  'delay',
  'duplicate',
  'corrupt',
  'partition',
  'one-way',
  'crash',
  'stop',
  'stall',
  'pause',
  'busy',
  'carrier',
  'address link',
  'own address',
  'removal',
  'resign',
  'weight',
  'reload',
  'mute',
  'refusal',
  'slow kernel',
  'lost news',
];

/** The worst that `delay` and `busy` do, in advert intervals: what bounds must allow for. */
export const WORST_DELAY = 0.4;
export const WORST_LATENCY = 0.9;
/** The worst that a slow kernel does, in advert intervals; never more than half a second. */
const WORST_WAIT = 0.5;
const LONGEST_WAIT = 500_000;

const UNSENT = ['EPERM', 'ENETDOWN', 'ENETUNREACH', 'ENOBUFS', 'EINVAL'];
/** EPERM, ENOMEM, EINVAL, ENOBUFS. */
const REFUSALS = [1, 12, 22, 105];

/** A day on which faults are drawn. */
export interface Stage {
  readonly prng: Prng;
  /** The advert interval, in microseconds, and the usual delay of packets. */
  readonly unit: number;
  readonly delayMost: number;
  readonly segments: number;
  /** The priority of each director. */
  readonly priorities: readonly number[];
}

/** One fault of this kind. */
export function drawFault(kind: FaultKind, stage: Stage): Fault {
  const { prng, unit, delayMost, priorities } = stage;
  const director = prng.between(0, priorities.length - 1);
  const segment = prng.between(0, stage.segments - 1);
  switch (kind) {
    case 'loss':
    case 'duplicate':
    case 'corrupt':
      return { kind, segment, chance: prng.pick([0.01, 0.1, 0.3, 0.6]) };
    case 'delay':
      return { kind, segment, most: Math.max(delayMost, unit * prng.unit() * WORST_DELAY) };
    case 'partition':
    case 'one-way':
      return { kind, segment, here: [...priorities.keys()].filter(() => prng.chance(0.5)) };
    case 'busy':
      return { kind, director, latency: unit * prng.unit() * WORST_LATENCY };
    case 'carrier':
    case 'address link':
    case 'own address':
    case 'resign':
    case 'removal':
      return { kind, director, segment };
    case 'reload': {
      // For the worse only: what the checks know of a host is then no more than what it really does.
      const priority = prng.between(1, priorities[director] ?? 1);
      return { kind, director, segment, priority, quietToLower: prng.chance(0.5) };
    }
    case 'mute':
      return { kind, director, code: prng.pick(UNSENT) };
    case 'refusal':
      return { kind, director, errno: prng.pick(REFUSALS) };
    case 'slow kernel':
      return { kind, director, takes: Math.min(LONGEST_WAIT, unit * prng.unit() * WORST_WAIT) };
    case 'lost news': {
      const hides = prng.pick(['nothing', 'carrier', 'address link', 'own address', 'removal'] as const);
      return { kind, director, segment, hides };
    }
    default:
      return { kind, director };
  }
}

/** `lost news of director 1 for 0.300 s: hides carrier`. */
export function tellOperation({ kind, at: _at, lasts, ...rest }: Operation): string {
  const more = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${kind} for ${(lasts / 1e6).toFixed(3)} s: ${more.join(', ')}`;
}
