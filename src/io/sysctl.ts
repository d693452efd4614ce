import { readFileSync } from 'node:fs';

/** Whether the interface forwards IPv6 (net.ipv6.conf.DEV.forwarding); false where there is no IPv6. */
export function forwardsIpv6(device: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv6/conf/${device}/forwarding`, 'latin1').trim() !== '0';
  } catch {
    return false;
  }
}
