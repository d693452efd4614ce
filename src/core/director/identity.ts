import type { VrrpSettings } from '../vrrp/settings.ts';

/** What identifies a virtual router on this host; the name does not. */
export const routerKey = ({
  interface: device,
  family,
  vrid,
  apart,
}: Pick<VrrpSettings, 'interface' | 'family' | 'vrid'> & { readonly apart?: string | undefined }): string =>
  `${device} IPv${family} VRID ${vrid}${apart === undefined ? '' : ` ${apart}`}`;

/** Whether a virtual router stays where it is: on another interface of its own it is another one. */
export const isSeatedAlike = (a: VrrpSettings, b: VrrpSettings | undefined): boolean =>
  b !== undefined && JSON.stringify(a.virtual) === JSON.stringify(b.virtual);
