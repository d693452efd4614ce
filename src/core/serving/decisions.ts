import type { Decision } from '../balance/orders.ts';
import type { Place } from './servernames.ts';

/** What an operator's request makes of what was decided of real servers before. */

/** 31 years. */
const LONGEST_MS = 1e12;
const MAX_WEIGHT = 2_147_483_647;

/** What the operator asks of real servers. `service` narrows it down to virtual servers of that name. */
export type OrderRequest = {
  readonly server: string;
  readonly service?: string;
  /** Also where it leaves a virtual server without any real server that serves. */
  readonly force?: boolean;
} & (
  | { readonly verb: 'drain' /** Milliseconds from now. */; readonly timeout?: number }
  | { readonly verb: 'undrain' }
  /** `null`: as configured. */
  | { readonly verb: 'weight'; readonly weight: number | null }
);

const VERBS: readonly unknown[] = ['drain', 'undrain', 'weight'];
export const isOrderRequest = (request: unknown): request is OrderRequest =>
  VERBS.includes((request as Partial<OrderRequest> | null)?.verb);

/**
 * What is decided of one server with the request, at `epoch` (milliseconds since 1970); `undefined`: nothing any more.
 * Throws, in words for the operator, when the request makes no sense.
 */
export function decide(
  request: OrderRequest,
  place: Place,
  before: Decision | undefined,
  epoch: number,
): Decision | undefined {
  const { drain, weight } = before ?? {};
  const decision = (decided: Pick<Decision, 'drain' | 'weight'>): Decision | undefined =>
    decided.drain === undefined && decided.weight === undefined ? undefined : { ...place, ...decided };
  if (request.verb === 'undrain') return decision(weight === undefined ? {} : { weight });
  if (request.verb === 'drain')
    return decision({ ...(weight !== undefined && { weight }), drain: drainOf(request.timeout, epoch) });
  const wanted = request.weight;
  if (wanted === null) return decision(drain === undefined ? {} : { drain });
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > MAX_WEIGHT) {
    throw new Error(`a weight is a whole number from 0 to ${MAX_WEIGHT}, or default; not ${wanted}`);
  }
  return decision({ ...(drain !== undefined && { drain }), weight: wanted });
}

function drainOf(timeout: number | undefined, epoch: number): NonNullable<Decision['drain']> {
  if (timeout === undefined) return { since: epoch };
  if (!Number.isInteger(timeout) || timeout < 0 || timeout > LONGEST_MS)
    throw new Error(`no such time: ${timeout} ms`);
  return { since: epoch, until: epoch + timeout };
}

/** Since when a drain goes on makes no difference. */
export const sameDecision = (a: Decision | undefined, b: Decision | undefined): boolean =>
  a?.weight === b?.weight &&
  (a?.drain === undefined) === (b?.drain === undefined) &&
  a?.drain?.until === b?.drain?.until;

/** `its drain and its weight 3`. */
export const decisionInWords = ({ drain, weight }: Decision): string =>
  [...(drain ? ['its drain'] : []), ...(weight === undefined ? [] : [`its weight ${weight}`])].join(' and ');
