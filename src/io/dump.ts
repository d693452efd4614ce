import { renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a file that only this user may read, whole or not at all. It takes the place of what was there: a link that
 * somebody laid in a folder for everybody is not followed. Throws what the file system says.
 */
export function writeDump(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}
