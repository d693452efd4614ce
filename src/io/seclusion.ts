import { readdirSync } from 'node:fs';
import { check } from './errno.ts';
import { rawio } from './rawio.ts';

const FIRST_AFTER_STANDARD = 3;

/**
 * Keeps a process of the daemon to itself: descriptors that it was started with and signals that it was told to ignore
 * are for nobody that it starts, and its memory, which has keys, is in no core dump and no debugger of the same user.
 * Belongs at the start.
 */
export function seclude(): void {
  keepDescriptors();
  rawio.defaultSignals();
  check(rawio.hideMemory(), 'prctl', 'PR_SET_DUMPABLE');
}

/** What is opened later has the flag from the beginning. */
function keepDescriptors(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    // The folder that is being read is closed by now.
    if (Number(name) >= FIRST_AFTER_STANDARD) rawio.closeOnExec(Number(name));
  }
}
