import { toHex } from '../../../src/core/bytes.ts';
import { compiled } from '../engine/root.ts';
import type { Host } from './host.ts';

const MAC_BYTES = 6;

/** Puts Ethernet frames on the wire of a host, as they are: forged, broken, or heard before. */
export function sendFrames(host: Host, device: string, frames: readonly Uint8Array[]): void {
  host.run(process.execPath, compiled('test/lab/programs/send-frames.ts'), device, ...frames.map(toHex));
}

/** The frame with another sender's hardware address: a switch would take its host to have moved. */
export function fromElsewhere(frame: Uint8Array): Uint8Array {
  const copy = frame.slice();
  copy.set([0x02, 0, 0, 0, 0, 0x99], MAC_BYTES);
  return copy;
}
