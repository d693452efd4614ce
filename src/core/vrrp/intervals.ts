import { type Duration, type Instant, micros, seconds, since, toSeconds } from '../time.ts';
import type { VrrpSettings } from './settings.ts';

/** The intervals that VRRP derives from priority and advertisement interval. */

/** The part of the settings that the arithmetic needs. */
export interface IntervalSettings {
  readonly version: 2 | 3;
  readonly priority: number;
  /** `down_timer_adverts`. */
  readonly downAdverts: number;
}

/**
 * Skew_Time: the better the priority, the shorter, so that the best backup is the first to take over.
 * Version 2: (256 - priority) / 256 of a second (RFC 3768, 6.1); version 3: of the master's interval
 * (RFC 9568, 6.1).
 */
export function skewTime(settings: IntervalSettings, masterInterval: Duration): Duration {
  const whole = settings.version === 2 ? seconds(1) : masterInterval;
  return micros(((256 - settings.priority) * whole) / 256);
}

/** Master_Down_Interval (Active_Down_Interval in RFC 9568): silence after which the master is gone. */
export function downInterval(settings: IntervalSettings, masterInterval: Duration): Duration {
  return micros(settings.downAdverts * masterInterval + skewTime(settings, masterInterval));
}

/**
 * How long a router listens after a stall before it believes in silence: a living master sends at least one
 * advert in this time, and the skew keeps the order of the backups.
 */
export function listenInterval(settings: IntervalSettings, masterInterval: Duration): Duration {
  return micros(masterInterval + skewTime(settings, masterInterval));
}

/** `3.61 s`, for people. */
export const text = (duration: Duration): string => `${toSeconds(duration).toFixed(2)} s`;

/**
 * Whether a virtual router still has the authority of a process that was its master until `left`: the others wait for
 * `downAdverts` adverts, of which one may have been due just then.
 */
export const isHeir = (
  { advertInterval, downAdverts }: Pick<VrrpSettings, 'advertInterval' | 'downAdverts'>,
  left: Instant | undefined,
  now: Instant,
): boolean => left !== undefined && since(now, left) < (downAdverts - 1) * advertInterval;
