import type { Destination, ServiceKey } from '../balance/model.ts';
import { endpointName, serviceName } from '../balance/model.ts';
import { type Pool, placed } from '../balance/pool.ts';

/** Connections as the kernel counts them: those that are established, and those that begin or end. */
export interface Connections {
  readonly active: number;
  readonly inactive: number;
}

/** The connections of a service's destinations, as the kernel has them now. */
export interface ServiceCount {
  readonly key: ServiceKey;
  readonly destinations: readonly (Pick<Destination, 'address' | 'port'> & Connections)[];
}

/** Counts by the names of services and destinations: a service may have thousands. */
export type Counts = ReadonlyMap<string, ReadonlyMap<string, Connections>>;

export const countsByName = (counts: readonly ServiceCount[]): Counts =>
  new Map(
    counts.map(({ key, destinations }) => [
      serviceName(key),
      new Map(destinations.map((each) => [endpointName(each.address, each.port), each])),
    ]),
  );

/** Connections to a destination over all services of the pool; what is not in the table has none. */
export function connectionsTo(destination: Destination, { services }: Pool, counts: Counts): Connections {
  const none: Connections = { active: 0, inactive: 0 };
  return services.reduce((sum, { key }) => {
    const { address, port } = placed(destination, key);
    const found = counts.get(serviceName(key))?.get(endpointName(address, port));
    if (found === undefined) return sum;
    return { active: sum.active + found.active, inactive: sum.inactive + found.inactive };
  }, none);
}
