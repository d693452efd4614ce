import type { Destination, ServiceKey } from '../balance/model.ts';
import { serviceName } from '../balance/model.ts';
import { type Pool, placed } from '../balance/pool.ts';

/** The active connections of a service's destinations, as the kernel has them now. */
export interface ServiceCount {
  readonly key: ServiceKey;
  readonly destinations: readonly (Pick<Destination, 'address' | 'port'> & { readonly active: number })[];
}

/** Active connections to a destination over all services of the pool; what is not in the table has none. */
export function connectionsTo(
  destination: Destination,
  { services }: Pool,
  counts: ReadonlyMap<string, ServiceCount['destinations']>,
): number {
  return services.reduce((sum, { key }) => {
    const { address, port } = placed(destination, key);
    const found = counts
      .get(serviceName(key))
      ?.find((each) => each.address === address && each.port === port);
    return sum + (found?.active ?? 0);
  }, 0);
}
