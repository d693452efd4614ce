import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Privileges } from '../core/privileges.ts';
import { isLimited } from './afresh.ts';

const EVERYBODY_READS = 0o005;
const TRIAL_MS = 5000;
/** Commands that have worked once. */
const tried = new Set<string>();

/** A command line to go before a program's own, or why there is none. */
export type Restriction =
  | { readonly ok: true; readonly command: readonly string[] }
  | { readonly ok: false; readonly why: string };

/**
 * How a program at `path` is started with no more than these privileges: by setpriv(1) of util-linux. A process of Node
 * could not give them up for all of its threads itself; what is gone when it is executed, all are without. Throws when
 * it can't be known at this time.
 */
export function restricted({ capabilities, gains }: Privileges, path: string): Restriction {
  if (process.getuid?.() !== 0) return { ok: false, why: 'the daemon is not root' };
  const kept = [...capabilities, ...(isReadable(path) ? [] : ['dac_read_search'])];
  const command = [
    'setpriv',
    ...(isLimited() ? ['--securebits=-noroot'] : []),
    `--bounding-set=${['-all', ...kept.map((name) => `+${name}`)].join(',')}`,
    '--inh-caps=-all',
    ...(gains ? [] : ['--no-new-privs']),
  ];
  // Busybox has a lesser one, and without CAP_SETPCAP nobody gives up what children could have.
  if (tried.has(command.join(' '))) return { ok: true, command };
  const [program = '', ...options] = command;
  const { status, error, stderr } = spawnSync(program, [...options, 'true'], {
    encoding: 'utf8',
    timeout: TRIAL_MS,
  });
  if (status === 0) {
    tried.add(command.join(' '));
    return { ok: true, command };
  }
  // What may work the next time is no reason to start a program with more than it needs.
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return { ok: false, why: error?.message ?? stderr.trim() };
}

/** Whether root reads the file without a capability: it lies in folders of root's, or open to all. */
function isReadable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { uid, mode } = statSync(at);
    if (uid !== 0 && (mode & EVERYBODY_READS) !== EVERYBODY_READS) return false;
    if (at === dirname(at)) return true;
  }
}
