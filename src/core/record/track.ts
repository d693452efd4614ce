import { type Duration, type Instant, seconds, since } from '../time.ts';
import type { RecordedKind } from './machines.ts';
import { copyOf } from './plain.ts';

/**
 * What one machine was told and what it answered, the last minutes of it. It costs little while nobody looks: what
 * comes again is kept once, and each entry is a few bytes that say when, what kind and which.
 */

/** What an entry is. The order is the file's. */
export const ENTRIES = ['timeout', 'event', 'nested', 'effects', 'digest', 'broke'] as const;
export type EntryKind = (typeof ENTRIES)[number];

/** Where a replay may begin: the machine as it was made, or its memory at that time. */
export type Base = { readonly birth: unknown } | { readonly birth: unknown; readonly memory: unknown };

/** A stretch of a track. */
export interface Segment {
  readonly start: Instant;
  readonly base: Base;
  /** What entries name by number: events, effects, digests. */
  readonly items: readonly unknown[];
  readonly entries: Uint8Array;
}

/** A machine that is recorded. */
export interface Part {
  readonly kind: RecordedKind;
  /** For people. */
  readonly name: string;
  /** What a machine of the kind is made from; what it was told later is in its memory. */
  readonly birth: unknown;
  /** All that it remembers, as plain data that nobody changes. */
  memory(): unknown;
}

/** How much is kept. */
export interface Room {
  /** A segment ends after this, later for some: not all machines of a process write down their memory at once. */
  readonly segment: Duration;
  readonly segments: number;
}
/** Five to ten minutes. */
export const ROOM: Room = { segment: seconds(100), segments: 4 };
const SPREAD = 16;
/** ... or when it has so much: a process with thousands of checks keeps less time. */
const MAX_ITEMS = 8000;
const MAX_BYTES = 1 << 19;

export class Track {
  readonly part: Part;
  readonly #length: number;
  readonly #most: number;
  #segments: Open[] = [];
  #open: Open;

  /** `index` is that of the track in its process. */
  constructor(part: Part, index: number, now: Instant, { segment, segments } = ROOM) {
    this.part = part;
    this.#length = segment * (1 + (index % SPREAD) / SPREAD);
    this.#most = segments;
    this.#open = new Open({ birth: part.birth }, now);
    this.#segments.push(this.#open);
  }

  /** The machine is about to be told. `nested`: while its effects are performed. */
  event(event: unknown, at: Instant, nested: boolean): void {
    if (!nested) this.#turn(at);
    this.#open.add(nested ? 'nested' : 'event', at, event);
  }

  timeout(at: Instant): void {
    this.#turn(at);
    this.#open.add('timeout', at);
  }

  effects(effects: readonly unknown[]): void {
    this.#open.add('effects', this.#open.last, effects);
  }

  /** The machine asked for a keyed hash, and was given this. Keys are not recorded. */
  digest(bytes: Uint8Array): void {
    this.#open.add('digest', this.#open.last, bytes.slice());
  }

  /** The machine threw an error with this message: an invariant does not hold. */
  broke(message: string): void {
    this.#open.add('broke', this.#open.last, message);
  }

  /** The oldest first. */
  segments(): Segment[] {
    return this.#segments.map((segment) => segment.whole());
  }

  /** Begins another segment where this one is long enough. All effects were taken: none is in the memory. */
  #turn(at: Instant): void {
    const { start, items, size } = this.#open;
    if (since(at, start) < this.#length && items.length < MAX_ITEMS && size < MAX_BYTES) return;
    this.#open.close();
    this.#open = new Open({ birth: this.part.birth, memory: this.part.memory() }, at);
    this.#segments.push(this.#open);
    if (this.#segments.length > this.#most) this.#segments.shift();
  }
}

/** A segment that is being written. */
class Open {
  readonly start: Instant;
  readonly base: Base;
  readonly items: unknown[] = [];
  /** Where the last items are that begin alike. */
  readonly #lanes = new Map<string, number[]>();
  /** Where objects are: one that comes again is the same, for nobody changes it. */
  readonly #places = new Map<unknown, number>();
  size = 0;
  last: Instant;
  #bytes = new Uint8Array(64);

  constructor(base: Base, start: Instant) {
    this.base = base;
    this.start = start;
    this.last = start;
  }

  whole(): Segment {
    const { start, base, items, size } = this;
    return { start, base, items: items.slice(), entries: this.#bytes.slice(0, size) };
  }

  /** Nothing more is written: what helps to find items that come again is not needed. */
  close(): void {
    this.#lanes.clear();
    this.#places.clear();
  }

  add(kind: EntryKind, at: Instant, item?: unknown): void {
    this.#number(since(at, this.last) * ENTRIES.length + ENTRIES.indexOf(kind));
    this.last = at;
    if (kind === 'timeout') return;
    if (kind !== 'effects') this.#item(item);
    else {
      const effects = item as readonly unknown[];
      this.#number(effects.length);
      for (const effect of effects) this.#item(effect);
    }
  }

  /** What a list in it holds comes in ever other company: that is kept one by one. */
  #item(item: unknown): void {
    const list = listIn(item);
    if (list === undefined) {
      this.#number(this.#place(item) * 2);
      return;
    }
    const whole = item as Readonly<Record<string, readonly unknown[]>>;
    const parts = whole[list] ?? [];
    const frame: Frame = { list, frame: { ...whole, [list]: [] } };
    this.#number(this.#place(frame) * 2 + 1);
    this.#number(parts.length);
    for (const part of parts) this.#number(this.#place(part));
  }

