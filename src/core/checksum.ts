/**
 * The Internet checksum (RFC 1071): the one's-complement sum of 16-bit big-endian words. An odd last byte is
 * padded with zero. Parts are summed as if joined; every part but the last must have an even length.
 *
 * Returns the value to store (already complemented), 0..0xffff. Over data that contains its own correct
 * checksum the result is 0.
 */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    const even = part.length & ~1;
    for (let i = 0; i < even; i += 2) sum += ((part[i] as number) << 8) | (part[i + 1] as number);
    if (even !== part.length) sum += (part[even] as number) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
