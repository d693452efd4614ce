import type { ServerStanding } from '../balance/member.ts';
import type { Order } from '../balance/orders.ts';
import { poolName } from '../balance/pool.ts';
import { keyOf, type Place } from './servernames.ts';
import type { VirtualServerSettings } from './settings.ts';

/** What is known of a virtual server's real servers. */
export interface Standings {
  readonly name: string;
  readonly servers: readonly Pick<ServerStanding, 'name' | 'up' | 'kept' | 'weight'>[];
}

const byPlace = (orders: readonly Order[]): ReadonlyMap<string, Order> =>
  new Map(orders.map((order) => [keyOf(order), order]));

/** Virtual servers in which somebody serves under the orders of `before`, and nobody would under those of `after`. */
export function bereft(
  services: readonly Standings[],
  before: readonly Order[],
  after: readonly Order[],
): string[] {
  const [then, now] = [byPlace(before), byPlace(after)];
  const serves = ({ name: service, servers }: Standings, orders: ReadonlyMap<string, Order>): boolean =>
    servers.some(({ name: server, up, kept, weight }) => {
      const order = orders.get(keyOf({ service, server }));
      return (up || kept) && order?.drain === undefined && (order?.weight ?? weight) > 0;
    });
  return services.filter((each) => serves(each, then) && !serves(each, now)).map(({ name }) => name);
}

/** Why orders for these places are refused that leave virtual servers (`left`) nobody who serves, in words. */
export function lastOnes(
  virtualServers: readonly VirtualServerSettings[],
  places: readonly Place[],
  left: readonly string[],
): string | undefined {
  const lost = left.map((service) => {
    const names = places.filter((place) => place.service === service).map(({ server }) => server);
    const settings = virtualServers.find((each) => poolName(each) === service);
    const then = settings?.sorry === undefined ? 'nobody would' : 'its sorry server would';
    return `${names.join(', ')} is the last real server of ${service} that serves; then ${then}`;
  });
  return lost.length === 0 ? undefined : `${lost.join('\n')}: --force does it all the same`;
}
