import { randomInt } from 'node:crypto';
import { judgeDns } from '../core/check/dns.ts';
import { judgeFailure, judgeTimeout } from '../core/check/failure.ts';
import type { Connection, DnsCheck, UdpCheck } from '../core/check/settings.ts';
import { judgeReply, judgeSilence, udpPayload } from '../core/check/udp.ts';
import type { CheckResult } from '../core/check/verdict.ts';
import { familyOf } from '../core/ip.ts';
import { encodeQuery, readReply } from './dns.ts';
import { SystemError } from './errno.ts';
import { Patience } from './patience.ts';
import { connectDatagram, type Done, measured, type Probe } from './probe.ts';
import { AF } from './sockaddr.ts';
import { SOCK, Socket } from './socket.ts';

/** A datagram that is longer is cut. */
const ROOM = 4096;

/** What to send, and what what comes back means; `undefined`: it was not for us, wait on. */
export interface Question {
  readonly bytes: Uint8Array;
  readonly room: number;
  judge(reply: Uint8Array): CheckResult | undefined;
  silence(): CheckResult;
  /** The type and protocol of the socket, one after the other until one is allowed. */
  readonly sockets: readonly (readonly [type: number, protocol: number])[];
}

/** `UDP_CHECK` and `DNS_CHECK`. */
export function probeUdp(check: UdpCheck, done: Done): Probe {
  const { reply } = check;
  return ask(check, done, {
    bytes: udpPayload(check),
    // One byte more shows that there was more.
    room: Math.min(65_536, (reply?.most ?? ROOM) + 1),
    judge: (bytes) => judgeReply(check, bytes),
    silence: () => judgeSilence(check),
    sockets: [[SOCK.DGRAM, 0]],
  });
}

export function probeDns(check: DnsCheck, done: Done): Probe {
  const id = randomInt(65_536);
  return ask(check, done, {
    bytes: encodeQuery(check, id),
    room: ROOM,
    judge(bytes) {
      const reply = readReply(bytes);
      return reply && judgeDns(reply, id);
    },
    silence: () => judgeTimeout(check.timeout),
    sockets: [[SOCK.DGRAM, 0]],
  });
}

/** Sends a question over a socket of its own, which an ICMP error about it comes back to. */
export function ask(connection: Connection, done: Done, question: Question): Probe {
  let socket: Socket | undefined;
  let over = false;
  const finish = (result: CheckResult | undefined): void => {
    if (over) return;
    over = true;
    patience.end();
    socket?.close();
    if (result === undefined) return;
    done(measured(result, patience));
  };
  const patience = new Patience(connection.timeout, () => {
    const result = question.silence();
    over = true;
    socket?.close();
    const { stood } = patience;
    done(stood > 0 ? { ...result, stood } : result);
  });
  try {
    socket = open(connection, question);
    socket.reserve({ data: question.room, slots: 1 });
    socket.listen({
      datagram: ({ data }) => {
        const result = question.judge(data);
        if (result !== undefined) finish(result);
      },
      error: ({ code }) => finish(judgeFailure(code)),
    });
    socket.send(question.bytes);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    // `done` is never called before this returns.
    setImmediate(() => finish(judgeFailure(error.code)));
  }
  return { abort: () => finish(undefined) };
}

/** Throws SystemError, of the last socket that was tried. */
function open(connection: Connection, { sockets }: Question): Socket {
  const domain = familyOf(connection.address) === 4 ? AF.INET : AF.INET6;
  for (const [i, [type, protocol]] of sockets.entries()) {
    let socket: Socket | undefined;
    try {
      socket = new Socket(domain, type, protocol, `probe of ${connection.address}`);
      connectDatagram(socket, connection);
      return socket;
    } catch (error) {
      socket?.close();
      if (i === sockets.length - 1 || !(error instanceof SystemError) || !/^E(ACCES|PERM)$/.test(error.code))
        throw error;
    }
  }
  throw new Error('a probe without a socket');
}
