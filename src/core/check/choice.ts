import type { Instant } from '../time.ts';
import { describeCheck } from './kinds.ts';
import { CheckRecord } from './record.ts';
import { type CheckSettings, isProbed, type ProbedCheck } from './settings.ts';
import { type CheckResult, type Health, initialStanding, type Parts, type Standing } from './verdict.ts';

/** A check of one real server or of several. */
export interface Check {
  readonly id: string;
  /** For people; two checks may be called the same. */
  readonly name: string;
  readonly settings: CheckSettings;
  readonly record: CheckRecord;
  standing: Standing;
  since: Instant;
  /** The last result was not held against the server: this director stood still. */
  excused: boolean;
  /** The last result that says something of the server; none at first. */
  last: CheckResult | undefined;
  /** Whom it counts for: servers of several services may be one machine, which is probed once. */
  servers: ServerState[];
}

/** A real server of one virtual server. */
export interface ServerState {
  readonly name: string;
  readonly weight: number;
  readonly checks: readonly Check[];
  readonly suspended: boolean;
  health: Health;
  since: Instant;
}

/** What is known of a check, but for the servers that it counts for. */
export type CheckMemory = Omit<Check, 'record' | 'servers'> & {
  readonly record: ReturnType<CheckRecord['memory']>;
};

export const memoryOf = ({ record, servers: _, ...rest }: Check): CheckMemory => ({
  ...rest,
  record: record.memory(),
});

export function recalled({ record: memory, ...rest }: CheckMemory): Check {
  const record = new CheckRecord();
  record.recall(memory);
  return { ...rest, record, servers: [] };
}

/** The checks of a configuration: the same settings are one check, and keep what the one before knew. */
export class Choice {
  readonly checks = new Map<string, Check>();
  readonly #bySettings = new Map<string, Check>();
  readonly #known: (id: string) => Check | undefined;
  readonly #now: Instant;

  constructor(known: (id: string) => Check | undefined, now: Instant) {
    this.#known = known;
    this.#now = now;
  }

  check(settings: CheckSettings): Check {
    const key = JSON.stringify(settings);
    const same = this.#bySettings.get(key);
    if (same !== undefined) return same;
    const name = describeCheck(settings);
    const id = this.#freeId(name);
    const known = this.#known(id);
    const fresh = { record: new CheckRecord(), since: this.#now, excused: false, last: undefined };
    const standing = isProbed(settings) || settings.kind === 'bfd' ? initialStanding(settings) : ALIVE;
    const check: Check = { standing, ...fresh, ...known, id, name, settings, servers: [] };
    const parts = isProbed(settings) ? partsOf(settings) : undefined;
    if (parts !== undefined && check.standing.part >= parts.count)
      check.standing = { ...check.standing, part: 0, run: 0 };
    this.checks.set(id, check);
    this.#bySettings.set(key, check);
    return check;
  }

  /** Two checks may look alike; the second gets a number. */
  #freeId(wanted: string): string {
    let id = wanted;
    for (let n = 2; this.checks.has(id); n++) id = `${wanted} (${n})`;
    return id;
  }
}

const ALIVE = initialStanding({ alpha: false });

export function partsOf(settings: ProbedCheck): Parts | undefined {
  if (settings.kind !== 'http') return undefined;
  return { count: settings.requests.length, hurry: settings.fastRecovery };
}
