import { constants } from 'node:os';
import { ALSO_STOP, SIGNALS, type SignalName, UNHEARD_BY_DAEMON } from '../core/supervision/signals.ts';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

const NODES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** Whom a signal is for: what came before anybody wanted it waits, and counts once. */
interface Ear {
  handler?: () => void;
  came: boolean;
}
const ears = new Map<SignalName, Ear>();
/** The listeners of this file. */
const ours = new Set<unknown>();

/**
 * From now on no signal that the daemon knows ends this process: what comes waits for `onSignal`. To be called before
 * anything that takes time. Nobody else in the process takes these signals: libraries that clean up when it ends would
 * send them again, to have their default happen. Throws SystemError.
 */
export function takeSignals(): void {
  for (const name of Object.keys(SIGNALS) as SignalName[]) earOf(name);
  dropSignals(UNHEARD_BY_DAEMON);
}

/** The signals of these numbers end nothing in this process any more, and mean nothing. Throws SystemError. */
export function dropSignals(numbers: readonly number[]): void {
  for (const number of numbers) check(rawio.unheard(number), 'sigaction', `the signal ${number}`);
}

/** Calls `handler`, and no earlier one, when the signal comes; soon, if it has come already. Throws SystemError. */
export function onSignal(name: SignalName, handler: () => void): void {
  const ear = earOf(name);
  ear.handler = handler;
  if (ear.came) setImmediate(() => ear.came && hear(ear));
}

/** Lets a signal of STOP do what it does to a program that knows no signals: it ends the process. */
export function endBySignal(signal: NodeJS.Signals): never {
  ours.clear();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Before it arrives, nothing else is to happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  process.exit(1);
}

function earOf(name: SignalName): Ear {
  const known = ears.get(name);
  if (known !== undefined) return known;
  const ear: Ear = { came: false };
  ears.set(name, ear);
  for (const number of [SIGNALS[name], ...(name === 'STOP' ? ALSO_STOP : [])]) listen(number, ear);
  return ear;
}

function listen(number: number, ear: Ear): void {
  const came = (): void => hear(ear);
  const signal = NODES.get(number);
  if (signal === undefined) {
    check(new rawio.Signal().listen(number, came), 'sigaction', `the signal ${number}`);
    return;
  }
  if (ours.size === 0) process.on('newListener', refuse);
  ours.add(came);
  // To take the last listener away would lose what has come and was not told yet: ours stays for ever.
  process.on(signal, came);
}

function hear(ear: Ear): void {
  ear.came = ear.handler === undefined;
  ear.handler?.();
}

const TAKEN = new Set(
  [...Object.values(SIGNALS), ...ALSO_STOP].flatMap((number) => NODES.get(number) ?? []),
) as ReadonlySet<unknown>;

/** Takes a listener of somebody else away again before any signal is told. */
function refuse(event: string | symbol, listener: (...words: unknown[]) => void): void {
  if (TAKEN.has(event) && !ours.has(listener)) queueMicrotask(() => process.off(event, listener));
}
