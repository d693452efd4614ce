import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../core/config/model.ts';
import { print } from '../core/config/print.ts';
import { writeDump } from '../io/dump.ts';
import type { Level } from './messages.ts';

/** How many are kept: a file that is reloaded each minute must not fill a disk. */
const MOST = 100;
const PREFIX = 'vipkeeper.conf.';
/** They hold passwords. */
const FOLDER_MODE = 0o700;

/**
 * `config_save_dir`: a copy of a configuration that runs now, whole and with nothing left to include, in a file with
 * the time in its name. One that is as the latest is not written again.
 */
export function saveConfiguration(
  configuration: Configuration,
  now: Date,
  log: (level: Level, message: string) => void,
): void {
  const folder = configuration.global.saveFolder;
  if (folder === undefined) return;
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    const text = print(configuration);
    const saved = copiesIn(folder);
    const latest = saved.at(-1);
    if (latest !== undefined && readFileSync(join(folder, latest), 'utf8') === text) return;
    const name = PREFIX + now.toISOString().replaceAll(/[-:]/g, '');
    writeDump(join(folder, name), text);
    for (const old of saved.slice(0, -(MOST - 1))) rmSync(join(folder, old), { force: true });
  } catch (error) {
    log('warning', `config_save_dir: no copy of the configuration: ${(error as Error).message}`);
  }
}

/** The oldest first. */
const copiesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(PREFIX))
    .sort();
