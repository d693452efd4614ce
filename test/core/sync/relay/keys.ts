import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RelayKeys } from '../../../../src/core/sync/relay/keys.ts';
import { readRelayKeys } from '../../../../src/io/relaykeys.ts';

/** The keys of a file with these lines. */
export function keysOfLines(...lines: readonly string[]): RelayKeys {
  const folder = mkdtempSync(join(tmpdir(), 'relay-keys-'));
  const file = join(folder, 'key');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const keys = readRelayKeys(file);
  rmSync(folder, { recursive: true });
  return keys;
}

export const OLD = 'the old key, long enough';
export const NEW = 'the new key, long enough';
