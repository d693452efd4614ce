import { OWNER } from './packet.ts';
import type { TrackKind, TrackSettings } from './settings.ts';

/**
 * Effective priority and faults from what a virtual router tracks (keepalived's "Weights"). The priority is the
 * configured one plus the weights; what has no weight and is bad is a FAULT.
 */

/** What weights make of a priority stays within this. */
const LEAST = 1;
const MOST = 254;
/** A file's number times its weight: below this is a FAULT, above the other it is cut. */
const FILE_FAULT = -254;
const FILE_MOST = 253;

/** What is known of a tracked thing. `why` says, for people, how it got so: `no carrier`, `exited with 1`. */
export type TrackEvent =
  | {
      readonly type: 'track';
      readonly kind: Exclude<TrackKind, 'file'>;
      readonly name: string;
      readonly good: boolean;
      readonly why: string;
    }
  /** The number in a tracked file; 0 for one that is missing or has none. */
  | { readonly type: 'track'; readonly kind: 'file'; readonly name: string; readonly value: number };

const UNKNOWN = 'nothing is known of';
/** Whether a fault only says that the first news of a tracked thing is awaited. */
export const isUnknown = (fault: string): boolean => fault.startsWith(UNKNOWN);

const keyOf = ({ kind, name }: { readonly kind: TrackKind; readonly name: string }): string =>
  `${kind} ${name}`;

/** The tracked things of one virtual router and what is known of them. */
export class Tracking {
  #lines: readonly TrackSettings[] = [];
  readonly #known = new Map<string, TrackEvent>();

  /** Tracks exactly `lines` from now on; what is known of those that stay is kept. */
  configure(lines: readonly TrackSettings[]): void {
    this.#lines = lines;
    const tracked = new Set(lines.map(keyOf));
    for (const key of this.#known.keys()) if (!tracked.has(key)) this.#known.delete(key);
  }

  memory(): ReadonlyMap<string, TrackEvent> {
    return new Map(this.#known);
  }

  recall(memory: ReadonlyMap<string, TrackEvent>): void {
    for (const [key, event] of memory) this.#known.set(key, event);
  }

  /** Takes news in; of what is not tracked, none. */
  note(event: TrackEvent): void {
    if (this.#lines.some((line) => keyOf(line) === keyOf(event))) this.#known.set(keyOf(event), event);
  }

  /** The effective priority: `base` and all weights, within 1..254; an owner's is untouched. */
  priority(base: number): number {
    if (base === OWNER) return OWNER;
    const sum = this.#lines.reduce((total, line) => total + this.#weigh(line), base);
    return Math.min(MOST, Math.max(LEAST, sum));
  }

  /** Why the router cannot serve, a reason for each tracked thing without a weight that is bad. */
  get faults(): string[] {
    return this.#lines.flatMap((line) => this.#fault(line) ?? []);
  }

  /** What is not known yet has no weight. */
  #weigh(line: TrackSettings): number {
    const known = this.#known.get(keyOf(line));
    if (known === undefined || line.weight === 0) return 0;
    if (known.kind === 'file') return Math.max(FILE_FAULT, Math.min(FILE_MOST, scaled(line, known.value)));
    const good = known.good !== line.reverse;
    if (line.weight > 0) return good ? line.weight : 0;
    return good ? 0 : line.weight;
  }

  #fault(line: TrackSettings): string | undefined {
    const { kind, name, weight, reverse } = line;
    const known = this.#known.get(keyOf(line));
    if (kind === 'file') {
      const value = known?.kind === 'file' ? known.value : 0;
      const bad = weight === 0 ? (value !== 0) !== reverse : scaled(line, value) <= FILE_FAULT;
      return bad ? `file ${name} has ${value}` : undefined;
    }
    if (weight !== 0) return undefined;
    if (known === undefined || known.kind === 'file') return `${UNKNOWN} ${kind} ${name} yet`;
    return known.good === reverse ? `${kind} ${name}: ${known.why}` : undefined;
  }
}

const scaled = ({ weight, reverse }: TrackSettings, value: number): number =>
  (reverse ? -1 : 1) * weight * value;
