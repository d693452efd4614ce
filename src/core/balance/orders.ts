import type { Duration, Instant } from '../time.ts';

/** `maintenance` (ours): a time that comes again and again, in which a real server is drained or weighs less. */
export interface MaintenanceWindow {
  /** When it opens, as crontab(5) says times, in the time zone of the host. */
  readonly cron: string;
  readonly length: Duration;
  /** The most that the server weighs then; it is drained when absent. */
  readonly weight?: number;
}

/** Who decides what a server weighs, the configuration and its checks aside. */
export type Authority = 'operator' | 'schedule';

/** What operator and schedule want of one real server of one virtual server. */
export interface Order {
  /** As the pool and its server are named. */
  readonly service: string;
  readonly server: string;
  /** No new connections; removed when none is left, or at `until`. */
  readonly drain?: { readonly by: Authority; readonly until?: Instant };
  /** The operator's weight, instead of what configuration and checks say. */
  readonly weight?: number;
  /** The schedule's: it weighs no more. */
  readonly limit?: number;
}

/** What an operator decided of one real server of one virtual server; kept over restarts. */
export interface Decision {
  readonly service: string;
  readonly server: string;
  /** Milliseconds since 1970: the clock that restarts of the host do not end. */
  readonly drain?: { readonly since: number; readonly until?: number };
  readonly weight?: number;
}

/**
 * The order that a decision and the windows that are open make together: the strictest wins. Any drain goes before
 * any weight, the operator's deadline holds also in a window, of several limits the least counts.
 */
export function orderOf(
  { service, server }: Pick<Order, 'service' | 'server'>,
  decision: Pick<Decision, 'drain' | 'weight'> | undefined,
  open: readonly Pick<MaintenanceWindow, 'weight'>[],
  instantOf: (epoch: number) => Instant,
): Order | undefined {
  const limits = open.flatMap(({ weight }) => weight ?? []);
  const drains = decision?.drain !== undefined || limits.length < open.length;
  const until = decision?.drain?.until;
  const by = decision?.drain === undefined ? 'schedule' : 'operator';
  if (!drains && limits.length === 0 && decision?.weight === undefined) return undefined;
  return {
    service,
    server,
    ...(drains && { drain: { by, ...(until !== undefined && { until: instantOf(until) }) } }),
    ...(decision?.weight !== undefined && { weight: decision.weight }),
    ...(limits.length > 0 && { limit: Math.min(...limits) }),
  };
}

/** What a server weighs that is up, by `order` and what configuration and checks say; 0 while it is drained. */
export function weightUnder(order: Order | undefined, own: number): number {
  if (order?.drain !== undefined) return 0;
  return Math.min(order?.weight ?? own, order?.limit ?? Number.POSITIVE_INFINITY);
}

/** Who gave a server the weight that `weightUnder` says, when it was neither configuration nor checks. */
export function authorityOver(order: Order | undefined, own: number): Authority | undefined {
  if (order?.drain !== undefined) return order.drain.by;
  if (order?.limit !== undefined && order.limit < (order.weight ?? own)) return 'schedule';
  return order?.weight === undefined ? undefined : 'operator';
}

export const sameOrder = (a: Order | undefined, b: Order | undefined): boolean =>
  a?.drain?.by === b?.drain?.by &&
  (a?.drain === undefined) === (b?.drain === undefined) &&
  a?.drain?.until === b?.drain?.until &&
  a?.weight === b?.weight &&
  a?.limit === b?.limit;

/** For the log: `drains (operator)`, `weighs 3 (operator)`, `is back: no order any more`. */
export function orderInWords(order: Order | undefined): string {
  if (order === undefined) return 'is no longer drained or weighted by the operator';
  if (order.drain !== undefined) return `takes no new connections (${order.drain.by})`;
  const weight = order.weight === undefined ? [] : [`weighs ${order.weight} (operator)`];
  const limit = order.limit === undefined ? [] : [`weighs at most ${order.limit} (schedule)`];
  return [...weight, ...limit].join(', ');
}

/** Why a server counts as drained, by the active connections that it had. */
export function drainedInWords(connections: number | undefined): string {
  if (connections === 0) return 'it has no active connections';
  return `its time is over; active connections that it still had: ${connections ?? 'not known'}`;
}
