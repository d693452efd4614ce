import { defaultLease, filterTerm } from '../../../src/core/fence/lease.ts';
import type { Duration } from '../../../src/core/time.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';

/** With a lifetime there is a lease of the packet filter too; where none is possible, it may be alone. */
export function termOf(
  { lease, advertInterval, downAdverts }: Pick<VrrpSettings, 'lease' | 'advertInterval' | 'downAdverts'>,
  alone: boolean,
): Duration | undefined {
  if (lease > 0) return filterTerm(advertInterval, downAdverts, lease);
  const possible = defaultLease(advertInterval, downAdverts) === 0;
  return alone && possible ? filterTerm(advertInterval, downAdverts) : undefined;
}
