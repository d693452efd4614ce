import type { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { type Operation, tellOperation } from './operations.ts';

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;
/** How to mend it, where that does not happen by itself. */
type Undo = (() => void) | undefined;

/** EPERM. */
const REFUSED = 1;

/** Begins an operation now, and plans its end. One of a node that takes no part does nothing. */
export function strike(operation: Operation, cluster: Cluster): void {
  const { world, watch } = cluster;
  watch.note(tellOperation(operation));
  const undo = 'node' in operation ? harm(operation, cluster) : disturb(operation, cluster);
  if (undo === undefined) return;
  world.at(world.now + operation.lasts, () => {
    watch.note(`${operation.kind} is over`);
    undo();
  });
}

/** What happens to all links. */
function disturb(operation: Of<'loss' | 'duplicate' | 'delay'>, { wires, day }: Cluster): Undo {
  if (operation.kind === 'delay') {
    wires.delayMost = operation.most;
    return () => {
      wires.delayMost = day.delayMost;
    };
  }
  const { kind, chance } = operation;
  wires[kind] = chance;
  return () => {
    wires[kind] = 0;
  };
}

/** What happens to a node. */
function harm(operation: Exclude<Operation, Of<'loss' | 'duplicate' | 'delay'>>, cluster: Cluster): Undo {
  const { wires, devices } = cluster;
  const host = cluster.hosts.get(operation.node);
  if (host === undefined) return undefined;
  switch (operation.kind) {
    case 'freeze':
    case 'kill':
      return host === cluster.third ? harmThird(operation, cluster) : harmDaemon(operation, cluster);
    case 'stop':
    case 'switchover':
      return end(operation, cluster);
    case 'power':
      host.powerOff();
      return () => host.powerOn();
    case 'kernel':
      host.freeze(operation.lasts, operation.clocks === 'stand');
      return undefined;
    case 'cut':
      wires.cuts.add(operation);
      return () => wires.cuts.delete(operation);
    case 'carrier':
      host.plug(operation.segment, false);
      return () => host.plug(operation.segment, true);
    case 'device':
      devices.faults.set(host.name, operation.does);
      return () => devices.faults.delete(host.name);
    default:
      return hinder(operation, host);
  }
}

function hinder(operation: Of<'wall clock' | 'refusal' | 'busy'>, host: Host): Undo {
  switch (operation.kind) {
    case 'wall clock':
      host.wallStep += operation.by;
      return undefined;
    case 'refusal':
      host.kernel.refuses = REFUSED;
      return () => {
        host.kernel.refuses = undefined;
      };
    case 'busy':
      host.latency = operation.latency;
      return () => {
        host.latency = 0;
      };
  }
}

function harmThird({ kind, lasts }: Of<'freeze' | 'kill'>, cluster: Cluster): Undo {
  const { witness } = cluster;
  if (witness === undefined) {
    cluster.etcdWorks = false;
    return () => {
      cluster.etcdWorks = true;
    };
  }
  if (kind === 'kill') witness.kill();
  else witness.freeze(lasts);
  return () => witness.start();
}

/** What dies alone is started again by who lives: the VRRP process by the supervisor, the daemon by systemd. */
function harmDaemon({ kind, node, what, lasts }: Of<'freeze' | 'kill'>, cluster: Cluster): Undo {
  const director = cluster.directors.get(node);
  if (director === undefined) return undefined;
  const { elector, supervisor } = director;
  const those = what === 'vrrp' ? [elector] : [elector, supervisor];
  if (kind === 'freeze') {
    for (const process of those) process.freeze(lasts);
    return undefined;
  }
  for (const process of those) process.kill();
  return () => {
    for (const process of those) process.start();
  };
}

function end({ kind, node }: Of<'stop' | 'switchover'>, { directors }: Cluster): Undo {
  const { elector, supervisor } = directors.get(node) ?? {};
  if (kind === 'switchover') {
    elector?.switchOver();
    return undefined;
  }
  elector?.stop();
  supervisor?.kill();
  return () => {
    supervisor?.start();
    // One that stands still has not ended by itself.
    elector?.kill();
    elector?.start();
  };
}
