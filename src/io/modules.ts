import { existsSync } from 'node:fs';

const MODPROBE = '/sbin/modprobe';

/** Asks modprobe(8) for a kernel module and waits; it says itself, on our stderr, why it failed. */
export async function loadModule(name: string): Promise<boolean> {
  if (!existsSync(MODPROBE)) return false;
  const { spawnSync } = await import('node:child_process');
  return spawnSync(MODPROBE, ['--', name], { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}
