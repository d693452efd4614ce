import { shrink } from '../shrink.ts';
import { World } from '../world.ts';
import { Cluster, type Flaw } from './cluster.ts';
import { type Day, KINDS } from './day.ts';
import { strike } from './faults.ts';
import { type Operation, tellOperation } from './operations.ts';
import { Complaint } from './watch.ts';

/** In advert intervals: how long all must take to settle, and the rest after that. */
const SETTLE = 30;
const REST = 6;
/** How long all is at rest before a brief day ends: in advert intervals, and a second for what is tried again. */
const CALM = 4;
const SECOND = 1_000_000;
/** What the kernel refused is tried again after a second. */
const RECOVERY = 2_500_000;
/** Agents take seconds, and what failed is tried again after ten. */
const FENCING = 25_000_000;

export interface Outcome {
  readonly day: Day;
  readonly events: number;
  /** Simulated seconds. */
  readonly seconds: number;
  readonly changes: number;
  /** What was seen, or the error a machine threw. */
  readonly failure: Error | undefined;
}

/** Plays a day to its end or to the first complaint. The same day gives the same run. */
export function simulate(day: Day, flaw: Flaw = {}, trace?: (line: string) => void): Outcome {
  const world = new World();
  const cluster = new Cluster(day, world, flaw, trace);
  let failure: Error | undefined;
  try {
    play(cluster);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { happened: events, now } = world;
  return { day, events, seconds: now / 1e6, changes: cluster.watch.changes, failure };
}

function play(cluster: Cluster): void {
  const { day, world, watch } = cluster;
  const { unit } = day;
  for (const operation of day.operations) world.at(operation.at, () => strike(operation, cluster));
  const last = Math.max(0, ...day.operations.map(({ at, lasts }) => at + lasts));
  world.run(last);
  watch.note('all faults are over');
  cluster.wires.stragglers = 0;
  const gone = cluster.hosts.get(day.gone ?? '');
  if (gone !== undefined) {
    watch.note(`${gone.name} has no power any more`);
    gone.gone = true;
    gone.powerOff();
    if (gone.name === 'etcd') cluster.etcdWorks = false;
  }
  for (const host of cluster.hosts.values()) cluster.switchOn(host, 0);
  const settled = last + SETTLE * unit + RECOVERY + (KINDS[day.kind].fences ? FENCING : 0);
  if (day.brief === true && comesToRest(cluster, settled)) return;
  world.run(settled);
  watch.outcome(true);
  world.run(world.now + REST * unit);
  watch.outcome(false);
}

/** Whether all have power, and each address has had the same holder for a while, before `end`. */
function comesToRest({ day, world, watch, hosts }: Cluster, end: number): boolean {
  const { unit } = day;
  let [changes, since] = [watch.changes, world.now];
  while (world.now + unit < end) {
    world.run(world.now + unit);
    const whole = [...hosts.values()].every(({ on, gone }) => on || gone);
    if (!whole || !watch.allHeld() || watch.changes !== changes)
      [changes, since] = [watch.changes, world.now];
    else if (world.now - since >= CALM * unit + SECOND) return true;
  }
  return false;
}

/** What kind of failure it is: the check's name, or that of the error. */
export const kindOf = (failure: Error | undefined): string | undefined =>
  failure instanceof Complaint ? failure.check : failure?.name;

/** The fewest operations of a failing day that fail in the same way. */
export function shrinkDay(day: Day, flaw: Flaw = {}): Day {
  const kind = kindOf(simulate(day, flaw).failure);
  const fails = (operations: readonly Operation[]): boolean =>
    kindOf(simulate({ ...day, operations }, flaw).failure) === kind;
  return { ...day, operations: shrink<Operation>(day.operations, fails) };
}

/** The failure, the few operations that it takes, and how to see it again and to keep it as a test. */
export function explain({ day, failure }: Outcome, flaw: Flaw = {}): string {
  const what = failure instanceof Complaint ? failure.message : (failure?.stack ?? 'no failure');
  const { operations } = shrinkDay(day, flaw);
  return [
    `seed ${day.seed}, ${day.kind}: ${what}`,
    `  it takes ${operations.length} operations:`,
    ...operations.map((each) => `  at ${(each.at / 1e6).toFixed(3)} s: ${tellOperation(each)}`),
    `  see it: node dist/test/sim/cluster/replay.js ${day.seed}`,
    `  keep it as a test: node dist/test/sim/cluster/keep.js ${day.seed} NAME`,
  ].join('\n');
}
