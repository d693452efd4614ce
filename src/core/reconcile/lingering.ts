import type { Entry } from './entry.ts';
import type { ShownAddresses } from './shown.ts';

/** Addresses that are to go and are still there, as `eth0 10.0.0.100/24`. `isHosts`: somebody else's, left as they are. */
export function lingering(
  entries: Iterable<Entry>,
  shown: ShownAddresses,
  isHosts: (entry: Entry) => boolean,
): string[] {
  return [...entries].flatMap((entry) => {
    const { owners, held, key } = entry;
    return owners.size === 0 && shown.has(held.dev, key) && !isHosts(entry) ? [key] : [];
  });
}
