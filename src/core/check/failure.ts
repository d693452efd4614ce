import { type Duration, toSeconds } from '../time.ts';
import type { CheckResult } from './verdict.ts';

const FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ECONNABORTED: 'connection aborted',
  EPIPE: 'connection closed by the server',
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
  ENOSR: 'too many checks at once',
  EAGAIN: 'too many processes',
  EADDRNOTAVAIL: 'the source address (bindto) is not on this director, or its ports are used up',
  EADDRINUSE: 'the source port (bind_port) is in use',
  ENODEV: 'there is no interface of that name (bind_if)',
};

/** What a failed system call says of the server; `code` is the name of its errno. */
export function judgeFailure(code: string): CheckResult {
  const shortage = SHORTAGES[code];
  if (shortage !== undefined) return { verdict: 'unknown', reason: `${shortage} (${code})` };
  return { verdict: 'bad', reason: FAILURES[code] ?? `cannot connect (${code})` };
}

/** Nothing came, or not all: `what` completes "within N s". */
export const judgeTimeout = (timeout: Duration, what = 'no answer'): CheckResult => ({
  verdict: 'bad',
  reason: `${what} within ${toSeconds(timeout)} s`,
});
