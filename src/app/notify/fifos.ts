import type { FifoKind, FifoSettings, NotifyConfiguration } from '../../core/notify/settings.ts';
import { type Fifo, openFifo } from '../../io/fifo.ts';
import type { Program } from '../../io/programs.ts';
import type { Level } from '../messages.ts';
import { runScript, type ScriptRules } from './hooks.ts';

/** keepalived lets a reader that died stay dead until the next reload; here it is started again, ever more seldom. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;
/** A life of this length makes the next pause the first again. */
const GOOD_LIFE_MS = 60_000;

/** So many failures in a row are no chance. */
const MANY = 3;

interface Pipe {
  /** What it was opened for, as text. */
  readonly identity: string;
  readonly settings: FifoSettings;
  readonly fifo: Fifo | undefined;
  /** Lines that did not go in since the last one that did. */
  lost: number;
  reader?: Program;
  pause: number;
  /** Of the reader, in a row. */
  failures: number;
  why: string;
  restart?: NodeJS.Timeout;
  proven?: NodeJS.Timeout;
  closed: boolean;
}

/** The named pipes that events are written to, and the programs that read them. */
export class Fifos {
  readonly #log: (level: Level, message: string) => void;
  readonly #pipes = new Map<FifoKind, Pipe>();
  #rules: ScriptRules;

  constructor(rules: ScriptRules, log: (level: Level, message: string) => void) {
    this.#rules = rules;
    this.#log = log;
  }

  /** Those that are as they were, and their readers, go on. */
  configure(fifos: NotifyConfiguration['fifos'], rules: ScriptRules): void {
    this.#rules = rules;
    for (const [kind, pipe] of this.#pipes) {
      if (this.#identity(fifos[kind]) === pipe.identity) continue;
      this.#close(pipe);
      this.#pipes.delete(kind);
    }
    for (const [kind, settings] of Object.entries(fifos) as [FifoKind, FifoSettings][]) {
      if (!this.#pipes.has(kind)) this.#open(kind, settings);
    }
  }

  /** To each pipe of these kinds. A full one loses the line, and the log says so once. */
  write(kinds: readonly FifoKind[], line: string): void {
    for (const kind of kinds) {
      const pipe = this.#pipes.get(kind);
      if (pipe?.fifo === undefined) continue;
      if (this.#put(pipe.fifo, line)) {
        if (pipe.lost > 0) this.#log('warning', `${pipe.fifo.path} takes lines again; ${pipe.lost} are lost`);
        pipe.lost = 0;
      } else if (++pipe.lost === 1) {
        this.#log('warning', `${pipe.fifo.path} is full, nobody reads it: lines are lost`);
      }
    }
  }

  /** Readers that fail again and again. */
  get troubles(): string[] {
    return Array.from(this.#pipes.values())
      .filter(({ failures }) => failures >= MANY)
      .map(({ settings, why }) => `the reader of ${settings.path} fails each time: ${why}`);
  }

  close(): void {
    for (const pipe of this.#pipes.values()) this.#close(pipe);
    this.#pipes.clear();
  }

  #put(fifo: Fifo, line: string): boolean {
    try {
      return fifo.write(line);
    } catch (error) {
      this.#log('error', `${fifo.path}: ${(error as Error).message}`);
      return false;
    }
  }

  #open(kind: FifoKind, settings: FifoSettings): void {
    let fifo: Fifo | undefined;
    try {
      fifo = openFifo(settings.path, ownerOf(settings, this.#rules.user));
    } catch (error) {
      this.#log('error', `no events are written to a pipe: ${(error as Error).message}`);
    }
    const pipe: Pipe = {
      identity: this.#identity(settings),
      ...{ settings, fifo, lost: 0, pause: FIRST_PAUSE_MS, failures: 0, why: '', closed: false },
    };
    this.#pipes.set(kind, pipe);
    if (fifo !== undefined) this.#read(pipe);
  }

  /** Another user of scripts is another owner, and another who reads. */
  #identity(settings: FifoSettings | undefined): string {
    return JSON.stringify([settings, this.#rules.user]);
  }

  #read(pipe: Pipe): void {
    const { path, reader } = pipe.settings;
    if (reader === undefined) return;
    const command = [...reader.command, path];
    const program = runScript({ ...reader, command, environment: {} }, this.#rules, ({ why, said }) => {
      delete pipe.reader;
      clearTimeout(pipe.proven);
      if (pipe.closed) return;
      this.#readerEnded(pipe, why, said === '' ? '' : `: ${said}`);
      pipe.restart = setTimeout(() => this.#read(pipe), pipe.pause);
      pipe.pause = Math.min(pipe.pause * 2, LONGEST_PAUSE_MS);
    });
    if (program === undefined) return;
    pipe.reader = program;
    pipe.proven = setTimeout(() => this.#readerWorks(pipe), GOOD_LIFE_MS).unref();
  }

  #readerWorks(pipe: Pipe): void {
    if (pipe.failures >= MANY) this.#log('notice', `the reader of ${pipe.settings.path} works again`);
    pipe.failures = 0;
    pipe.pause = FIRST_PAUSE_MS;
  }

  /** Many failures in a row are said once, as what they are. */
  #readerEnded(pipe: Pipe, why: string | undefined, tail: string): void {
    const { path } = pipe.settings;
    pipe.failures = why === undefined ? 0 : pipe.failures + 1;
    pipe.why = `${why}${tail}`;
    if (pipe.failures < MANY) {
      const again = `started again in ${pipe.pause / 1000} s`;
      this.#log('warning', `the reader of ${path}: ${why ?? 'it exited'}${tail}; ${again}`);
    } else if (pipe.failures === MANY) {
      const lost = 'events wait in the pipe, and are lost when it is full';
      const again = 'it is started again and again, which is not said any more';
      this.#log(
        'crit',
        `the reader of ${path} has failed ${MANY} times in a row: ${pipe.why}; ${lost}; ${again}`,
      );
    }
  }

  #close(pipe: Pipe): void {
    pipe.closed = true;
    clearTimeout(pipe.restart);
    clearTimeout(pipe.proven);
    pipe.reader?.kill('SIGTERM');
    pipe.fifo?.close();
  }
}

type Owner = FifoSettings['user'];

/** Whose a pipe is where nobody is named: who reads it; and whoever runs scripts, as in keepalived. */
const ownerOf = ({ user, reader }: FifoSettings, scripts: Owner): Owner => user ?? reader?.user ?? scripts;
