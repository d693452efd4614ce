import { readFileSync } from 'node:fs';
import { fromHex } from '../../../src/core/bytes.ts';
import { FrameSender } from '../../../src/io/packet.ts';

/** send-frames INTERFACE HEX ...: puts these Ethernet frames on the wire, as they are. */
const [device = '', ...frames] = process.argv.slice(2);
const ifindex = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const sent = new FrameSender().send(ifindex, frames.map(fromHex));
if (sent !== frames.length) throw new Error(`${device} took ${sent} of ${frames.length} frames`);
process.exit();
