import { Prng } from '../../src/core/prng.ts';
import { Complaint, Watch } from './checks.ts';
import { type Place, RECOVERY, strike } from './faults.ts';
import { type Flaw, Host } from './host.ts';
import { Network } from './network.ts';
import { type Operation, tellOperation, WORST_DELAY, WORST_LATENCY } from './operations.ts';
import { Process } from './process.ts';
import { type Day, FAULT_PHASE, LONGEST_FAULT } from './scenario.ts';
import { shrink } from './shrink.ts';
import { World } from './world.ts';

/** In advert intervals: how long all must take to settle; a group settles when its slowest member has. */
const SETTLE = 25;
const SETTLE_GROUP = 40;
const QUIET = 15;
/** Streams of chance of their own: what is left out of a day does not change what the others meet. */
const STREAM = 0x9e37;

export interface Outcome {
  readonly day: Day;
  readonly events: number;
  /** Simulated seconds. */
  readonly seconds: number;
  readonly transitions: number;
  /** What a check complained about, or the error a machine threw. */
  readonly failure: Error | undefined;
}

/** Plays a day to its end or to the first complaint. The same day gives the same run. */
export function simulate(day: Day, flaw: Flaw = {}, trace?: (line: string) => void): Outcome {
  const world = new World();
  const watches: Watch[] = [];
  let failure: Error | undefined;
  try {
    play(day, world, watches, flaw, trace);
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  const { happened: events, now } = world;
  const transitions = watches.reduce((sum, watch) => sum + watch.transitions, 0);
  return { day, events, seconds: now / 1e6, transitions, failure };
}

function play(
  day: Day,
  world: World,
  watches: Watch[],
  flaw: Flaw,
  trace: ((line: string) => void) | undefined,
): void {
  const { seed, unit, delayMost, operations } = day;
  const segments = Array.from({ length: day.segments }, (_, at): Network => {
    const watch = new Watch(world, 2 * (WORST_DELAY + WORST_LATENCY) * unit, trace);
    watches.push(watch);
    const conditions = { loss: 0, duplicate: 0, corrupt: 0, delayLeast: 100, delayMost };
    return new Network(world, new Prng(seed + STREAM * (100 + at)), watch, conditions);
  });
  const processes = new Map<number, Process>();
  for (const { index, settings, temper, starts } of day.directors) {
    const process = new Process(world, new Prng(seed + STREAM * (index + 1)), temper, flaw);
    processes.set(index, process);
    for (const network of segments)
      network.hosts.push(new Host(process, network, { index, settings, apart: day.apart }));
    world.at(starts, () => process.start());
  }
  const place: Place = { world, segments, processes, unit, delayMost };
  for (const operation of operations) world.at(operation.at, () => strike(operation, place));
  // What lost news hid lasts for as long again.
  const over = (FAULT_PHASE + 2 * LONGEST_FAULT) * unit;
  // What was refused is tried again by the second, whatever the advert interval.
  const settled = over + (segments.length > 1 ? SETTLE_GROUP : SETTLE) * unit + RECOVERY;
  world.run(over);
  for (const { watch } of segments) watch.note('all faults are over');
  world.run(settled + QUIET * unit);
  for (const { watch, hosts } of segments) watch.outcome(hosts, settled);
}

/** What kind of failure it is: the check's name, or that of the error. */
export const kindOf = (failure: Error | undefined): string | undefined =>
  failure instanceof Complaint ? failure.check : failure?.name;

/** The fewest operations and directors of a failing day that fail in the same way. */
export function shrinkDay(day: Day, flaw: Flaw = {}): Day {
  const kind = kindOf(simulate(day, flaw).failure);
  const fails = (less: Partial<Day>): boolean => kindOf(simulate({ ...day, ...less }, flaw).failure) === kind;
  const operations = shrink<Operation>(day.operations, (list) => fails({ operations: list }));
  const directors = shrink(
    day.directors,
    (list) => list.length > 1 && fails({ operations, directors: list }),
  );
  return { ...day, operations, directors };
}

/** The failure, the few operations that it takes, and how to see it again and to keep it as a test. */
export function explain({ day, failure }: Outcome, flaw: Flaw = {}): string {
  const what = failure instanceof Complaint ? failure.message : (failure?.stack ?? 'no failure');
  const { operations, directors } = shrinkDay(day, flaw);
  const list = operations.map((operation) => {
    const at = (operation.at / 1e6).toFixed(3);
    return `  at ${at} s: ${tellOperation(operation)}`;
  });
  const which = `${day.seed}${day.segments > 1 ? ' group' : ''}`;
  return [
    `seed ${which}: ${what}`,
    `  it takes directors ${directors.map(({ index }) => index).join(', ')} and ${list.length} operations:`,
    ...list,
    `  see it: node dist/test/sim/replay.js ${which}`,
    `  keep it as a test: node dist/test/sim/keep.js ${which} NAME`,
  ].join('\n');
}
