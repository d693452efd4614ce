import type { Attributes, BodyWriter } from './message.ts';

/** The metrics nest of a route (RTAX_*, include/uapi/linux/rtnetlink.h). */

/** Attribute numbers. Times are as the kernel keeps them: `rtt` in 1/8 ms, `rttvar` in 1/4 ms, `rtoMin` in ms. */
export const METRIC = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  /** Bits; 1 is ECN. */
  features: 12,
  rtoMin: 13,
  initrwnd: 14,
  quickack: 15,
  fastopenNoCookie: 17,
} as const;
export type Metric = keyof typeof METRIC;
const NAMES = Object.keys(METRIC) as Metric[];
const LOCK = 1;
const CONGESTION = 16;

/** What TCP and others take from a route. */
export type RouteMetrics = { readonly [M in Metric]?: number } & {
  /** `congctl`: the congestion control algorithm. */
  readonly congestion?: string;
  /** The kernel may not change these by itself. */
  readonly locked?: readonly (Metric | 'congestion')[];
};

export function writeMetrics(body: BodyWriter, type: number, metrics: RouteMetrics): void {
  body.nest(type, (nest) => {
    const { congestion, locked = [] } = metrics;
    let lock = 0;
    for (const name of locked) lock |= 1 << (name === 'congestion' ? CONGESTION : METRIC[name]);
    if (lock !== 0) nest.u32(LOCK, lock);
    for (const name of NAMES) {
      const value = metrics[name];
      if (value !== undefined) nest.u32(METRIC[name], value);
    }
    if (congestion !== undefined) nest.text(CONGESTION, congestion);
  });
}

/** `undefined` when there are none. */
export function readMetrics(nest: Attributes): RouteMetrics | undefined {
  const found: { -readonly [K in keyof RouteMetrics]: RouteMetrics[K] } = {};
  for (const name of NAMES) {
    const value = nest.u32(METRIC[name]);
    if (value !== undefined) found[name] = value;
  }
  const congestion = nest.text(CONGESTION);
  if (congestion !== undefined) found.congestion = congestion;
  const lock = nest.u32(LOCK) ?? 0;
  const locked: (Metric | 'congestion')[] = NAMES.filter((name) => (lock & (1 << METRIC[name])) !== 0);
  if ((lock & (1 << CONGESTION)) !== 0) locked.push('congestion');
  if (locked.length > 0) found.locked = locked;
  return Object.keys(found).length === 0 ? undefined : found;
}
