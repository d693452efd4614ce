import { type News, sumUp } from '../../core/director/news.ts';
import type { Ip } from '../../core/ip.ts';
import type { Interfaces } from '../../core/kernel/interfaces.ts';
import type { InterfaceAddress } from '../../core/netlink/address.ts';
import type { RouteEvent } from '../../core/netlink/events.ts';
import { RouteMonitor, type RouteSocket } from '../../io/route.ts';

/** Who acts on what the kernel says. */
interface Listener {
  readonly interfaces: Interfaces;
  /** Every address that VRRP moves. */
  readonly moved: ReadonlySet<Ip>;
  /** All was read anew, these addresses among it; `why` when news were lost. */
  read(addresses: readonly InterfaceAddress[], why?: string): void;
  /** What the news of one turn of the event loop come to. */
  heard(news: News): void;
}

/** Follows the kernel's interfaces and addresses: however much is said in a turn of the loop, it is acted on once. */
export class KernelWatch {
  readonly monitor = new RouteMonitor();
  readonly #route: RouteSocket;
  readonly #listener: Listener;
  #heard: RouteEvent[] = [];

  constructor(route: RouteSocket, listener: Listener) {
    this.#route = route;
    this.#listener = listener;
  }

  begin(): void {
    this.monitor.start({
      event: (event) => {
        this.#heard.push(event);
        if (this.#heard.length === 1) setImmediate(() => this.#act());
      },
      resync: (why) => this.#read(why),
    });
    this.#read();
  }

  /** Acts on what is waiting now. */
  drain(): void {
    this.monitor.drain();
    this.#act();
  }

  #read(why?: string): void {
    // What was heard before is older than what is read now.
    this.#heard = [];
    const addresses = this.#route.addresses();
    const { interfaces } = this.#listener;
    interfaces.clear();
    for (const link of this.#route.links()) interfaces.link(link, true);
    for (const address of addresses) interfaces.address(address, true);
    this.#listener.read(addresses, why);
  }

  #act(): void {
    if (this.#heard.length === 0) return;
    const news = sumUp(this.#heard, this.#listener.interfaces, this.#listener.moved);
    this.#heard = [];
    this.#listener.heard(news);
  }
}
