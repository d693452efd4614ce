import type { Moment } from '../lab/scene/address-watch.ts';

/** A fault: when it began, on the wall clock in milliseconds, and what it was. */
export interface Fault {
  readonly at: number;
  readonly name: string;
}

/** A stretch of time in which the address was not with exactly one host. */
export interface Stretch {
  readonly kind: 'nobody' | 'two';
  readonly from: number;
  readonly to: number;
  readonly cause: string;
}

/** A stretch that begins later after a fault has another reason. */
const AFTERMATH_MS = 20_000;

/**
 * The stretches between `from` and `to` in which nobody had the address, or two had it, each with the latest fault
 * before it.
 */
export function stretches(
  moments: readonly Moment[],
  faults: readonly Fault[],
  from: number,
  to: number,
): Stretch[] {
  const holders = new Set<string>();
  const found: Stretch[] = [];
  let since = 0;
  const end = (at: number): void => {
    const kind = holders.size === 0 ? 'nobody' : holders.size > 1 ? 'two' : undefined;
    const [begin, over] = [Math.max(since, from), Math.min(at, to)];
    if (kind !== undefined && over > begin)
      found.push({ kind, from: begin, to: over, cause: causeOf(faults, begin) });
    since = at;
  };
  for (const { at, host, present } of moments) {
    if (holders.has(host) === present) continue;
    end(at);
    if (present) holders.add(host);
    else holders.delete(host);
  }
  end(to);
  return found;
}

function causeOf(faults: readonly Fault[], at: number): string {
  const fault = faults.findLast((each) => each.at <= at);
  return fault === undefined || at - fault.at > AFTERMATH_MS ? 'no fault' : fault.name;
}

/** A row for each cause: how often it happened, and how often, how long and how long at most nobody or two had it. */
export function byCause(found: readonly Stretch[], faults: readonly Fault[]): string[][] {
  const causes = [
    ...new Set([...faults, ...found.map(({ cause }) => ({ name: cause }))].map(({ name }) => name)),
  ];
  return causes.sort().map((cause) => {
    const of = (kind: Stretch['kind']): string[] => {
      const lengths = found
        .filter((each) => each.cause === cause && each.kind === kind)
        .map((each) => each.to - each.from);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      return [`${lengths.length}`, seconds(total), seconds(Math.max(0, ...lengths))];
    };
    const times = faults.filter(({ name }) => name === cause).length;
    return [cause, `${times}`, ...of('nobody'), ...of('two')];
  });
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);
