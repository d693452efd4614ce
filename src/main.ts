import { spawnedRole } from './io/children.ts';
import { startLightly } from './io/compiler.ts';

/** Every program and process of the project starts here and loads only what its role needs. */
export async function main(program: string, argv: readonly string[]): Promise<void> {
  startLightly();
  if (program === 'vipkeeper') return (await import('./app/operator/cli.ts')).runCli(argv);
  return (await import('./app/daemon.ts')).runDaemon(argv);
}

/** A child of the supervisor: this module is then the program itself. */
async function child(role: string): Promise<void> {
  if (role === 'vrrp') return (await import('./app/vrrp/process.ts')).runVrrp();
  startLightly();
  if (role === 'check') return (await import('./app/check/process.ts')).runCheckProcess();
  if (role === 'sync') return (await import('./app/sync.ts')).runSync();
  throw new Error(`no such role: ${role}`);
}

const role = spawnedRole(process.argv.slice(2));
if (role !== undefined) await child(role);
