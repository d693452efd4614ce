import { decode, encode, type Packet, RECURSION_DESIRED, type RecordType } from 'dns-packet';
import type { DnsReply } from '../core/check/dns.ts';
import type { DnsCheck } from '../core/check/settings.ts';

/** A query for the check's name, with the wish for recursion, as keepalived's. */
export function encodeQuery({ name, record }: Pick<DnsCheck, 'name' | 'record'>, id: number): Uint8Array {
  const questions = [{ type: record as RecordType, class: 'IN' as const, name: name === '.' ? '' : name }];
  return encode({ type: 'query', id, flags: RECURSION_DESIRED, questions });
}

/** A message's id and status; `undefined` for what is no DNS message. */
export function readReply(bytes: Uint8Array): DnsReply | undefined {
  try {
    // Only the header counts: what is wrong after it is no business of ours.
    const header = Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(8)]);
    if (bytes.length < 12) return undefined;
    const { id = 0, type, rcode } = decode(header) as Packet & { readonly rcode?: string };
    return { id, response: type === 'response', status: rcode ?? 'NOERROR' };
  } catch {
    return undefined;
  }
}
