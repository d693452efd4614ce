import { constants } from 'node:os';
import { SIGNALS, type SignalName } from '../core/supervision/signals.ts';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

/** SIGINT stops, too: Ctrl-C in a terminal. */
const ALSO: Partial<Record<SignalName, readonly NodeJS.Signals[]>> = { STOP: ['SIGINT'] };
const NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);

/**
 * Calls `handler` at each arrival of the signal, and nobody else: libraries that clean up when the process ends listen
 * too, and send the signal again to have its default happen, so that a reload came twice. Throws SystemError.
 */
export function onSignal(name: SignalName, handler: () => void): void {
  const known = NAMES.get(SIGNALS[name]);
  if (known === undefined) {
    const signal = new rawio.Signal();
    check(signal.listen(SIGNALS[name], handler), 'sigaction', `the signal ${name}`);
    return;
  }
  for (const signal of [known, ...(ALSO[name] ?? [])]) {
    process.removeAllListeners(signal);
    process.on(signal, handler);
  }
}
