import type { VrrpSettings } from '../vrrp/settings.ts';
import type { TrackEvent } from '../vrrp/track.ts';

/** What was told of tracked things that are not interfaces, for routers that come later. */
export class Tracked {
  readonly #known = new Map<string, TrackEvent>();

  memory(): ReadonlyMap<string, TrackEvent> {
    return new Map(this.#known);
  }

  recall(memory: ReadonlyMap<string, TrackEvent>): void {
    for (const [key, event] of memory) this.#known.set(key, event);
  }

  note(events: readonly TrackEvent[]): void {
    for (const event of events) this.#known.set(`${event.kind} ${event.name}`, event);
  }

  /** Forgets what none of these tracks. */
  keep(instances: readonly VrrpSettings[]): void {
    const wanted = new Set(
      instances.flatMap(({ track = [] }) => track.map(({ kind, name }) => `${kind} ${name}`)),
    );
    for (const key of this.#known.keys()) if (!wanted.has(key)) this.#known.delete(key);
  }

  all(): TrackEvent[] {
    return [...this.#known.values()];
  }
}
