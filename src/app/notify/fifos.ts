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

interface Pipe {
  readonly settings: FifoSettings;
  readonly fifo: Fifo | undefined;
  /** Lines that did not go in since the last one that did. */
  lost: number;
  reader?: Program;
  pause: number;
  restart?: NodeJS.Timeout;
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
      if (JSON.stringify(fifos[kind]) === JSON.stringify(pipe.settings)) continue;
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
      fifo = openFifo(settings.path, settings.user);
    } catch (error) {
      this.#log('error', `no events are written to a pipe: ${(error as Error).message}`);
    }
    const pipe: Pipe = { settings, fifo, lost: 0, pause: FIRST_PAUSE_MS, closed: false };
    this.#pipes.set(kind, pipe);
    if (fifo !== undefined) this.#read(pipe);
  }

  #read(pipe: Pipe): void {
    const { path, reader } = pipe.settings;
    if (reader === undefined) return;
    const begun = Date.now();
    const command = [...reader.command, path];
    const program = runScript({ ...reader, command, environment: {} }, this.#rules, ({ why, said }) => {
      delete pipe.reader;
      if (pipe.closed) return;
      if (Date.now() - begun >= GOOD_LIFE_MS) pipe.pause = FIRST_PAUSE_MS;
      const how = why ?? 'it exited';
      const tail = said === '' ? '' : `: ${said}`;
      this.#log('warning', `the reader of ${path}: ${how}${tail}; started again in ${pipe.pause / 1000} s`);
      pipe.restart = setTimeout(() => this.#read(pipe), pipe.pause);
      pipe.pause = Math.min(pipe.pause * 2, LONGEST_PAUSE_MS);
    });
    if (program !== undefined) pipe.reader = program;
  }

  #close(pipe: Pipe): void {
    pipe.closed = true;
    clearTimeout(pipe.restart);
    pipe.reader?.kill('SIGTERM');
    pipe.fifo?.close();
  }
}
