import { ENCLOSED, spawnEnclosed } from './enclosure.ts';

/**
 * Moves the program into an enclosure: started outside, it runs itself again inside one, with the same terminal and
 * arguments, and ends with its exit status; inside, this does nothing. Whatever it makes (namespaces, interfaces,
 * processes, files in /run) is gone when it ends, whichever way. Throws when it is not root.
 */
export async function enclose(): Promise<void> {
  if (process.env[ENCLOSED] !== undefined) return;
  if (process.getuid?.() !== 0) {
    throw new Error('network namespaces need root: run it with sudo');
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawnEnclosed(command, { stdio: ['ignore', 'inherit', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Inside, the program is not the terminal's: it would go on without its reader.
    process.on(signal, () => child.kill('SIGKILL'));
  }
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  process.exit(status);
}
