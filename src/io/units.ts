import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const LIMIT_MS = 60_000;

/** What systemd says of a unit. */
export interface UnitState {
  /** `active`, `inactive`, `failed` ...; `undefined` where there is no such unit. */
  readonly active: string | undefined;
  /** `enabled`, `disabled`, `static` ...; empty where there is no such unit. */
  readonly enabled: string;
}

/** Asks systemd for a unit. Throws what keeps systemctl from being run. */
export function stateOf(unit: string): UnitState {
  const text = systemctl(['show', '-p', 'LoadState,ActiveState,UnitFileState', unit]);
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
  const isThere = value('LoadState') === 'loaded';
  return { active: isThere ? value('ActiveState') : undefined, enabled: value('UnitFileState') };
}

/** Has systemctl do it, and gives what it printed. Throws with its words when it does not. */
export function systemctl(words: readonly string[]): string {
  const { status, error, stdout, stderr } = spawnSync('systemctl', words, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  if (error !== undefined) throw new Error(`systemctl cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`systemctl ${words.join(' ')}: ${stderr.trim() || `status ${status}`}`);
  return stdout;
}

/** The first of these variables that one of the files sets, as the shell and systemd write it; without quotes. */
export function settingOf(names: readonly string[], files: readonly string[]): string | undefined {
  for (const file of files) {
    for (const line of textOf(file).split('\n')) {
      const [, name = '', value = ''] = /^\s*(\w+)=(.*)$/.exec(line) ?? [];
      if (names.includes(name)) return value.trim().replace(/^(["'])(.*)\1$/, '$2');
    }
  }
  return undefined;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It need not be there.
    return '';
  }
}
