import { SERVICE_FLAG } from '../netlink/ipvs.ts';
import { Refusal } from './refusal.ts';

/** Names of the bits that belong to the scheduler: `sh` and `mh` give two of them a meaning. */
interface FlagName {
  readonly name: string;
  readonly bit: number;
}

const NUMBERED: readonly FlagName[] = [
  { name: 'flag-1', bit: SERVICE_FLAG.sched1 },
  { name: 'flag-2', bit: SERVICE_FLAG.sched2 },
  { name: 'flag-3', bit: SERVICE_FLAG.sched3 },
];
const BY_SCHEDULER: Readonly<Record<string, readonly FlagName[]>> = {
  sh: [
    { name: 'sh-fallback', bit: SERVICE_FLAG.sched1 },
    { name: 'sh-port', bit: SERVICE_FLAG.sched2 },
  ],
  mh: [
    { name: 'mh-fallback', bit: SERVICE_FLAG.sched1 },
    { name: 'mh-port', bit: SERVICE_FLAG.sched2 },
  ],
};
/** ipvsadm keeps no more of the list than this. */
const MAX_LIST = 127;

/** The bits of a comma separated list; throws `Refusal` for a name that is unknown or another scheduler's. */
export function parseSchedulerFlags(list: string, scheduler: string): number {
  const names = list
    .slice(0, MAX_LIST)
    .split(',')
    .filter((name) => name !== '');
  if (list !== '' && names.length === 0) throw new Refusal(`invalid scheduler flag \`${list}'`);
  let flags = 0;
  for (const name of names) flags |= flagBit(name, scheduler);
  return flags;
}

function flagBit(name: string, scheduler: string): number {
  const numbered = NUMBERED.find((flag) => flag.name === name);
  if (numbered !== undefined) return numbered.bit;
  for (const [owner, flags] of Object.entries(BY_SCHEDULER)) {
    const found = flags.find((flag) => flag.name === name);
    if (found === undefined) continue;
    if (owner !== scheduler) throw new Refusal(`incompatible scheduler flag \`${name}'`);
    return found.bit;
  }
  throw new Refusal(`invalid scheduler flag \`${name}'`);
}

/** The names of the bits that are set, in the scheduler's own words, with commas; '' for none. */
export function schedulerFlagNames(flags: number, scheduler: string): string {
  const names = BY_SCHEDULER[scheduler] ?? NUMBERED;
  return names
    .filter((flag) => (flags & flag.bit) !== 0)
    .map((flag) => flag.name)
    .join(',');
}
