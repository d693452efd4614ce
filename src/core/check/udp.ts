import { bad, good, octets } from './dialogue.ts';
import type { UdpCheck } from './settings.ts';
import type { CheckResult } from './verdict.ts';

const DEFAULT_PAYLOAD = octets('vipkeeper\n');

const fromHex = (digits: string): Uint8Array =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** The datagram to send. */
export const udpPayload = ({ payload }: UdpCheck): Uint8Array =>
  payload === undefined ? DEFAULT_PAYLOAD : fromHex(payload);

/**
 * What a reply means (keepalived: check/check_udp.c): it must begin as the pattern says, as far as either goes, and
 * its length counts only where there is a pattern.
 */
export function judgeReply({ reply }: UdpCheck, bytes: Uint8Array): CheckResult {
  const pattern = reply?.pattern;
  if (pattern === undefined || reply === undefined) return good('answered');
  const { least, most } = reply;
  if (bytes.length < least) return bad(`a reply of ${bytes.length} bytes, shorter than ${least}`);
  if (bytes.length > most) return bad(`a reply of more than ${most} bytes`);
  const digits = Array.from(bytes.subarray(0, pattern.length / 2), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  const differs = Array.from(digits).findIndex((digit, i) => pattern[i] !== 'x' && pattern[i] !== digit);
  if (differs < 0) return good('answered as expected');
  return bad(
    `the reply begins with ${digits.slice(0, 32)}, which is not as expected from byte ${differs >> 1} on`,
  );
}

/** What it means that nothing came in time: no ICMP error is good, unless there must be a reply. */
export const judgeSilence = ({ reply, timeout }: UdpCheck): CheckResult =>
  reply === undefined ? good('no ICMP error') : bad(`no reply within ${timeout / 1e6} s`);
