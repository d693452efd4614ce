import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonStatus } from '../../../src/core/status/facts.ts';
import { askControl } from '../../../src/io/control.ts';
import { ROOT } from '../engine/root.ts';
import type { Host } from './host.ts';
import type { Program } from './program.ts';

/** The path of a file of the host's own, in the scene's folder. */
export function pathOf(host: Host, name: string): string {
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

/** Where the daemon of a host keeps its files, so that two directors in one kernel do not meet there. */
const foldersOf = (host: Host): string[] => [
  ...['--run-dir', pathOf(host, 'run')],
  ...['--state-dir', pathOf(host, 'state')],
];

/** A daemon that stands still does not answer. */
const PATIENCE_SECONDS = '10';
const kept = new Map<string, number>();

/** What the daemon of a host saw and decided is left beside the scenario's other results, where it runs. */
function keepRecording(host: Host): void {
  const results = process.env.LAB_RESULTS;
  const [, runFolder = ''] = foldersOf(host);
  if (results === undefined || !existsSync(join(runFolder, 'control.sock'))) return;
  const count = (kept.get(host.name) ?? 0) + 1;
  kept.set(host.name, count);
  const output = join(results, `${host.name}-${count}.recording`);
  const record = [join(ROOT, 'bin/vipkeeper'), 'record', '--run-dir', runFolder, '-o', output];
  try {
    host.run('timeout', PATIENCE_SECONDS, ...record);
  } catch {
    // One that was killed or frozen has no answer, and that is no failure of the scenario.
  }
}

/** Starts vipkeeperd on a host with this configuration. */
export function vipkeeper(host: Host, configuration: string, ...options: readonly string[]): Program {
  const path = file(host, 'vipkeeper.conf', configuration);
  const daemon = join(ROOT, 'bin/vipkeeperd');
  const program = host.start('vipkeeperd', [
    daemon,
    '-n',
    '-l',
    '-D',
    '-G',
    '-f',
    path,
    ...foldersOf(host),
    ...options,
  ]);
  program.beforeEnd = () => keepRecording(host);
  return program;
}

/** Runs the operator's program against the host's daemon and gives what it prints. */
export function operator(host: Host, command: string, ...options: readonly string[]): string {
  const [, runFolder = ''] = foldersOf(host);
  return host.run(join(ROOT, 'bin/vipkeeper'), command, '--run-dir', runFolder, ...options);
}

/** Waits until the operator's program prints what matches: the daemon hears a moment later what its processes did. */
export async function shows(
  host: Host,
  pattern: RegExp,
  command = 'status',
  ...options: string[]
): Promise<void> {
  let text = '';
  const matches = (): boolean => {
    text = operator(host, command, ...options);
    return pattern.test(text);
  };
  await host.scene.until(`${command} shows ${pattern}`, matches).catch((error: Error) => {
    throw new Error(`${error.message}; at last it printed\n${text}`);
  });
}

/** Asks the host's daemon over its control socket, and starts no program for it. Rejects without an answer. */
export function ask(host: Host, request: { readonly verb: string; readonly on?: boolean }): Promise<unknown> {
  return askControl(join(pathOf(host, 'run'), 'control.sock'), request);
}

/** The status of the host's daemon; undefined when nobody answers. */
export async function statusOf(host: Host): Promise<DaemonStatus | undefined> {
  return (await ask(host, { verb: 'status' }).catch(() => undefined)) as DaemonStatus | undefined;
}

/** The process id of `check` or `vrrp` of the host's daemon; when it has died, that of the last one. */
export const pidOf = (host: Host, role: string): number =>
  Number(readFileSync(join(pathOf(host, 'run'), `${role}.pid`), 'utf8'));

/** The peer of interop tests: Debian's keepalived, or another version that the environment names. */
export const KEEPALIVED = process.env.VIPKEEPER_KEEPALIVED ?? 'keepalived';

/** Starts keepalived on a host with this configuration, as a peer or to compare with, with a detailed log. */
export const keepalived = (host: Host, configuration: string, ...options: readonly string[]): Program =>
  briefKeepalived(host, configuration, '-D', ...options);

/** The same with a short log: with a detailed one a line comes for each BFD packet. */
export function briefKeepalived(host: Host, configuration: string, ...options: readonly string[]): Program {
  const path = file(host, 'keepalived.conf', configuration);
  const pids = ['-p', '-r', '-c', '-b'].flatMap((option) => [
    option,
    pathOf(host, `keepalived${option}.pid`),
  ]);
  return host.start('keepalived', [KEEPALIVED, '-n', '-l', '-f', path, ...pids, ...options]);
}
