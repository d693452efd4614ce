import { endpointName } from '../balance/model.ts';
import { Pool } from '../balance/pool.ts';
import type { Health } from '../check/verdict.ts';
import type { RealServerSettings, VirtualServerSettings } from './settings.ts';

/** A virtual server: its settings, and its pool. */
export interface Served {
  readonly settings: VirtualServerSettings;
  readonly pool: Pool;
  /** The real servers' settings by their names in the pool. */
  readonly servers: ReadonlyMap<string, RealServerSettings>;
}

/** Whether a drain or a ramp goes on in it. */
export const isTimed = ({ pool }: Served): boolean =>
  pool.deadline() !== undefined || pool.draining().length > 0;

const nameOf = ({ destination: { address, port } }: RealServerSettings): string =>
  endpointName(address, port);

/** How a real server stands that has no checks. */
export const unchecked = ({ destination: { weight } }: RealServerSettings): Health => ({
  up: true,
  cause: 'not checked',
  weight,
});

/** From what the pool remembers. */
export function servedAgain(settings: VirtualServerSettings, memory: ReturnType<Pool['memory']>): Served {
  const pool = new Pool(settings, new Map());
  pool.recall(memory);
  const servers = new Map(settings.realServers.map((server) => [nameOf(server), server]));
  return { settings, servers, pool };
}

/** Whether a reload leaves it as it is: then it keeps its pool. Most come as the same object. */
export const isServedAs = (served: Served | undefined, settings: VirtualServerSettings): served is Served =>
  served !== undefined &&
  (served.settings === settings || JSON.stringify(served.settings) === JSON.stringify(settings));
