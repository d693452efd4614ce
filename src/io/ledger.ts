import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeDump } from './dump.ts';

/** It is another one after each boot, when the kernel's tables are empty. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * The names that a process of this boot wrote into `file` last; empty when there are none. What a boot before wrote
 * is of no use: the names may be somebody else's by now.
 */
export function readLedger(file: string): string[] {
  try {
    const [boot, ...names] = readFileSync(file, 'utf8').split('\n');
    return boot === bootId() ? names.filter((name) => name !== '') : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What a ledger of these names holds; `undefined`: there is none when there are no names. */
export const ledgerText = (names: readonly string[]): string | undefined =>
  names.length === 0 ? undefined : `${[bootId(), ...names].join('\n')}\n`;

/** Writes the names whole, by rename; removes the file when there are none. Throws what the system refuses. */
export function writeLedger(file: string, names: readonly string[]): void {
  const text = ledgerText(names);
  if (text === undefined) {
    rmSync(file, { force: true });
    return;
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeDump(file, text);
}

let known: string | undefined;
/** Read once: it cannot change, and later there may be no descriptor to read it with. */
function bootId(): string {
  known ??= readFileSync(BOOT_ID, 'utf8').trim();
  return known;
}
