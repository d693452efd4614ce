import type { PoolEffect, ServerStanding } from '../balance/pool.ts';
import { blockTitle, serverTitle } from '../balance/titles.ts';
import type { CheckHappening, ServerHappening, ServiceHappening } from '../notify/happening.ts';
import type { RealServerSettings, VirtualServerSettings } from './settings.ts';

/** When something happens: `start`: this is how it begins; `removal`: by a reload; `stop`: the daemon ends. */
export type Occasion = 'start' | 'change' | 'removal' | 'stop';

type Quorum = Pick<Extract<PoolEffect, { type: 'quorum' }>, 'held' | 'weight' | 'threshold' | 'cause'>;

/** A real server that went up or down, or is so from the start. */
export function serverHappening(
  of: VirtualServerSettings,
  { destination: { address, port } }: RealServerSettings,
  { up, cause }: Pick<ServerStanding, 'up' | 'cause'>,
  occasion: Occasion,
): ServerHappening {
  return {
    of: 'server',
    name: serverTitle(address, port, of),
    service: blockTitle(of),
    what: up ? 'UP' : 'DOWN',
    cause,
    ...(occasion === 'stop' && { stopping: true }),
    ...(occasion === 'removal' && { removed: true }),
  };
}

/** A checker of a real server that went up or down. */
export function checkHappening(
  of: VirtualServerSettings,
  { destination: { address, port } }: RealServerSettings,
  { up, ...check }: Pick<CheckHappening, 'text' | 'cause' | 'turned'> & { readonly up: boolean },
): CheckHappening {
  const { text, cause, turned } = check;
  const name = serverTitle(address, port, of);
  return { of: 'check', name, service: blockTitle(of), what: up ? 'UP' : 'DOWN', turned, text, cause };
}

/** The quorum of a virtual server, in keepalived's words (its check/ipwrapper.c). */
export function quorumHappening(
  of: VirtualServerSettings,
  { held, weight, threshold, cause }: Quorum,
  occasion: Occasion,
): ServiceHappening {
  const gained = occasion === 'start' ? 'Starting with quorum up' : 'Gained quorum';
  const lost = occasion === 'start' ? 'Starting with quorum down' : 'Lost quorum';
  const sums = `${of.quorum}+${of.hysteresis}=${threshold} <= ${weight}`;
  return {
    of: 'service',
    name: blockTitle(of),
    what: held ? 'UP' : 'DOWN',
    text: occasion === 'stop' ? 'Shutting down' : `${held ? gained : lost} ${sums}`,
    cause,
    ...(occasion === 'stop' && { stopping: true }),
  };
}

/** What `min_up` does with so many servers that are up, for the log. */
export function guardInWords(
  { minUp = 0, realServers }: VirtualServerSettings,
  kept: readonly string[],
  up: number,
): string {
  if (kept.length === 0) return `min_up ${minUp}% has nothing to keep any more`;
  return (
    `min_up ${minUp}% keeps ${kept.join(', ')} in service: ${up} of ${realServers.length} real servers are up. ` +
    'Do all fail, or the checks?'
  );
}

/** `min_up` keeps servers in service, or no longer: `words` say which. */
export function guardHappening(of: VirtualServerSettings, holds: boolean, words: string): ServiceHappening {
  const what = holds ? 'GUARDED' : 'UNGUARDED';
  return { of: 'service', name: blockTitle(of), what, text: words, cause: words };
}
