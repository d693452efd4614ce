import { connect } from 'node:net';
import { judgeFailure, judgeTimeout } from '../core/check/failure.ts';
import type { ProbedCheck, TcpCheck } from '../core/check/settings.ts';
import type { CheckResult } from '../core/check/verdict.ts';
import { millis, since, toMillis } from '../core/time.ts';
import { now } from './clock.ts';

/** A probe under way. */
export interface Probe {
  /** Ends it without an outcome. */
  abort(): void;
}

/** How long a server that was connected to may take to close its side; then the socket is dropped. */
const LINGER = millis(1000);

/** Starts the probe of a check. `done` is called once, later, unless it is aborted. */
export function startProbe(check: ProbedCheck, _part: number, done: (result: CheckResult) => void): Probe {
  return probeTcp(check as TcpCheck, done);
}

/**
 * Connects and closes again. The close is an orderly one, also when the server greets first: what it sends is
 * read away, since closing with unread data makes the kernel send a reset, which servers log as an error. With
 * a fixed source port it is a reset on purpose: the port would otherwise be unusable for a minute (TIME_WAIT).
 */
function probeTcp(check: TcpCheck, done: (result: CheckResult) => void): Probe {
  const begun = now();
  let over = false;
  const socket = connect({
    host: check.address,
    port: check.port,
    ...(check.source === undefined ? {} : { localAddress: check.source }),
    ...(check.sourcePort === undefined ? {} : { localPort: check.sourcePort }),
  });
  const finish = (result: CheckResult | undefined): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    if (result?.verdict !== 'good') socket.destroy();
    else if (check.sourcePort !== undefined) socket.resetAndDestroy();
    else {
      socket.end();
      socket.resume();
      socket.setTimeout(toMillis(LINGER), () => socket.destroy());
    }
    if (result !== undefined) done(result);
  };
  const timer = setTimeout(() => finish(judgeTimeout(check.timeout)), toMillis(check.timeout));
  socket.on('connect', () => finish({ verdict: 'good', reason: 'connected', latency: since(now(), begun) }));
  // Also after the connection was made: what happens to it then is of no interest, but must have a listener.
  socket.on('error', (error: NodeJS.ErrnoException) => finish(judgeFailure(error.code ?? error.message)));
  return { abort: () => finish(undefined) };
}