  #place(item: unknown): number {
    const place = this.#places.get(item);
    if (place !== undefined) return place;
    const lane = laneOf(item);
    const known = this.#lanes.get(lane);
    for (const at of known ?? []) if (isAlike(this.items[at], item, DEPTH)) return at;
    const own = withOwnBytes(item);
    const at = this.items.push(own) - 1;
    this.#places.set(item, at);
    if (known === undefined) this.#lanes.set(lane, [at]);
    else if (known.unshift(at) > RECENT) known.pop();
    return at;
  }

  /** Seven bits in each byte, the lowest first; all but the last have the eighth set. */
  #number(value: number): void {
    if (this.size + 8 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    let left = value;
    while (left >= 0x80) {
      this.#bytes[this.size++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#bytes[this.size++] = left;
  }
}

/** A packet lies in the buffer of its socket, which has another one in it soon. */
function withOwnBytes(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  const bytes = Object.entries(item).filter(([, value]) => value instanceof Uint8Array);
  if (bytes.length === 0) return item;
  return { ...item, ...Object.fromEntries(bytes.map(([name, value]) => [name, value.slice()])) };
}

/** An item with a list in it that is kept apart. */
interface Frame {
  readonly list: string;
  readonly frame: Readonly<Record<string, unknown>>;
}

/** The name of the first list of objects in an item. */
function listIn(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  for (const [name, value] of Object.entries(item)) {
    if (!Array.isArray(value)) continue;
    const [first] = value as readonly unknown[];
    if (typeof first === 'object' && first !== null && !(first instanceof Uint8Array)) return name;
  }
  return undefined;
}

/** What an item begins with, and so deep, tells which others it may be the same as. */
const LANE_WORDS = 9;
const LANE_DEPTH = 4;
/** An item is compared with so many others that begin alike. */
const RECENT = 4;

function laneOf(item: unknown): string {
  const words: (string | number)[] = [];
  addWords(item, LANE_DEPTH, words);
  return words.join(' ');
}

/**
 * By lists of values: V8 compiles a `for in` anew for each shape that comes, and there are hundreds. Nor is it a
 * function within `laneOf`, which would be a new one for each item.
 */
function addWords(value: unknown, depth: number, words: (string | number)[]): void {
  if (typeof value === 'string' || typeof value === 'number') {
    words.push(value);
  } else if (typeof value === 'object' && value !== null && depth > 0 && !(value instanceof Uint8Array)) {
    for (const each of Object.values(value)) {
      if (words.length === LANE_WORDS) return;
      addWords(each, depth - 1, words);
    }
  }
}

/** An item, a list in it, one of that, a value in it. */
const DEPTH = 4;
const MAX_KEYS = 16;

/** Whether two items are surely the same; large ones are not looked through. */
function isAlike(a: unknown, b: unknown, depth: number): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth === 0) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && isSameBytes(a, b);
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length || a.length > MAX_KEYS) return false;
    return a.every((each, i) => isAlike(each, b[i], depth - 1));
  }
  if (a instanceof Map || a instanceof Set || Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length > MAX_KEYS || Object.keys(b).length !== keys.length) return false;
  for (const key of keys) {
    if (!isAlike((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], depth - 1))
      return false;
  }
  return true;
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** One entry of a segment, with what it names. */
export interface Entry {
  readonly kind: EntryKind;
  readonly at: Instant;
  readonly item: unknown;
}

/** The entries of a segment in their order, with data of their own. Throws RangeError where it is damaged. */
export function* entriesOf({ start, items, entries }: Omit<Segment, 'base'>): Generator<Entry> {
  let place = 0;
  let at: number = start;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = entries[place++];
      if (byte === undefined) throw new RangeError('a recording that breaks off');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const several = (one: () => unknown): unknown[] => {
    const list: unknown[] = [];
    // One by one: a damaged count must not ask for more than there is.
    for (let left = number(); left > 0; left--) list.push(one());
    return list;
  };
  const stored = (): unknown => copyOf(items[number()]);
  const item = (): unknown => {
    const head = number();
    const kept = copyOf(items[Math.floor(head / 2)]);
    if (head % 2 === 0) return kept;
    const { list, frame } = kept as Frame;
    return { ...frame, [list]: several(stored) };
  };
  while (place < entries.length) {
    const head = number();
    const kind = ENTRIES[head % ENTRIES.length] as EntryKind;
    at += Math.floor(head / ENTRIES.length);
    const what = kind === 'timeout' ? undefined : kind === 'effects' ? several(item) : item();
    yield { kind, at: at as Instant, item: what };
  }
}
