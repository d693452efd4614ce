import type { Instant } from '../time.ts';

/** When an advert leaves that would leave at `due`: a little earlier where another router's leaves then. */
export type Beat = (due: Instant) => Instant;

/** Of a router that is alone. */
export const OWN_BEAT: Beat = (due) => due;
