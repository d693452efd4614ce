import type { RoutingEntry } from './routing-entry.ts';
import { nameOf } from './routing-item.ts';

/** The routes and rules that track groups have, and what is told of them. */
export class TrackedRouting {
  readonly #grouped = new Set<RoutingEntry>();
  readonly #lacking = new Map<string, string | undefined>();

  memory() {
    return { grouped: Array.from(this.#grouped, ({ key }) => key), lacking: new Map(this.#lacking) };
  }

  recall(memory: ReturnType<TrackedRouting['memory']>, entryOf: (key: string) => RoutingEntry): void {
    for (const key of memory.grouped) this.#grouped.add(entryOf(key));
    for (const [group, why] of memory.lacking) this.#lacking.set(group, why);
  }

  /** After the settings of an entry have changed. */
  note(entry: RoutingEntry): void {
    if (entry.item.settings.group === undefined) this.#grouped.delete(entry);
    else this.#grouped.add(entry);
  }

  forget(entry: RoutingEntry): void {
    this.#grouped.delete(entry);
  }

  /** What lacks in each track group, where that changed. What was just put back never lacked. */
  news(): { readonly group: string; readonly why: string | undefined }[] {
    if (this.#grouped.size === 0 && this.#lacking.size === 0) return [];
    const now = this.#lack();
    const groups = [...new Set([...now.keys(), ...this.#lacking.keys()])];
    return groups.flatMap((group) => {
      const why = now.get(group);
      if (why === this.#lacking.get(group)) return [];
      if (why === undefined) this.#lacking.delete(group);
      else this.#lacking.set(group, why);
      return [{ group, why }];
    });
  }

  #lack(): ReadonlyMap<string, string> {
    const lack = new Map<string, string>();
    for (const { item, installed, late, pending, owners } of this.#grouped) {
      const { group } = item.settings;
      if (group === undefined || owners.size === 0 || pending !== undefined) continue;
      if (installed && !late) continue;
      if (!lack.has(group)) lack.set(group, `${nameOf(item)} is not there`);
    }
    return lack;
  }
}
