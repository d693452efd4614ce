import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { type Ip, parseIp } from '../core/ip.ts';
import { inNamespace } from './namespace.ts';
import { RouteSocket } from './route.ts';

/** What processes do, and what the kernel has, seen from outside: for who can't ask them. */

/**
 * The addresses of all interfaces in the network namespace of a process, as `eth0 10.0.0.100`; undefined when we may
 * not look there.
 */
export function presentAddresses(pid: number): ReadonlySet<string> | undefined {
  try {
    return inNamespace(`/proc/${pid}/ns/net`, () => {
      const socket = new RouteSocket();
      try {
        const names = new Map(socket.links().map(({ ifindex, name }) => [ifindex, name]));
        return new Set(
          socket.addresses().map(({ ifindex, address }) => `${names.get(ifindex)} ${address.ip}`),
        );
      } finally {
        socket.close();
      }
    });
  } catch {
    return undefined;
  }
}

/** Whether an interface of ours that is up has the address now. */
export const hasAddress = (address: Ip): boolean =>
  Object.values(networkInterfaces()).some((all) =>
    all?.some((found) => parseIp(found.address.replace(/%.*/, '')) === address),
  );

/** Whether a signal or a debugger has stopped the process; null when it is gone. */
export function isStopped(pid: number): boolean | null {
  try {
    return /^State:\s*[tT]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return null;
  }
}
