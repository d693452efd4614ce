import { readFileSync } from 'node:fs';
import { ip } from '../../../src/core/ip.ts';
import { AF, sockaddrIp } from '../../../src/io/sockaddr.ts';
import { SOCK, Socket } from '../../../src/io/socket.ts';

/** flood ADDRESS PORT RATE FILE ...: sends these datagrams in turn, RATE a second; says each second how many. */
const [address = '', port = '', rate = '', ...files] = process.argv.slice(2);
const TURN_MS = 10;
const to = sockaddrIp(ip(address), Number(port));
const socket = new Socket(AF.INET, SOCK.DGRAM, 0, 'flood');
const datagrams = files.map((file) => new Uint8Array(readFileSync(file)));
const begun = performance.now();
let sent = 0;
setInterval(() => {
  const due = Math.floor(((performance.now() - begun) * Number(rate)) / 1000) - sent;
  // One that stood still does not catch up at once.
  const batch = Array.from(
    { length: Math.min(due, Number(rate) / 20) },
    (_, i) => datagrams[(sent + i) % datagrams.length] ?? new Uint8Array(),
  );
  sent += batch.length;
  for (let at = 0; at < batch.length; at += 500) socket.sendBatch(batch.slice(at, at + 500), to);
}, TURN_MS);
setInterval(() => console.log(`sent ${sent} in ${Math.round(performance.now() - begun)} ms`), 1000);
