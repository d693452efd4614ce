import type { Interfaces } from '../../core/kernel/interfaces.ts';
import { wantedLinks } from '../../core/kernel/vmac-wants.ts';
import { type LinkState, LinkWatch, type LinkWatchEvent } from '../../core/vrrp/links.ts';
import type { LinkDelays, VrrpSettings } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';

/** What the links need of their process. */
interface Around {
  readonly driver: Driver;
  readonly interfaces: Interfaces;
  /** What hinders routers may be different. */
  shifted(): void;
}

/** The interfaces that virtual routers use and track: whether each is believed to be up. */
export class Links {
  readonly #interfaces: Interfaces;
  readonly #links = new LinkWatch();
  readonly #driven: Driven<LinkWatchEvent>;
  #watched: ReadonlySet<string> = new Set();

  constructor(around: Around) {
    this.#interfaces = around.interfaces;
    this.#driven = around.driver.attach(this.#links, () => around.shifted());
  }

  state(name: string): LinkState {
    return this.#links.believed(name) ?? this.#interfaces.state(name);
  }

  /** Exactly those of these virtual routers from now on. */
  watch(instances: readonly VrrpSettings[], delays: readonly LinkDelays[]): void {
    const tracked = instances.flatMap(({ track = [] }) => track.filter(({ kind }) => kind === 'interface'));
    const interfaces = [
      ...instances.map((settings) => settings.interface),
      ...wantedLinks(instances).map(({ name }) => name),
      ...tracked.map(({ name }) => name),
    ];
    this.#driven.handle({ type: 'watch', interfaces, delays });
    this.#watched = new Set(interfaces);
    this.show();
  }

  /** The kernel had news of interfaces. */
  show(): void {
    for (const name of this.#watched) {
      this.#driven.handle({ type: 'shown', interface: name, state: this.#interfaces.state(name) });
    }
  }
}
