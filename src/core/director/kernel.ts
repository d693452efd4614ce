import type { RouteEvent } from '../netlink/events.ts';
import type { Announcer } from './announcer.ts';
import type { DirectorEffect, KernelDump } from './events.ts';
import type { Ground } from './ground.ts';
import type { Holdings } from './holdings.ts';
import type { Tables } from './tables.ts';
import type { VmacLinks } from './vmacs.ts';

/** Who is told of the kernel's interfaces and addresses. */
interface Told {
  readonly ground: Ground;
  readonly holdings: Holdings;
  readonly tables: Tables;
  readonly vmacs: VmacLinks;
  readonly announcer: Announcer;
  emit(effect: DirectorEffect): void;
}

/** What the kernel says of its interfaces, addresses, routes and rules, told to all whom it concerns, in order. */
export class Kernel {
  readonly #told: Told;

  constructor(told: Told) {
    this.#told = told;
  }

  /** All that there is; `why` it had to be read again. */
  read(dump: KernelDump & { readonly why?: string }): void {
    const { ground, holdings, tables, vmacs, emit } = this.#told;
    if (dump.why !== undefined) {
      const message = `${dump.why}: read interfaces and addresses again`;
      emit({ type: 'log', level: 'warning', message });
    }
    const { links, addresses, routing } = dump;
    holdings.handle({ type: 'links', links });
    holdings.handle({ type: 'shown', addresses });
    tables.show(links, routing);
    vmacs.handle({ type: 'links', links });
    ground.read(dump);
  }

  /** News. */
  hear(events: readonly RouteEvent[]): void {
    const { ground, holdings, tables, vmacs } = this.#told;
    const news = ground.sumUp(events);
    if (news.links) {
      const links = ground.interfaces.all();
      holdings.handle({ type: 'links', links });
      vmacs.handle({ type: 'links', links });
    }
    for (const seen of news.addresses) holdings.handle({ type: 'seen', ...seen });
    tables.heard(news);
    ground.hear(news);
    if (news.risen.size > 0) this.#risen(news.risen);
  }

  /** Neighbours do not know that these can send, or from where. */
  #risen(devs: ReadonlySet<string>): void {
    const { announcer, ground } = this.#told;
    announcer.handle({ type: 'risen', devs });
    for (const router of ground.on(devs)) router.risen(devs);
  }
}
