import { readFileSync } from 'node:fs';

/** Bits of capabilities(7) that the daemon needs, and what for. */
const NEEDED: readonly (readonly [bit: number, name: string, what: string])[] = [
  [12, 'CAP_NET_ADMIN', 'to set addresses and the IPVS table'],
  [13, 'CAP_NET_RAW', 'to send and hear VRRP and gratuitous ARP'],
];

/** The needed capabilities that this process lacks, in words; empty when all are there. */
export function missingCapabilities(): string[] {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const effective = BigInt(`0x${line?.[1] ?? '0'}`);
  return NEEDED.filter(([bit]) => ((effective >> BigInt(bit)) & 1n) === 0n).map(
    ([, name, what]) => `${name} (${what})`,
  );
}
