import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../engine/root.ts';
import type { Host } from './host.ts';
import type { Program } from './program.ts';

/** The path of a file of the host's own, in the scene's folder. */
function pathOf(host: Host, name: string): string {
  const folder = join(host.scene.folder, host.name);
  mkdirSync(folder, { recursive: true });
  return join(folder, name);
}

/** Writes a host's file into the scene's folder and gives its path. */
export function file(host: Host, name: string, text: string): string {
  const path = pathOf(host, name);
  writeFileSync(path, text);
  return path;
}

/** Starts vipkeeperd on a host with this configuration; its files in /run and /var/lib are the host's own. */
export function vipkeeper(host: Host, configuration: string, ...options: readonly string[]): Program {
  const path = file(host, 'vipkeeper.conf', configuration);
  const program = join(ROOT, 'bin/vipkeeperd');
  return host.start('vipkeeperd', [program, '-n', '-l', '-D', '-f', path, ...options]);
}

/** Starts Debian's keepalived on a host with this configuration, as a peer or to compare with. */
export function keepalived(host: Host, configuration: string, ...options: readonly string[]): Program {
  const path = file(host, 'keepalived.conf', configuration);
  const pids = ['-p', '-r', '-c', '-b'].flatMap((option) => [
    option,
    pathOf(host, `keepalived${option}.pid`),
  ]);
  return host.start('keepalived', ['keepalived', '-n', '-l', '-D', '-f', path, ...pids, ...options]);
}
