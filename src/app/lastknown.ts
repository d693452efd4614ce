import type { RouterSetup } from '../core/status/facts.ts';
import { readLedger, writeLedger } from '../io/ledger.ts';

/**
 * What the supervisor leaves in the run directory, for the operator who finds it dead while its processes go on:
 * which virtual routers those were told of.
 */
export interface LastKnown {
  readonly version: string;
  readonly configuration: string;
  readonly routers: readonly RouterSetup[];
}

const fileIn = (runDir: string): string => `${runDir}/routers`;

/** `warn` hears when it can't be written. */
export function keepLastKnown(runDir: string, known: LastKnown, warn: (why: string) => void): void {
  try {
    writeLedger(fileIn(runDir), [JSON.stringify(known)]);
  } catch (error) {
    warn(`cannot write down the virtual routers: ${(error as Error).message}`);
  }
}

export const forgetLastKnown = (runDir: string): void => writeLedger(fileIn(runDir), []);

/** Undefined when there is none of this boot, or it may not be read. */
export function readLastKnown(runDir: string): LastKnown | undefined {
  try {
    const [text] = readLedger(fileIn(runDir));
    return text === undefined ? undefined : (JSON.parse(text) as LastKnown);
  } catch {
    return undefined;
  }
}
