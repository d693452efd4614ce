import type { Given } from '../../core/director/giving.ts';
import type { ClusterSettings } from '../../core/fence/settings.ts';
import { isOrderRequest } from '../../core/serving/decisions.ts';
import type { VirtualServerSettings } from '../../core/serving/settings.ts';
import type { DaemonStatus } from '../../core/status/facts.ts';
import { absence } from '../../core/status/find.ts';
import type { BulkFacts } from '../../core/sync/bulk/facts.ts';
import { nameOfClaim } from '../../core/vrrp/group.ts';
import type { CheckState, SyncState } from '../messages.ts';
import type { Reload } from '../status.ts';
import type { Fencer } from './fencer.ts';
import type { Leaving } from './leaving.ts';
import { type Orders, type ServersRequest, standings } from './orders.ts';

/** What the operator's requests are answered from. */
export interface Answering {
  readonly orders: Orders;
  status(): Promise<DaemonStatus>;
  reload(): Reload;
  /** The daemon executes what is installed now. */
  reexec(): Promise<unknown>;
  /** The lines of a recording. */
  record(): Promise<readonly string[]>;
  readonly leaving: Leaving;
  /** Whether there is anything to do for the process. */
  wants(role: 'vrrp' | 'check'): boolean;
  virtualServers(): readonly VirtualServerSettings[];
  check(): CheckState | undefined;
  sync(): SyncState | undefined;
  /** Tells the sync process to ask for a copy of the connection table. */
  pull(): void;
  readonly fencer: Fencer;
  cluster(): ClusterSettings | undefined;
}

/** Answers a request of the operator, which has its shape; throws what the operator is to be told instead. */
export function answer(from: Answering, request: unknown): unknown {
  const mustRun = (role: 'vrrp' | 'check'): void => {
    if (!from.wants(role)) throw new Error(`${absence(role)}: nothing was changed`);
  };
  const { verb, on } = request as { readonly verb: string; readonly on?: boolean };
  if (verb === 'status') return from.status();
  if (verb === 'reload') return from.reload();
  if (verb === 'reexec') return from.reexec();
  if (verb === 'record') return from.record().then((lines) => ({ lines }));
  if (isOrderRequest(request)) {
    mustRun('check');
    return from.orders.answer(request, from.check()?.services);
  }
  if (verb === 'servers') {
    mustRun('check');
    return standings(from.virtualServers(), from.check(), request as ServersRequest);
  }
  if (verb === 'maintenance' && on !== undefined) {
    mustRun('vrrp');
    from.leaving.maintain(on);
    return { maintenance: on };
  }
  if (verb === 'pull') return pull(from);
  if (verb === 'switchover') {
    mustRun('vrrp');
    return from.leaving
      .switchOver((request as { readonly routers?: readonly string[] }).routers)
      .then(handOvers);
  }
  if (verb.startsWith('fence-')) return fence(from, request as FenceRequest);
  throw new Error(`no such request: ${JSON.stringify(request)}`);
}

/** The copies so far, to be told from the one that comes. */
function pull(from: Answering): BulkFacts {
  const sync = from.sync();
  if (sync === undefined) throw new Error('no lvs_sync_daemon is configured, or its process has not begun');
  if (sync.bulk.trouble !== undefined) throw new Error(`copies of the whole table: ${sync.bulk.trouble}`);
  if (!sync.running.some(({ role }) => role === 'backup'))
    throw new Error('this director is not backup: there is no master to get the connections from');
  from.pull();
  return sync.bulk;
}

/** What a unit of a hand-over is for people. */
const handOvers = (given: readonly Given[]) => ({
  handOvers: given.map(({ unit, ...rest }) => ({ name: nameOfClaim(unit), ...rest })),
});
export type SwitchoverAnswer = ReturnType<typeof handOvers>;

interface FenceRequest {
  readonly verb: string;
  readonly director?: string;
  readonly order?: 'off' | 'on';
}

function fence(
  { fencer, cluster }: Answering,
  { verb, director = '', order = 'off' }: FenceRequest,
): unknown {
  if (verb === 'fence-test') {
    if (fencer.status().devices.length === 0) throw new Error('no fence_device is configured');
    fencer.test();
    return {};
  }
  const { name, directors = [] } = cluster() ?? {};
  const names = directors.map((each) => each.name);
  if (!names.includes(director))
    throw new Error(`no such director: ${director}; there are ${names.join(', ') || 'none'}`);
  if (verb === 'fence-confirm') {
    fencer.confirm(director);
    return {};
  }
  if (director === name && order === 'off')
    throw new Error(`${director} is this director: nobody could see whether it is off; use poweroff`);
  const runs = fencer.plan(director, order);
  if (runs.length === 0) throw new Error(`no fence_device has the target ${director}`);
  if (verb === 'fence-order') fencer.order(director, order);
  return { runs };
}
