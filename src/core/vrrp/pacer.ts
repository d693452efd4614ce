import { familyOf, type Ip } from '../ip.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, millis, since } from '../time.ts';
import type { PacingSettings } from './settings.ts';

export type PacerEvent =
  | { readonly type: 'configure'; readonly pacing: PacingSettings }
  /** `repeat` announcements of each address, round after round. `lane` is the physical interface below `dev`. */
  | {
      readonly type: 'announce';
      readonly dev: string;
      readonly lane: string;
      readonly addresses: readonly Ip[];
      readonly repeat: number;
    }
  /** These are not ours any more: what waits of them is dropped. */
  | { readonly type: 'forget'; readonly dev: string; readonly addresses: readonly Ip[] };

/** To be sent at once, round after round. */
export interface PacerEffect {
  readonly type: 'send';
  readonly dev: string;
  readonly addresses: readonly Ip[];
  readonly repeat: number;
}

/** What waits for its turn: at most once for each address of an interface. */
interface Waiting {
  readonly dev: string;
  readonly address: Ip;
  left: number;
}

/** Announcements of one kind that share a rate. */
interface Lane {
  readonly gap: Duration;
  last: Instant;
  readonly waiting: Map<string, Waiting>;
}

/** Gaps shorter than a timer's turn are kept on the average: so much at once makes up for a turn. */
const TURN: Duration = millis(2);
const NEVER = Number.NEGATIVE_INFINITY as Instant;
const keyOf = (dev: string, address: Ip): string => `${dev} ${address}`;

/**
 * Keeps the gaps between gratuitous ARPs, and between unsolicited neighbour advertisements, of an interface or of a
 * `garp_group`: switches that learn slowly lose what comes faster. Without a gap, all leave at once.
 */
export class Pacer implements Machine<PacerEvent, PacerEffect> {
  #pacing: PacingSettings;
  readonly #lanes = new Map<string, Lane>();
  #effects: PacerEffect[] = [];

  constructor(pacing: PacingSettings) {
    this.#pacing = pacing;
  }

  handle(event: PacerEvent, now: Instant): void {
    if (event.type === 'configure') {
      this.#configure(event.pacing);
    } else if (event.type === 'forget') {
      const keys = event.addresses.map((address) => keyOf(event.dev, address));
      for (const { waiting } of this.#lanes.values()) for (const key of keys) waiting.delete(key);
    } else {
      for (const family of [4, 6] as const) {
        const addresses = event.addresses.filter((address) => familyOf(address) === family);
        if (addresses.length > 0) this.#announce({ ...event, addresses }, family === 4 ? 'garp' : 'gna', now);
      }
    }
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { gap, last, waiting } of this.#lanes.values()) {
      if (waiting.size > 0) next = earliest(next, after(last, gap));
    }
    return next;
  }

  timeout(now: Instant): void {
    for (const lane of this.#lanes.values()) this.#pump(lane, now);
  }

  take(): PacerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    const lanes = Array.from(this.#lanes, ([name, { waiting, ...lane }]) => {
      const left = Array.from(waiting.values(), (each) => ({ ...each }));
      return [name, { ...lane, waiting: left }] as const;
    });
    return { pacing: this.#pacing, lanes };
  }

  recall({ pacing, lanes }: ReturnType<Pacer['memory']>): void {
    this.#pacing = pacing;
    for (const [name, { waiting, ...lane }] of lanes) {
      const left = waiting.map((each) => [keyOf(each.dev, each.address), { ...each }] as const);
      this.#lanes.set(name, { ...lane, waiting: new Map(left) });
    }
  }

  /** What waited is announced at the new rate, or, when there is none any more, at once. */
  #configure(pacing: PacingSettings): void {
    if (JSON.stringify(pacing) === JSON.stringify(this.#pacing)) return;
    this.#pacing = pacing;
    const waiting = [...this.#lanes.values()].flatMap((lane) => [...lane.waiting.values()]);
    this.#lanes.clear();
    for (const { dev, address, left } of waiting) {
      this.#effects.push({ type: 'send', dev, addresses: [address], repeat: left });
    }
  }

  #announce(
    { dev, lane: below, addresses, repeat }: Extract<PacerEvent, { type: 'announce' }>,
    kind: 'garp' | 'gna',
    now: Instant,
  ): void {
    const group = this.#pacing.groups.findIndex(({ interfaces }) => interfaces.includes(below));
    const gap = (this.#pacing.groups[group] ?? this.#pacing)[kind];
    if (gap === 0) {
      this.#effects.push({ type: 'send', dev, addresses, repeat });
      return;
    }
    const name = `${kind} ${group < 0 ? below : group}`;
    const lane = this.#lanes.get(name) ?? { gap, last: NEVER, waiting: new Map<string, Waiting>() };
    this.#lanes.set(name, lane);
    for (const address of addresses) {
      const known = lane.waiting.get(keyOf(dev, address));
      if (known !== undefined) known.left = Math.max(known.left, repeat);
      else lane.waiting.set(keyOf(dev, address), { dev, address, left: repeat });
    }
    this.#pump(lane, now);
  }

  /** Sends what may leave now: one, or as many as the gaps of one turn allow. */
  #pump(lane: Lane, now: Instant): void {
    if (lane.waiting.size === 0 || now < after(lane.last, lane.gap)) return;
    const most = Math.max(1, Math.floor(Math.min(TURN, since(now, lane.last)) / lane.gap));
    lane.last = now;
    for (let sent = 0; sent < most; sent++) {
      const [first] = lane.waiting;
      if (first === undefined) return;
      const [key, next] = first;
      lane.waiting.delete(key);
      next.left -= 1;
      if (next.left > 0) lane.waiting.set(key, next);
      this.#effects.push({ type: 'send', dev: next.dev, addresses: [next.address], repeat: 1 });
    }
  }
}
