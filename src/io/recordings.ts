import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';

/** What is unpacked is no longer than this: a small file could say anything. */
const MAX_BYTES = 1 << 29;

/** Writes the lines to a new file, packed, for its owner only. Rejects with what the system refuses. */
export async function writeRecording(file: string, lines: readonly string[]): Promise<void> {
  const packed = await promisify(gzip)(`${lines.join('\n')}\n`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, packed, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The lines of such a file. Throws what the system refuses, and Error for a file that is none. */
export function readRecordingFile(file: string): string[] {
  const packed = readFileSync(file);
  let text: Buffer;
  try {
    text = gunzipSync(packed, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw new Error(`${file} is no recording of vipkeeper: ${(error as Error).message}`);
  }
  return text.toString('utf8').split('\n');
}

/** Removes all files of the folder but the last so many by name. */
export function keepLast(folder: string, most: number): void {
  const names = readdirSync(folder).sort();
  for (const name of names.slice(0, Math.max(0, names.length - most)))
    rmSync(join(folder, name), { force: true });
}
