import type { Machine } from '../machine.ts';
import { after, earliest, type Instant, seconds, since } from '../time.ts';

/** A line for the log: who says it, how grave it is, and when it happened (wall clock, milliseconds). */
export interface Line {
  readonly process: string;
  readonly level: string;
  readonly message: string;
  readonly at: number;
}

export type FloodEvent<L extends Line> =
  | { readonly type: 'line'; readonly line: L }
  /** The log is to be closed. */
  | { readonly type: 'end' };

/** As many lines of a kind pass in a period. */
export const BURST = 10;
export const PERIOD = seconds(60);
/** More kinds at once are not told apart: what they are of can come from outside. */
export const MOST_KINDS = 1000;
/** Of a message, at most. */
const COMPARED = 300;

interface Kind<L> {
  begun: Instant;
  passed: number;
  withheld: number;
  last: L;
}

/**
 * Keeps the log readable whatever happens outside: of lines that are alike the first ten in a minute pass, the others
 * are counted, and the last of them is said with their number when the minute is over. Alike are lines of one process
 * about one subject (up to the first colon) that differ in numbers and addresses only.
 */
export class Flood<L extends Line> implements Machine<FloodEvent<L>, L> {
  readonly #kinds = new Map<string, Kind<L>>();
  #passing: L[] = [];

  handle(event: FloodEvent<L>, now: Instant): void {
    if (event.type === 'end') {
      for (const kind of this.#kinds.values()) this.#tell(kind, now);
      return;
    }
    const { line } = event;
    const name = kindOf(line);
    const kind = this.#kinds.get(name) ?? this.#begin(name, line, now);
    if (since(now, kind.begun) >= PERIOD) this.#tell(kind, now);
    if (kind.passed < BURST) {
      kind.passed += 1;
      this.#passing.push(line);
      return;
    }
    kind.withheld += 1;
    kind.last = line;
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { withheld, begun } of this.#kinds.values())
      if (withheld > 0) next = earliest(next, after(begun, PERIOD));
    return next;
  }

  timeout(now: Instant): void {
    for (const [name, kind] of this.#kinds) {
      if (since(now, kind.begun) < PERIOD) continue;
      if (kind.withheld === 0) this.#kinds.delete(name);
      else this.#tell(kind, now);
    }
  }

  take(): L[] {
    return this.#passing.splice(0);
  }

  #begin(name: string, line: L, now: Instant): Kind<L> {
    if (this.#kinds.size >= MOST_KINDS) {
      const [oldest] = this.#kinds;
      if (oldest !== undefined) {
        this.#tell(oldest[1], now);
        this.#kinds.delete(oldest[0]);
      }
    }
    const kind = { begun: now, passed: 0, withheld: 0, last: line };
    this.#kinds.set(name, kind);
    return kind;
  }

  /** A flood that goes on is one line a period: what was withheld, and the next period begins full. */
  #tell(kind: Kind<L>, now: Instant): void {
    const { withheld, last } = kind;
    kind.begun = now;
    kind.passed = withheld > 0 ? BURST : 0;
    kind.withheld = 0;
    if (withheld === 0) return;
    const more = withheld === 1 ? '' : ` (the last of ${withheld} such lines)`;
    this.#passing.push({ ...last, message: `${last.message}${more}` });
  }
}

/** Names of what a line is about count; numbers and addresses do not. */
function kindOf({ process, level, message: whole }: Line): string {
  const message = whole.slice(0, COMPARED);
  const colon = message.indexOf(': ');
  const rest = message.slice(Math.max(0, colon)).replace(/[0-9a-f.:]*\d[0-9a-f.:]*/gi, '#');
  return `${process} ${level} ${message.slice(0, Math.max(0, colon))}${rest}`;
}
