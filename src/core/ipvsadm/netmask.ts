import type { IpvsService } from '../netlink/ipvs.ts';
import { maskOf } from '../netlink/ipvs-request.ts';
import { ipv4Text } from './values.ts';

/** An IPv4 mask as a service keeps it: a prefix length, and the mask itself when it is no prefix. */
export function ipv4Granularity(mask: number): Pick<IpvsService, 'prefixLength' | 'netmask'> {
  const prefixLength = Math.clz32(~mask);
  return mask === maskOf(prefixLength) ? { prefixLength } : { prefixLength, netmask: mask };
}

/** The granularity of a service's persistence as a listing shows it; '' when every client is for itself. */
export function netmaskText(service: IpvsService): string {
  const { prefixLength, netmask } = service;
  if (service.key.family === 6) return prefixLength === 128 ? '' : String(prefixLength);
  if (netmask === undefined && prefixLength === 32) return '';
  return ipv4Text(netmask ?? maskOf(prefixLength));
}
