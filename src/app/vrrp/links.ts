import type { Interfaces } from '../../core/kernel/interfaces.ts';
import { type LinkState, LinkWatch, type LinkWatchEvent } from '../../core/vrrp/links.ts';
import type { LinkDelays } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';

/** What the links need of their process. */
interface Around {
  readonly driver: Driver;
  readonly interfaces: Interfaces;
  /** These are believed to be in another state. */
  believed(interfaces: readonly string[]): void;
}

/** The interfaces that virtual routers use and track: whether each is believed to be up. */
export class Links {
  readonly #interfaces: Interfaces;
  readonly #links = new LinkWatch();
  readonly #driven: Driven<LinkWatchEvent>;
  #watched: ReadonlySet<string> = new Set();

  constructor(around: Around) {
    this.#interfaces = around.interfaces;
    this.#driven = around.driver.attach(this.#links, (effects) =>
      around.believed(effects.map((effect) => effect.interface)),
    );
  }

  state(name: string): LinkState {
    return this.#links.believed(name) ?? this.#interfaces.state(name);
  }

  /** Exactly these from now on. */
  watch(interfaces: ReadonlySet<string>, delays: readonly LinkDelays[]): void {
    this.#driven.handle({ type: 'watch', interfaces: [...interfaces], delays });
    this.#watched = interfaces;
    this.show(interfaces);
  }

  /** The kernel had news of these. */
  show(interfaces: Iterable<string>): void {
    for (const name of interfaces) {
      if (!this.#watched.has(name)) continue;
      this.#driven.handle({ type: 'shown', interface: name, state: this.#interfaces.state(name) });
    }
  }
}
