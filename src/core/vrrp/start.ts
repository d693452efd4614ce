import { after, type Duration, type Instant, micros, since } from '../time.ts';
import type { StartSettings } from './settings.ts';

/**
 * How much later than `now` virtual routers begin: `vrrp_startup_delay` counts from `begun`, the start of the
 * process, and `vrrp_delay_after_boot` from the machine's, where the clock has its origin. The later wins.
 */
export function startDelay(settings: StartSettings, begun: Instant, now: Instant): Duration {
  const at = Math.max(after(begun, settings.delay), settings.afterBoot);
  return micros(Math.max(0, since(at as Instant, now)));
}
