import type { Ip } from '../../core/ip.ts';
import type { VirtualServerSettings } from '../../core/serving/settings.ts';
import { RouteMonitor, RouteSocket } from '../../io/route.ts';

/** Changes within this time are looked at together: a takeover brings all addresses at once. */
const GATHER_MS = 20;

/**
 * Which of the virtual addresses that `ha_suspend` asks for are on an interface of this host: told at each change, and
 * at the beginning. Whoever put them there, as in keepalived.
 */
export class HeldAddresses {
  readonly #tell: (held: readonly Ip[]) => void;
  #wanted: ReadonlySet<Ip> = new Set();
  #route: RouteSocket | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #told = '';

  constructor(tell: (held: readonly Ip[]) => void) {
    this.#tell = tell;
  }

  /** The addresses of these virtual servers from now on; without `ha_suspend` nothing is listened to. */
  follow(servers: readonly VirtualServerSettings[]): void {
    const suspending = servers
      .filter(({ haSuspend }) => haSuspend === true)
      .flatMap(({ services }) => services);
    this.#wanted = new Set(suspending.flatMap(({ key }) => (key.kind === 'address' ? [key.address] : [])));
    if (this.#wanted.size > 0 && this.#route === undefined) this.#listen();
    this.#look();
  }

  #listen(): void {
    this.#route = new RouteSocket();
    const changed = (): void => {
      this.#gathering ??= setTimeout(() => this.#look(), GATHER_MS);
    };
    new RouteMonitor().start({ event: changed, resync: changed });
  }

  #look(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const all = this.#wanted.size === 0 ? [] : (this.#route?.addresses() ?? []);
    const held = all.map(({ address }) => address.ip).filter((address) => this.#wanted.has(address));
    const text = held.toSorted().join();
    if (text === this.#told) return;
    this.#told = text;
    this.#tell(held);
  }
}
