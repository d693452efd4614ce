import { type Duration, type Instant, millis, since } from '../time.ts';
import type { Happening, InstanceHappening, RouterWord } from './happening.ts';

/** What the VRRP process says of a virtual router, now and then, whatever happens. */
export interface KnownState {
  readonly name: string;
  readonly state: 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';
  readonly priority: number;
  readonly cause: string;
}

/** A state may be said before the happening that belongs to it. */
const PATIENCE: Duration = millis(1500);

/**
 * Keeps what happens while there is no supervisor, for the next one: of each router, group, voter and alarm what became
 * of it in the end. Who is again what it was before has nothing to tell.
 */
export class Unheard {
  readonly #kept = new Map<string, Happening>();

  add(happening: Happening): void {
    // News beside the state are not for later.
    if (happening.of === 'instance' && happening.what.includes('_')) return;
    const key = `${happening.of} ${happening.of === 'alarm' ? happening.about : ''} ${happening.name}`;
    const first = this.#kept.get(key);
    const from = first !== undefined && 'from' in first ? { from: first.from } : {};
    this.#kept.delete(key);
    this.#kept.set(key, { ...happening, ...from });
  }

  /** What is to be told now, in the order in which it became so; and it is forgotten. */
  take(): Happening[] {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    return all.filter((happening) => !('from' in happening) || happening.from !== happening.what);
  }
}

/**
 * Finds happenings that were lost: messages to a supervisor that does not read are dropped, and a host whose scripts
 * were not told that it is master does not serve. Who is in another state than was told last, for a while, has one.
 */
export class Missed {
  readonly #told = new Map<string, string>();
  readonly #differs = new Map<string, { readonly state: string; readonly from: Instant }>();

  told(happening: Happening): void {
    if (happening.of !== 'instance' || happening.what.includes('_')) return;
    if (happening.what === 'DELETED') this.#told.delete(happening.name);
    else this.#told.set(happening.name, happening.what);
    this.#differs.delete(happening.name);
  }

  /** The happenings that were not told; none for instances that were never reported before. */
  find(states: readonly KnownState[], now: Instant): InstanceHappening[] {
    return states.flatMap(({ name, state, priority, cause }) => {
      const from = this.#told.get(name);
      if (from === undefined || from === 'STOP' || state === 'INIT' || state === from) {
        this.#differs.delete(name);
        return [];
      }
      const seen = this.#differs.get(name);
      if (seen?.state !== state) this.#differs.set(name, { state, from: now });
      else if (since(now, seen.from) >= PATIENCE) {
        return [{ of: 'instance' as const, name, what: state as RouterWord, from, priority, cause }];
      }
      return [];
    });
  }
}
