import type { Observer, Played } from '../director/ensemble.ts';
import type { Instant } from '../time.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import { madeAgain, type Recorded } from './machines.ts';
import { copyOf, saysTheSame } from './plain.ts';
import type { RecordedTrack } from './recording.ts';
import { type Entry, entriesOf, type Segment } from './track.ts';

/** Where the machine of today does something else than the recorded one did. */
export interface Difference {
  readonly at: Instant;
  readonly what: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

export interface Replayed {
  /** As it is when the replay ends; `undefined` for a kind of machine that is not known here. */
  readonly machine: Recorded | undefined;
  readonly events: number;
  readonly effects: number;
  readonly difference: Difference | undefined;
}

export interface ReplayOptions {
  /** Nothing later than this. */
  readonly until?: Instant;
  /**
   * Compare its memory at the beginning of each segment, too. Only of the same release: what a machine remembers is its
   * own business.
   */
  readonly memories?: boolean;
  /** Told of each entry before the machine is. */
  readonly heard?: (entry: Entry, machine: Recorded) => void;
  /** Is told of the machines within it, as they decide again. */
  readonly observer?: Observer<Played>;
}

/**
 * Feeds what was recorded to a machine of the same kind, and compares what it answers, up to the first difference; so
 * is what it throws.
 */
export function replay(track: RecordedTrack, options: ReplayOptions = {}): Replayed {
  const [first] = track.segments;
  if (first === undefined) return { machine: undefined, events: 0, effects: 0, difference: undefined };
  const digests: Uint8Array[] = [];
  const digest: Digest = { hmac: () => digests.shift() ?? new Uint8Array(32) };
  const { observer } = options;
  const making = { digest, ...(observer && { observer }) };
  const machine = madeAgain(track.kind, copyOf(first.base.birth), making);
  if (machine === undefined) return { machine, events: 0, effects: 0, difference: undefined };
  if ('memory' in first.base) machine.recall(copyOf(first.base.memory));
  const run = new Run(machine, digests);
  for (const segment of track.segments) {
    if (options.until !== undefined && segment.start > options.until) break;
    run.segment(segment, options);
    if (run.difference !== undefined) break;
  }
  const { events, effects, difference } = run;
  return { machine, events, effects, difference };
}

class Run {
  readonly #machine: Recorded;
  readonly #digests: Uint8Array[];
  events = 0;
  effects = 0;
  difference: Difference | undefined;
  /** It threw, and what it had to say until then is said with the rest. */
  #broken = false;

  constructor(machine: Recorded, digests: Uint8Array[]) {
    this.#machine = machine;
    this.#digests = digests;
  }

  segment(segment: Segment, { until, heard, memories = false }: ReplayOptions): void {
    if (memories && 'memory' in segment.base) {
      const memory = this.#machine.memory();
      if (!saysTheSame(memory, segment.base.memory))
        this.#differs(segment.start, 'its memory', segment.base.memory, memory);
    }
    const entries = Array.from(entriesOf(segment));
    for (const [index, entry] of entries.entries()) {
      if (this.difference !== undefined || (until !== undefined && entry.at > until)) return;
      heard?.(entry, this.#machine);
      this.#entry(entry, entries, index);
    }
    if (this.difference === undefined) this.#nothingLeft(entries.at(-1)?.at ?? segment.start);
  }

  #entry(entry: Entry, entries: readonly Entry[], index: number): void {
    const { kind, at, item } = entry;
    switch (kind) {
      case 'digest':
      case 'broke':
        return;
      case 'effects':
        this.#compare(at, item as readonly unknown[]);
        return;
      case 'timeout':
        this.#nothingLeft(at);
        this.#give(entries, index, () => this.#machine.timeout(at));
        return;
      default:
        if (kind === 'event') this.#nothingLeft(at);
        this.events += 1;
        this.#give(entries, index, () => this.#machine.handle(item, at));
    }
  }

  /** The digests that it was given then follow its entry. */
  #give(entries: readonly Entry[], index: number, act: () => void): void {
    this.#digests.length = 0;
    let next = index + 1;
    for (; entries[next]?.kind === 'digest'; next++) this.#digests.push(entries[next]?.item as Uint8Array);
    const recorded = entries[next]?.kind === 'broke' ? entries[next]?.item : undefined;
    let thrown: string | undefined;
    try {
      act();
    } catch (error) {
      thrown = (error as Error).message;
      this.#broken = true;
    }
    if (thrown !== recorded) this.#differs(entries[index]?.at as Instant, 'it broke', recorded, thrown);
  }

  #compare(at: Instant, recorded: readonly unknown[]): void {
    const replayed = this.#machine.take();
    this.#broken = false;
    this.effects += recorded.length;
    if (!saysTheSame(replayed, recorded)) this.#differs(at, 'its effects', recorded, replayed);
  }

  #nothingLeft(at: Instant): void {
    if (this.#broken) return;
    const replayed = this.#machine.take();
    if (replayed.length > 0 && this.difference === undefined) this.#differs(at, 'its effects', [], replayed);
  }

  #differs(at: Instant, what: string, recorded: unknown, replayed: unknown): void {
    this.difference ??= { at, what, recorded, replayed };
  }
}
