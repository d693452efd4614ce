import type { Decision, Order } from '../../core/balance/orders.ts';
import { orderOf } from '../../core/balance/orders.ts';
import { poolName, type ServerStanding } from '../../core/balance/pool.ts';
import { endpointName } from '../../core/ip.ts';
import { decide, decisionInWords, type OrderRequest, sameDecision } from '../../core/serving/decisions.ts';
import { bereft, lastOnes, type Standings } from '../../core/serving/lastserver.ts';
import { keyOf, type Place, placesOf, whyNone } from '../../core/serving/servernames.ts';
import type { VirtualServerSettings } from '../../core/serving/settings.ts';
import { after, type Instant, millis } from '../../core/time.ts';
import { now } from '../../io/clock.ts';
import type { Store } from '../../io/store.ts';
import type { CheckState, Level, ToCheck } from '../messages.ts';
import { Windows } from './windows.ts';

/** How the servers of these names stand; all without any. */
export interface ServersRequest {
  readonly server?: string;
  readonly service?: string;
}

/** A real server that an answer is about. */
export interface OrderedPlace extends Place {
  /** Whether anything else is decided of it than before. */
  readonly changed: boolean;
  /** What is wanted of it now, by the operator and by maintenance windows. */
  readonly order?: Order;
}

export interface Ordered {
  readonly servers: readonly OrderedPlace[];
}

/** A real server, and how its virtual server stands. */
export interface PlacedStanding extends ServerStanding {
  readonly service: string;
  readonly quorum: boolean;
  readonly sorry: boolean;
}

/** The operator's decisions and the maintenance windows: what the check process is to do to real servers. */
export class Orders {
  readonly #store: Store;
  readonly #send: (message: ToCheck) => void;
  readonly #log: (level: Level, message: string) => void;
  readonly #windows: Windows;
  /** The same moment each time: the clock may be set while a drain goes on. */
  readonly #instants = new Map<number, Instant>();
  #virtualServers: readonly VirtualServerSettings[] = [];

  constructor(store: Store, send: (message: ToCheck) => void, log: (level: Level, message: string) => void) {
    this.#store = store;
    this.#send = send;
    this.#log = log;
    this.#windows = new Windows(() => this.#send({ type: 'orders', orders: this.all() }), log);
  }

  /** With servers that are gone their decisions go. */
  configure(virtualServers: readonly VirtualServerSettings[]): void {
    this.#virtualServers = virtualServers;
    const there = new Set(this.#servers().map(({ key }) => key));
    const decisions = this.#store.decisions;
    const kept = decisions.filter((decision) => there.has(keyOf(decision)));
    for (const decision of decisions) {
      if (there.has(keyOf(decision))) continue;
      const { service, server } = decision;
      this.#log(
        'warning',
        `${service} has no real server ${server} any more: ${decisionInWords(decision)} is forgotten`,
      );
    }
    if (kept.length < decisions.length) this.#store.decisions = kept;
    this.#windows.configure(this.#servers().flatMap(({ windows }) => windows));
  }

  close(): void {
    this.#windows.close();
  }

  /**
   * Throws when there is no such server, the request makes no sense, or would leave one of the virtual servers, that
   * stand as `services` say, without any server that serves.
   */
  answer(request: OrderRequest, services: readonly Standings[] = []): Ordered {
    const { server: name, service } = request;
    if (typeof name !== 'string') throw new Error('which real server?');
    if (service !== undefined && typeof service !== 'string') throw new Error('which virtual server?');
    const places = placesOf(this.#virtualServers, name, service);
    if (places.length === 0) throw new Error(whyNone(this.#virtualServers, name, service));
    const decisions = this.#decisions();
    const changed = new Set<string>();
    for (const place of places) {
      const [key, before] = [keyOf(place), decisions.get(keyOf(place))];
      const decided = decide(request, place, before, Date.now());
      if (!sameDecision(before, decided)) changed.add(key);
      if (decided === undefined) decisions.delete(key);
      else decisions.set(key, decided);
    }
    const orders = this.#under(decisions);
    const refusal = lastOnes(this.#virtualServers, places, bereft(services, this.all(), orders));
    if (request.force !== true && refusal !== undefined) throw new Error(refusal);
    this.#store.decisions = Array.from(decisions.values());
    this.#forgetInstants();
    this.#send({ type: 'orders', orders });
    const known = new Map(orders.map((order) => [keyOf(order), order]));
    const servers = places.map((place) => {
      const order = known.get(keyOf(place));
      return { ...place, changed: changed.has(keyOf(place)), ...(order && { order }) };
    });
    return { servers };
  }

  #decisions(): Map<string, Decision> {
    return new Map(this.#store.decisions.map((decision) => [keyOf(decision), decision]));
  }

  /** What is wanted of real servers now: of those of whom anything is. */
  all(): Order[] {
    return this.#under(this.#decisions());
  }

  #under(decisions: ReadonlyMap<string, Decision>): Order[] {
    return this.#servers().flatMap(({ key, place, windows }) => {
      const open = windows.filter((window) => this.#windows.isOpen(window));
      return orderOf(place, decisions.get(key), open, (epoch) => this.#instantOf(epoch)) ?? [];
    });
  }

  #instantOf(epoch: number): Instant {
    const known = this.#instants.get(epoch);
    if (known !== undefined) return known;
    const found = after(now(), millis(epoch - Date.now()));
    this.#instants.set(epoch, found);
    return found;
  }

  /** Those that no decision names any more are of no use. */
  #forgetInstants(): void {
    const named = new Set(this.#store.decisions.map(({ drain }) => drain?.until));
    for (const epoch of this.#instants.keys()) if (!named.has(epoch)) this.#instants.delete(epoch);
  }

  #servers() {
    return this.#virtualServers.flatMap((settings) =>
      settings.realServers.map(({ destination: { address, port }, maintenance: windows = [] }) => {
        const place = { service: poolName(settings), server: endpointName(address, port) };
        return { key: keyOf(place), place, windows };
      }),
    );
  }
}

/** How the real servers stand of which a name is given, or all, by what the check process said last. */
export function standings(
  virtualServers: readonly VirtualServerSettings[],
  state: CheckState | undefined,
  { server, service }: ServersRequest,
): PlacedStanding[] {
  const places =
    server === undefined ? undefined : new Set(placesOf(virtualServers, server, service).map(keyOf));
  return (state?.services ?? []).flatMap(({ name, quorum, sorry, servers }) =>
    servers
      .map((standing) => ({ ...standing, service: name, quorum, sorry }))
      .filter((each) => places?.has(keyOf({ service: name, server: each.name })) !== false),
  );
}
