import type { RouterSetup } from '../core/status/facts.ts';
import type { KeptFiles } from '../io/kept.ts';
import { ledgerText, readLedger } from '../io/ledger.ts';

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

export const keepLastKnown = (files: KeptFiles, runDir: string, known: LastKnown): void =>
  files.keep(fileIn(runDir), ledgerText([JSON.stringify(known)]), { mode: 0o600 });

export const forgetLastKnown = (files: KeptFiles, runDir: string): void =>
  files.keep(fileIn(runDir), undefined);

/** Undefined when there is none of this boot, or it may not be read. */
export function readLastKnown(runDir: string): LastKnown | undefined {
  try {
    const [text] = readLedger(fileIn(runDir));
    return text === undefined ? undefined : (JSON.parse(text) as LastKnown);
  } catch {
    return undefined;
  }
}
