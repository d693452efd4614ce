import type { PlayedKind } from '../../core/director/ensemble.ts';
import type { Recorded, RecordedKind } from '../../core/record/machines.ts';
import { Onlooker } from '../../core/record/onlooker.ts';
import type { RecordedTrack } from '../../core/record/recording.ts';
import { type Replayed, replay } from '../../core/record/replay.ts';
import type { EntryKind } from '../../core/record/track.ts';
import { effectWords, eventWords, isNews } from '../../core/record/words.ts';
import type { Instant } from '../../core/time.ts';

/** How much of what happened to a machine is kept: all of it, or what a summary needs. */
export type Detail = 'all' | 'summary';

/** So much before an instant is shown as its evidence. */
const EVIDENCE = 6;

/** What happened to a machine, in words. */
export interface Happened {
  readonly at: Instant;
  readonly text: string;
}

/** Words are made for what is shown only. */
interface Kept {
  readonly at: Instant;
  readonly news: boolean;
  text(): string;
}

/** What a machine was told in a replay, and what it answered. */
export class Story {
  readonly kind: PlayedKind | RecordedKind;
  readonly name: string;
  /** As it is when the replay ends. */
  machine: Recorded | undefined;
  events = 0;
  effects = 0;
  readonly #detail: Detail;
  readonly #kept: Kept[] = [];
  readonly #last: Kept[] = [];

  constructor(kind: PlayedKind | RecordedKind, name: string, detail: Detail, machine?: Recorded) {
    this.kind = kind;
    this.name = name;
    this.machine = machine;
    this.#detail = detail;
  }

  heard(entry: EntryKind, at: Instant, item: unknown): void {
    const { kind } = this;
    if (entry === 'event' || entry === 'nested') {
      this.events += 1;
      this.#keep(at, false, () => `< ${eventWords(kind, item)}`);
    } else if (entry === 'effects') {
      for (const effect of item as readonly unknown[]) {
        this.effects += 1;
        this.#keep(at, isNews(effect), () => `> ${effectWords(kind, effect)}`);
      }
    }
  }

  /** All that happened, or the news only. */
  get happened(): Happened[] {
    const shown = this.#detail === 'all' ? this.#kept : this.#kept.filter(({ news }) => news);
    return shown.map(({ at, text }) => ({ at, text: text() }));
  }

  /** What happened last. */
  get evidence(): Happened[] {
    return this.#last.map(({ at, text }) => ({ at, text: text() }));
  }

  #keep(at: Instant, news: boolean, text: Kept['text']): void {
    const happened = { at, news, text };
    if (news || this.#detail === 'all') this.#kept.push(happened);
    this.#last.push(happened);
    if (this.#last.length > EVIDENCE) this.#last.shift();
  }
}

/** A track that was replayed, with the machines within the one that was recorded. */
export interface Told {
  readonly whole: Story;
  readonly within: readonly Story[];
  readonly outcome: Replayed;
}

/** Replays a track up to an instant, or to its end. */
export function tell(track: RecordedTrack, until: Instant | undefined, detail: Detail): Told {
  const within = new Map<string, Story>();
  const observer = new Onlooker(({ kind, name, machine }, entry, at, item) => {
    const key = `${kind} ${name}`;
    const story = within.get(key) ?? new Story(kind, name, detail);
    within.set(key, story);
    // Another one of the same name may have come.
    story.machine = machine as Recorded;
    story.heard(entry, at, item);
  });
  const whole = new Story(track.kind as RecordedKind, track.name, detail);
  const outcome = replay(track, {
    observer,
    ...(until !== undefined && { until }),
    heard: ({ kind, at, item }) => whole.heard(kind, at, item),
  });
  whole.machine = outcome.machine;
  return { whole, within: [...within.values()], outcome };
}
