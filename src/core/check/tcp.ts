import { endpointName } from '../ip.ts';
import type { Duration } from '../time.ts';
import { toMillis, toSeconds } from '../time.ts';
import type { TcpCheck } from './settings.ts';
import type { CheckResult } from './verdict.ts';

/** What became of the attempt to connect. */
export type ConnectOutcome =
  | { readonly type: 'connected'; readonly latency: Duration }
  /** Nothing came back within `connect_timeout`. */
  | { readonly type: 'timeout' }
  /** The name of the errno: `ECONNREFUSED`. */
  | { readonly type: 'failed'; readonly code: string };

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'network is down',
  EHOSTDOWN: 'host is down',
  ETIMEDOUT: 'connection timed out',
  EACCES: 'prohibited by a local route or firewall',
  EPERM: 'prohibited by a local firewall',
};

/** What the director itself lacks for the check; the server is not to blame for it. */
const SHORTAGES: Readonly<Record<string, string>> = {
  EMFILE: 'this process has too many open files; raise LimitNOFILE',
  ENFILE: 'this system has too many open files; raise fs.file-max',
  ENOMEM: 'no memory for a socket',
  ENOBUFS: 'no memory for a socket',
  EADDRNOTAVAIL: 'the source address (bindto) is not on this director, or its ports are used up',
  EADDRINUSE: 'the source port (bind_port) is in use',
};

/** The verdict of a `TCP_CHECK`: a connection is made, or it is not. */
export function judgeConnect(check: TcpCheck, outcome: ConnectOutcome): CheckResult {
  switch (outcome.type) {
    case 'connected':
      return { verdict: 'good', reason: `connected in ${toMillis(outcome.latency).toFixed(1)} ms` };
    case 'timeout':
      return { verdict: 'bad', reason: `no answer within ${toSeconds(check.timeout)} s` };
    case 'failed': {
      const shortage = SHORTAGES[outcome.code];
      if (shortage !== undefined) return { verdict: 'unknown', reason: `${shortage} (${outcome.code})` };
      return { verdict: 'bad', reason: FAILURES[outcome.code] ?? `cannot connect (${outcome.code})` };
    }
  }
}

/** `tcp check of 10.0.0.2:80`. */
export const describeTcp = (check: TcpCheck): string =>
  `tcp check of ${endpointName(check.address, check.port)}`;
