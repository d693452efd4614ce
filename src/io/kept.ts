import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** How often it is looked whether the files are as they should be. */
const PERIOD_MS = 5000;
const DRAFT = '.new';

export interface KeptOptions {
  /** 0644 when absent. */
  readonly mode?: number;
  /** It has to outlive a power failure. */
  readonly synced?: boolean;
}

interface Kept extends KeptOptions {
  /** `undefined`: there is to be no such file. */
  readonly text: string | undefined;
  /** Why the file is not so now. */
  readonly trouble?: string;
}

/**
 * Small files whose content is known here, in memory: nobody waits or fails because one cannot be written. A disk that
 * is full or read-only, too few descriptors, somebody who deletes or changes them: they are written again as soon as
 * that works. Each trouble, and its end, is told once.
 */
export class KeptFiles {
  readonly #log: (level: 'warning' | 'notice', message: string) => void;
  readonly #files = new Map<string, Kept>();
  readonly #timer: NodeJS.Timeout;

  constructor(log: (level: 'warning' | 'notice', message: string) => void, period = PERIOD_MS) {
    this.#log = log;
    this.#timer = setInterval(() => this.look(), period).unref();
  }

  /** The file holds this text from now on, whole; `undefined`: there is no such file any more. Never throws. */
  keep(path: string, text: string | undefined, options: KeptOptions = {}): void {
    const known = this.#files.get(path);
    const { trouble } = known ?? {};
    if (known !== undefined && known.text === text && trouble === undefined) return;
    this.#settle(path, { ...options, text, ...(trouble !== undefined && { trouble }) });
  }

  /** What is wrong with files now, for people. */
  get troubles(): string[] {
    return Array.from(this.#files.values(), ({ trouble }) => trouble).filter((each) => each !== undefined);
  }

  /** Writes again what is not as it should be. */
  look(): void {
    for (const [path, kept] of this.#files) {
      const { text, trouble } = kept;
      if (trouble === undefined) {
        const found = read(path);
        if (found === text || found === UNREADABLE) continue;
        const what = found === undefined ? 'is gone' : 'was changed';
        this.#log('warning', `${path} ${what}, by somebody else: writing it again`);
      }
      this.#settle(path, kept);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #settle(path: string, kept: Kept): void {
    const why = write(path, kept);
    const { trouble: before, ...file } = kept;
    if (why === undefined) {
      if (before !== undefined) this.#log('notice', `${path} is as it should be again`);
      if (kept.text === undefined) this.#files.delete(path);
      else this.#files.set(path, file);
      return;
    }
    const trouble = `${kept.text === undefined ? 'cannot remove' : 'cannot write'} ${path}: ${why}`;
    if (trouble !== before) this.#log('warning', `${trouble}; its content is kept in memory, tried again`);
    this.#files.set(path, { ...file, trouble });
  }
}

const UNREADABLE = Symbol('unreadable');

function read(path: string): string | undefined | typeof UNREADABLE {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : UNREADABLE;
  }
}

/** Whole, by rename, or not at all. Why not, if not. */
function write(path: string, { text, mode = 0o644, synced = false }: Kept): string | undefined {
  const draft = path + DRAFT;
  try {
    if (text === undefined) {
      rmSync(path, { force: true });
      return undefined;
    }
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(draft, { force: true });
    withOpen(openSync(draft, 'wx', mode), (fd) => {
      writeFileSync(fd, text);
      if (synced) fsyncSync(fd);
    });
    renameSync(draft, path);
    // A name is safe when its folder is.
    if (synced) withOpen(openSync(dirname(path), 'r'), fsyncSync);
    return undefined;
  } catch (error) {
    remove(draft);
    return (error as Error).message;
  }
}

function withOpen(fd: number, work: (fd: number) => void): void {
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It goes with the next attempt.
  }
}
