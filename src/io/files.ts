import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { globSync } from 'tinyglobby';
import type { FileText, Reader } from '../core/config/include.ts';
import { passes } from './errno.ts';

/** A configuration is never larger: a device or a disk image given by mistake must not fill the memory. */
const SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * Reads configuration files, synchronously: the supervisor loads them before it does anything else. Both throw what may
 * pass by itself (too few descriptors, say): a configuration must not go on without a file that is there.
 */
export const fileReader: Reader = { glob: matching, read: readText };

/** The regular files that a pattern matches, sorted; hidden ones only when the pattern names the dot. */
function matching(pattern: string): readonly string[] {
  const absolute = pattern.startsWith('/');
  // The library takes a folder that it can't read for an empty one.
  let trouble: Error | undefined;
  const readFolder = ((path: string, options: object) => {
    try {
      return readdirSync(path, options);
    } catch (error) {
      if (passes(error)) trouble = error;
      throw error;
    }
  }) as typeof readdirSync;
  const fs = { readdirSync: readFolder };
  const found = globSync(pattern, { absolute, dot: false, expandDirectories: false, onlyFiles: true, fs });
  if (trouble !== undefined) throw trouble;
  // The library lets `[!a]*` match a leading dot; a shell does not.
  const hidden = isHidden(pattern);
  return found.filter((path) => hidden || !isHidden(path)).sort();
}

const isHidden = (path: string): boolean => basename(path).startsWith('.');

function readText(path: string): FileText {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { kind: 'unreadable', problem: 'is not a regular file' };
    if (found.size > SIZE_LIMIT) return { kind: 'unreadable', problem: 'is larger than 64 MB' };
    return { kind: 'text', text: readFileSync(path, 'utf8'), executable: (found.mode & 0o111) !== 0 };
  } catch (error) {
    if (passes(error)) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', problem: 'does not exist' };
    return { kind: 'unreadable', problem: code === 'EACCES' ? 'may not be read' : `gives ${code}` };
  }
}
