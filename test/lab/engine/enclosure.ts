import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './root.ts';

/** Set in the environment of what runs in an enclosure. */
export const ENCLOSED = 'VIPKEEPER_ENCLOSED';

export interface EnclosedOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio?: StdioOptions;
}

/**
 * Starts a command in an enclosure: network, mount and process namespaces of its own on the running kernel,
 * with an empty /run. What happens inside (namespaces, interfaces, mounts, temporary files, processes) is
 * gone when the command ends, when the returned process is killed, and when this process dies, however it
 * dies: `--kill-child` and the parent-death signal leave the cleaning up to the kernel.
 */
export function spawnEnclosed(command: readonly string[], options: EnclosedOptions = {}): ChildProcess {
  const unshare = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const first = ['--propagation', 'private', 'sh', join(ROOT, 'test/lab/engine/enclosure.sh')];
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...unshare, ...first, ...command], {
    cwd: ROOT,
    env: { ...process.env, [ENCLOSED]: '1', ...options.env },
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
    // A process group of its own: the terminal's Ctrl-C reaches the runner, which decides what ends.
    detached: true,
  });
}
