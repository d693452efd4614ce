import { readFileSync } from 'node:fs';
import { ip } from '../../../src/core/ip.ts';
import { now } from '../../../src/io/clock.ts';
import { FrameSender } from '../../../src/io/packet.ts';
import { sched } from '../../../src/io/placement.ts';
import { AF } from '../../../src/io/sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from '../../../src/io/socket.ts';
import { type Answer, answerOf, questions } from './questions.ts';

/**
 * `asker DEVICE MAC,MAC... OWN>TARGET ...`, started in a host: asks who has each target, again and again, and notes
 * each answer and each advert in the order in which they came. It tells them to its parent when it is asked to.
 */
const [device = '', macs = '', ...pairs] = process.argv.slice(2);

const ETH_P_ALL = 3;
const RECEIVE_BUFFER = 16 << 20;
const PAUSE_MILLISECONDS = 4;
const KEPT = 200_000;
/** Above any daemon's: else the time of an answer would be the asker's own delay. */
const REAL_TIME_PRIORITY = 90;

export type Heard = Answer & { readonly at: number };

const file = (name: string): string => readFileSync(`/sys/class/net/${device}/${name}`, 'utf8').trim();
const [ifindex, mac] = [Number(file('ifindex')), file('address')];
const frames = pairs.flatMap((pair) => {
  const [own = '', target = ''] = pair.split('>');
  return questions({ mac, own: ip(own), target: ip(target) }, macs.split(','));
});

let heard: Heard[] = [];
let lost = false;

const socket = new Socket(AF.PACKET, SOCK.RAW, ETH_P_ALL << 8, 'answers');
socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, RECEIVE_BUFFER);
socket.reserve({ data: 256 });
socket.listen({
  datagram: ({ data }) => {
    const answer = answerOf(data);
    if (answer === undefined || answer.mac === mac) return;
    if (heard.length < KEPT) heard.push({ ...answer, at: now() / 1e3 });
    else lost = true;
  },
  error: () => {
    lost = true;
  },
});

try {
  sched('RR', REAL_TIME_PRIORITY);
} catch {
  // Where real time is not permitted, times are coarser on a busy machine; the order is the same.
}
const sender = new FrameSender();
setInterval(() => sender.send(ifindex, frames), PAUSE_MILLISECONDS);
process.on('message', (ask: 'heard' | 'clear') => {
  if (ask === 'clear') heard = [];
  process.send?.({ heard, lost, now: now() / 1e3 });
});
process.on('disconnect', () => process.exit());
process.send?.({ heard: [], lost: false, now: now() / 1e3 });
