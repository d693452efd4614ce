import type { ServerStanding } from '../balance/member.ts';
import type { Order } from '../balance/orders.ts';
import type { Place } from './servernames.ts';

/** What is known of a virtual server's real servers. */
export interface Standings {
  readonly name: string;
  readonly servers: readonly Pick<ServerStanding, 'name' | 'up' | 'kept' | 'weight'>[];
}

const keyOf = ({ service, server }: Place): string => `${service} ${server}`;
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
