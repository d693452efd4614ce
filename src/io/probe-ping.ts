import { randomBytes, randomInt } from 'node:crypto';
import { good } from '../core/check/dialogue.ts';
import { judgeTimeout } from '../core/check/failure.ts';
import { type Echo, echoRequest, isReply } from '../core/check/ping.ts';
import type { PingCheck } from '../core/check/settings.ts';
import { familyOf } from '../core/ip.ts';
import type { Done, Probe } from './probe.ts';
import { ask } from './probe-datagram.ts';
import { SOCK } from './socket.ts';

/** IPPROTO_ICMP and IPPROTO_ICMPV6. */
const PROTOCOL = { 4: 1, 6: 58 } as const;
const ROOM = 512;

/**
 * An echo over a ping socket, whose answers the kernel sorts, where the host allows them to us
 * (net.ipv4.ping_group_range); else over a raw socket, which sees every answer.
 */
export function probePing(check: PingCheck, done: Done): Probe {
  const family = familyOf(check.address);
  const echo: Echo = { family, id: randomInt(65_536), sequence: randomInt(65_536), token: randomBytes(8) };
  const protocol = PROTOCOL[family];
  return ask(check, done, {
    bytes: echoRequest(echo),
    room: ROOM,
    judge: (packet) => (answers(echo, packet) ? good('answered') : undefined),
    silence: () => judgeTimeout(check.timeout),
    sockets: [
      [SOCK.DGRAM, protocol],
      [SOCK.RAW, protocol],
    ],
  });
}

/** From either kind of socket: the token is ours alone. */
const answers = (echo: Echo, packet: Uint8Array): boolean =>
  isReply(echo, packet, false) || isReply(echo, packet, true);
