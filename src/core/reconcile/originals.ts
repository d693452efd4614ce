import type { Ipv4Conf } from '../netlink/link.ts';

/**
 * A setting of an interface (`net.ipv4.conf.DEVICE`) that the VRRP process changed: what it was before, and what it is
 * now. The supervisor keeps them, so that the next life of a process that crashed puts back what was there at first.
 */
export interface Original {
  readonly device: string;
  readonly setting: keyof Ipv4Conf;
  readonly before: number;
  readonly ours: number;
}

/** Its place below /proc/sys/net. */
export const pathOf = ({ device, setting }: Pick<Original, 'device' | 'setting'>): string =>
  `ipv4/conf/${device}/${setting}`;

/** What `ours` changes in the settings that were there before. */
export function changesOf(device: string, before: Ipv4Conf, ours: Ipv4Conf): Original[] {
  return (Object.keys(ours) as (keyof Ipv4Conf)[]).flatMap((setting) => {
    const { [setting]: was = 0 } = before;
    const { [setting]: is = 0 } = ours;
    return was === is ? [] : [{ device, setting, before: was, ours: is }];
  });
}

/** An original that another process wrote down; `undefined` when it is none. */
export function parseOriginal(text: string): Original | undefined {
  try {
    const { device, setting, before, ours } = JSON.parse(text);
    const numbers = Number.isInteger(before) && Number.isInteger(ours);
    if (!/^[^/\s]{1,15}$/.test(device) || !SETTINGS.has(setting) || !numbers) return undefined;
    return { device, setting, before, ours };
  } catch {
    return undefined;
  }
}

const SETTINGS: ReadonlySet<string> = new Set([
  'rp_filter',
  'arp_filter',
  'arp_announce',
  'arp_ignore',
  'promote_secondaries',
] satisfies (keyof Ipv4Conf)[]);
