import { rmSync } from 'node:fs';
import type { GlobalSettings } from '../../core/config/model.ts';
import { parseReloadTime } from '../../core/supervision/reload-time.ts';
import { nextMoment } from '../../io/calendar.ts';
import { writeRegular } from '../../io/regular.ts';
import { readBeginning, watchFolderOf } from '../../io/watched.ts';
import type { Level } from '../messages.ts';

/** The clock may be set: never wait longer without a look at it. */
const LONGEST_WAIT_MS = 60_000;

/** Reloads at the time that a file says: `reload_time_file`. */
export class PlannedReload {
  readonly #reload: () => void;
  readonly #log: (level: Level, message: string) => void;
  #settings: GlobalSettings['reload'] = { repeat: false };
  #watcher: { close(): void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #text: string | undefined;
  #due: number | undefined;

  constructor(reload: () => void, log: (level: Level, message: string) => void) {
    this.#reload = reload;
    this.#log = log;
  }

  configure(settings: GlobalSettings['reload']): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#watcher?.close();
    clearTimeout(this.#timer);
    this.#text = undefined;
    this.#due = undefined;
    const { timeFile } = settings;
    this.#watcher = timeFile === undefined ? undefined : watchFolderOf(timeFile, () => this.#look());
    this.#look();
  }

  #look(): void {
    const { timeFile } = this.#settings;
    const text = timeFile === undefined ? undefined : readBeginning(timeFile);
    if (text === this.#text) return;
    this.#text = text;
    const time = text === undefined ? undefined : parseReloadTime(text);
    this.#due = time === undefined ? undefined : nextMoment(time, Date.now());
    if (this.#due !== undefined) {
      this.#log('info', `a reload is planned for ${new Date(this.#due).toISOString()}, by ${timeFile}`);
    } else if (text !== undefined && text.trim() !== '') {
      this.#log('warning', `${timeFile}: no time to come: HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z for UTC`);
    }
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    if (this.#due === undefined) return;
    const wait = Math.min(Math.max(0, this.#due - Date.now()), LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => this.#awake(), wait).unref();
  }

  #awake(): void {
    if (this.#due !== undefined && Date.now() >= this.#due) this.#happen();
    else this.#wait();
  }

  /** `reload_repeat` keeps the file: a time without a date comes again each day. */
  #happen(): void {
    const { timeFile, repeat } = this.#settings;
    this.#text = undefined;
    this.#due = undefined;
    if (!repeat && timeFile !== undefined) rmSync(timeFile, { force: true });
    this.#reload();
    this.#look();
  }
}

/** `reload_file`: it is there, and empty, while the configuration is read. A reload does not fail of it. */
export function withMarker<T>(
  path: string | undefined,
  log: (level: Level, message: string) => void,
  work: () => T,
): T {
  if (path === undefined) return work();
  try {
    writeRegular(path, '', 'replace', 0o644);
  } catch (error) {
    log('error', `reload_file: ${(error as Error).message}`);
    return work();
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}
