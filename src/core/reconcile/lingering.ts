import type { Entry } from './entry.ts';
import type { ShownAddresses } from './shown.ts';

/** Addresses that are to go and are still there, as `eth0 10.0.0.100/24`; those of the host itself (`isHosts`) stay. */
export function lingering(
  entries: ReadonlyMap<string, Entry>,
  shown: ShownAddresses,
  isHosts: (entry: Entry) => boolean,
): string[] {
  return [...entries.values()].flatMap((entry) => {
    const { owners, held, key } = entry;
    return owners.size === 0 && shown.has(held.dev, key) && !isHosts(entry) ? [key] : [];
  });
}
