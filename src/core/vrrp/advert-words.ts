import { counted } from '../counted.ts';

/**
 * What an advert says, for the log of details: `version 3, VRID 51, priority 100, 1 address`. It is read without being
 * judged: it may be forged, cut, or no advert at all.
 */
export function advertInWords(payload: Uint8Array): string {
  const [first, vrid, priority, count] = payload;
  if (first === undefined || vrid === undefined || priority === undefined || count === undefined)
    return counted(payload.length, 'byte');
  return `version ${first >> 4}, VRID ${vrid}, priority ${priority}, ${counted(count, 'address', 'addresses')}`;
}
