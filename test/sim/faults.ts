import type { Prng } from '../../src/core/prng.ts';
import { nameOf, RESIGN_CAUSE, type Watch } from './checks.ts';
import type { Host } from './host.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** What goes wrong. Every fault has an end, at which everything it did is undone. */
export const FAULT_KINDS = [
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
  'resign',
  'weight',
  'reload',
  'mute',
  'refusal',
  'lost news',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What was refused is tried again after a second, and so is whether adverts leave. */
export const RECOVERY = 2_500_000;
/** The script that all routers track: with a negative weight, for `weight`. */
export const TRACKED = 'check';

/** The worst that `delay` and `busy` do, in advert intervals: what bounds must allow for. */
export const WORST_DELAY = 0.4;
export const WORST_LATENCY = 0.9;

/** Where faults strike. `unit` is the advert interval and `delayMost` the usual delay, in microseconds. */
export interface Stage {
  readonly world: World;
  readonly network: Network;
  readonly watch: Watch;
  readonly prng: Prng;
  readonly unit: number;
  readonly delayMost: number;
}

/** Begins one fault now, and plans its end `duration` microseconds later. */
export function strike(kind: FaultKind, duration: number, stage: Stage): void {
  const { world, watch, network, prng } = stage;
  const host = prng.pick(network.hosts);
  watch.note(`${kind} for ${(duration / 1e6).toFixed(3)} s (${nameOf(host)})`);
  const undo = isOfNetwork(kind) ? disturb(kind, stage) : harm(kind, host, duration, stage);
  if (undo !== undefined) world.at(world.now + duration, undo);
}

type NetworkFault = 'loss' | 'delay' | 'duplicate' | 'corrupt' | 'partition' | 'one-way';

const isOfNetwork = (kind: FaultKind): kind is NetworkFault =>
  ['loss', 'delay', 'duplicate', 'corrupt', 'partition', 'one-way'].includes(kind);

/** What happens to the segment; returns how to mend it. */
function disturb(kind: NetworkFault, { network, prng, unit, delayMost }: Stage): () => void {
  const { conditions, hosts } = network;
  if (kind === 'partition' || kind === 'one-way') {
    const here = new Set(hosts.filter(() => prng.chance(0.5)));
    const cut = (by: 1 | -1): void => {
      for (const from of hosts) {
        for (const to of hosts) {
          if (here.has(from) === here.has(to) || (kind === 'one-way' && here.has(to))) continue;
          network.cut(from, to, by);
        }
      }
    };
    cut(1);
    return () => cut(-1);
  }
  if (kind === 'delay') {
    conditions.delayMost = Math.max(delayMost, unit * prng.unit() * WORST_DELAY);
    return () => {
      conditions.delayMost = delayMost;
    };
  }
  conditions[kind] = prng.pick([0.01, 0.1, 0.3, 0.6]);
  return () => {
    conditions[kind] = 0;
  };
}

/** What happens to a host; returns how to mend it, where that does not happen by itself. */
function harm(
  kind: Exclude<FaultKind, NetworkFault>,
  host: Host,
  duration: number,
  { prng, unit }: Stage,
): (() => void) | undefined {
  const { process } = host;
  switch (kind) {
    case 'crash':
      process.crash();
      return () => process.start();
    case 'stop':
      process.stop();
      return () => process.start();
    case 'stall':
    case 'pause':
      process.sleep(duration, kind === 'pause');
      return undefined;
    case 'busy':
      process.latency = Math.max(process.usualLatency, unit * prng.unit() * WORST_LATENCY);
      return () => {
        process.latency = process.usualLatency;
      };
    case 'carrier':
      host.setCarrier(false);
      return () => host.setCarrier(true);
    case 'weight':
      process.track(false, TRACKED);
      return () => process.track(true, TRACKED);
    case 'reload': {
      // For the worse only: what the checks know of a host is then no more than what it really does.
      const { priority, quietToLower } = host.settings;
      const settings = { ...host.settings, priority: prng.between(1, priority), quietToLower: !quietToLower };
      process.configure(settings);
      return () => process.configure();
    }
    case 'resign':
      process.resign(host, RESIGN_CAUSE);
      return undefined;
    default:
      return disagree(kind, process, unit);
  }
}

/** What keeps the kernel from being as the machine wants it; for a while after it ends, too. */
function disagree(kind: 'mute' | 'refusal' | 'lost news', process: Process, unit: number): () => void {
  const set = (on: boolean): void => {
    if (kind === 'mute') process.mute = on;
    else if (kind === 'refusal') process.kernel.refuses = on;
    else process.deafToNews = on;
    process.excusedTo = on ? Number.POSITIVE_INFINITY : process.now + RECOVERY + 5 * unit;
  };
  set(true);
  return () => {
    set(false);
    if (kind === 'lost news') process.read('events were lost');
  };
}
