import { nameOf, RESIGN_CAUSE } from './checks.ts';
import type { Host } from './host.ts';
import type { Network } from './network.ts';
import { type Operation, tellOperation } from './operations.ts';
import type { Process } from './process.ts';
import { TRACKED } from './scenario.ts';
import type { World } from './world.ts';

/** What was refused is tried again after a second, and so is whether adverts leave. */
export const RECOVERY = 2_500_000;

/** Where operations take place. `unit` is the advert interval and `delayMost` the usual delay, in microseconds. */
export interface Place {
  readonly world: World;
  readonly segments: readonly Network[];
  /** By the director's index. */
  readonly processes: ReadonlyMap<number, Process>;
  readonly unit: number;
  readonly delayMost: number;
}

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;
type OfSegment = Of<'loss' | 'duplicate' | 'corrupt' | 'delay' | 'partition' | 'one-way'>;
type OfDirector = Exclude<Operation, OfSegment>;
/** How to mend it, where that does not happen by itself. */
type Undo = (() => void) | undefined;

/** Begins an operation now, and plans its end. One of a director that takes no part does nothing. */
export function strike(operation: Operation, place: Place): void {
  const { world, segments, processes } = place;
  const network = 'segment' in operation ? segments[operation.segment] : segments[0];
  if (network === undefined) return;
  const tell = (): void => network.watch.note(tellOperation(operation));
  let undo: Undo;
  if ('director' in operation) {
    const process = processes.get(operation.director);
    const host = network.hosts.find(({ index }) => index === operation.director);
    if (process === undefined || host === undefined) return;
    tell();
    network.watch.note(`  it is ${nameOf(host)}`);
    undo = harm(operation, host, place);
  } else {
    tell();
    undo = disturb(operation, network, place.delayMost);
  }
  if (undo !== undefined) world.at(world.now + operation.lasts, undo);
}

/** What happens to a segment. */
function disturb(operation: OfSegment, { conditions, hosts, cut }: Network, delayMost: number): Undo {
  switch (operation.kind) {
    case 'partition':
    case 'one-way': {
      const here = new Set(operation.here);
      const every = (by: 1 | -1): void => {
        for (const from of hosts) {
          for (const to of hosts) {
            if (here.has(from.index) === here.has(to.index)) continue;
            if (operation.kind === 'partition' || here.has(from.index)) cut(from, to, by);
          }
        }
      };
      every(1);
      return () => every(-1);
    }
    case 'delay':
      conditions.delayMost = operation.most;
      return () => {
        conditions.delayMost = delayMost;
      };
    default: {
      const { kind, chance } = operation;
      conditions[kind] = chance;
      return () => {
        conditions[kind] = 0;
      };
    }
  }
}

/** What happens to a director. */
function harm(operation: OfDirector, host: Host, place: Place): Undo {
  const { process } = host;
  switch (operation.kind) {
    case 'crash':
      process.crash();
      return () => process.start();
    case 'stop':
      process.stop();
      return () => process.start();
    case 'stall':
    case 'pause':
      process.sleep(operation.lasts, operation.kind === 'pause');
      return undefined;
    case 'busy':
      process.latency = Math.max(process.usualLatency, operation.latency);
      return () => {
        process.latency = process.usualLatency;
      };
    case 'weight':
      process.track(false, TRACKED);
      return () => process.track(true, TRACKED);
    case 'reload': {
      const { priority, quietToLower } = operation;
      process.configure({ ...host.settings, priority, quietToLower });
      return () => process.configure();
    }
    case 'resign':
      process.resign(host, RESIGN_CAUSE);
      return undefined;
    case 'carrier':
    case 'address link':
    case 'own address':
    case 'removal':
      return touchKernel(operation.kind, host, place.unit);
    default:
      return disagree(operation, host, place);
  }
}

/** What others do to the kernel of a director. */
type Touch = 'carrier' | 'address link' | 'own address' | 'removal';
function touchKernel(kind: Touch, host: Host, unit: number): Undo {
  if (kind === 'carrier') {
    host.setCarrier(false);
    return () => host.setCarrier(true);
  }
  const { kernel } = host.process;
  if (kind === 'address link') {
    kernel.setCarrier(host.addressIfindex, false);
    return () => kernel.setCarrier(host.addressIfindex, true);
  }
  if (kind === 'own address') {
    kernel.setOwn(host.ifindex, false);
    return () => kernel.setOwn(host.ifindex, true);
  }
  host.process.excuse(RECOVERY + 5 * unit);
  kernel.steal(host.addressIfindex);
  return undefined;
}

/** What keeps the kernel from being as the machine wants it; for a while after it ends, too. */
function disagree(
  operation: Of<'mute' | 'refusal' | 'slow kernel' | 'lost news'>,
  host: Host,
  { world, unit }: Place,
): Undo {
  const { process } = host;
  const { kernel } = process;
  const after = RECOVERY + 5 * unit;
  process.excuse(operation.lasts + after);
  switch (operation.kind) {
    case 'mute':
      process.mute = operation.code;
      return () => {
        process.mute = undefined;
        process.excuse(after);
      };
    case 'refusal':
      kernel.refuses = operation.errno;
      return () => {
        kernel.refuses = undefined;
        process.excuse(after);
      };
    case 'slow kernel':
      kernel.takes = operation.takes;
      return () => {
        kernel.takes = 0;
        process.excuse(after);
      };
    default: {
      process.deafToNews = true;
      const undo = operation.hides === 'nothing' ? undefined : touchKernel(operation.hides, host, unit);
      return () => {
        process.deafToNews = false;
        process.excuse(after);
        process.read('events were lost');
        // What was hidden lasts for as long again: only what was read tells of it.
        if (undo !== undefined) world.at(world.now + operation.lasts, undo);
      };
    }
  }
}
