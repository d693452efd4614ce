import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, seconds } from '../time.ts';
import type { LinkDelays } from './settings.ts';

/** Whether an interface is up, and why it is believed. */
export interface LinkState {
  readonly up: boolean;
  readonly why: string;
}

export type LinkWatchEvent =
  /** Exactly these interfaces are watched from now on, with these delays. */
  | { readonly type: 'watch'; readonly interfaces: readonly string[]; readonly delays: readonly LinkDelays[] }
  /** What the kernel shows of one. */
  | { readonly type: 'shown'; readonly interface: string; readonly state: LinkState };

/** An interface is believed to be in another state. */
export interface LinkWatchEffect {
  readonly type: 'believed';
  readonly interface: string;
  readonly state: LinkState;
}

interface Watched {
  shown?: LinkState;
  believed?: LinkState;
  /** When what is shown will be believed. */
  due?: Instant;
  down: Duration;
  up: Duration;
}

/**
 * Watches interfaces, and believes a change of the link when it has lasted (keepalived's
 * `interface_up_down_delays`). What is shown first is believed at once, and so is all without a delay.
 */
export class LinkWatch implements Machine<LinkWatchEvent, LinkWatchEffect> {
  readonly #links = new Map<string, Watched>();
  #effects: LinkWatchEffect[] = [];

  handle(event: LinkWatchEvent, now: Instant): void {
    if (event.type === 'watch') {
      this.#watch(event.interfaces, event.delays);
      return;
    }
    const link = this.#links.get(event.interface);
    if (link === undefined) return;
    link.shown = event.state;
    const { believed = event.state } = link;
    const delay = event.state.up ? link.up : link.down;
    if (believed.up === event.state.up || delay === 0) this.#believe(event.interface, link);
    else link.due ??= after(now, delay);
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const { due } of this.#links.values()) next = earliest(next, due);
    return next;
  }

  timeout(now: Instant): void {
    for (const [name, link] of this.#links) {
      if (link.due !== undefined && link.due <= now) this.#believe(name, link);
    }
  }

  take(): LinkWatchEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    return Array.from(this.#links, ([name, link]) => [name, { ...link }] as const);
  }

  recall(memory: ReturnType<LinkWatch['memory']>): void {
    for (const [name, link] of memory) this.#links.set(name, { ...link });
  }

  /** `undefined` when nothing was shown of it yet. */
  believed(name: string): LinkState | undefined {
    return this.#links.get(name)?.believed;
  }

  #watch(interfaces: readonly string[], delays: readonly LinkDelays[]): void {
    const wanted = new Set(interfaces);
    for (const name of this.#links.keys()) if (!wanted.has(name)) this.#links.delete(name);
    for (const name of wanted) {
      const { down, up } = delays.find((line) => line.interface === name) ?? {
        down: seconds(0),
        up: seconds(0),
      };
      this.#links.set(name, { ...this.#links.get(name), down, up });
    }
  }

  #believe(name: string, link: Watched): void {
    delete link.due;
    const { shown, believed } = link;
    if (shown === undefined) return;
    link.believed = shown;
    if (believed?.up === shown.up && believed.why === shown.why) return;
    this.#effects.push({ type: 'believed', interface: name, state: shown });
  }
}
