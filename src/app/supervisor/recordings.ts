import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Happening } from '../../core/notify/happening.ts';
import { isUnexpected } from '../../core/record/occasion.ts';
import { plainText } from '../../core/record/plain.ts';
import { heading } from '../../core/record/recording.ts';
import { after, type Duration, type Instant, seconds, toMillis } from '../../core/time.ts';
import { now } from '../../io/clock.ts';
import { keepLast, writeRecording } from '../../io/recordings.ts';
import type { FromChild, Level, Role } from '../messages.ts';
import { VERSION } from '../version.ts';

/** The processes that record what their machines do. */
const RECORDED: readonly Role[] = ['vrrp', 'check'];
/** How long a process may take to send the next piece of its recording. */
const LIMIT_MS = 4000;
const MOST_FILES = 8;

/** When an unexpected change is recorded. */
export interface Occasions {
  /** How a daemon begins is no surprise. */
  readonly beginning: Duration;
  /** What follows the change is in the same file. */
  readonly follows: Duration;
  /** The next one no sooner than this. */
  readonly pause: Duration;
}
const OCCASIONS: Occasions = { beginning: seconds(30), follows: seconds(3), pause: seconds(60) };

type Piece = Extract<FromChild<never>, { readonly type: 'recording' }>;

/** What a process has sent so far, and who waits for it. */
interface Gathering {
  text: string;
  readonly done: ((lines: readonly string[]) => void)[];
  readonly limit: NodeJS.Timeout;
}

/** Whole lines: the last piece may be missing. */
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

/**
 * The recordings of the processes: the supervisor asks for them when the operator does, and when something happens that
 * somebody will want explained; a process that breaks sends its own.
 */
export class Recordings {
  readonly #folder: string;
  readonly #ask: (role: Role) => boolean;
  readonly #log: (level: Level, message: string) => void;
  readonly #gathering = new Map<Role, Gathering>();
  readonly #occasions: Occasions;
  #next: Instant;

  /** `ask` asks a process for its recording, and says whether there is one to answer. */
  constructor(
    stateDir: string,
    ask: (role: Role) => boolean,
    log: (level: Level, message: string) => void,
    occasions = OCCASIONS,
  ) {
    this.#occasions = occasions;
    this.#next = after(now(), occasions.beginning);
    this.#folder = join(stateDir, 'recordings');
    this.#ask = ask;
    this.#log = log;
  }

  /** What the processes recorded, as the lines of a file; of one that does not answer, nothing. */
  async all(): Promise<string[]> {
    const parts = await Promise.all(RECORDED.map((role) => this.#gather(role)));
    return [plainText(heading(VERSION, hostname())), ...parts.flat()];
  }

  #gather(role: Role): Promise<readonly string[]> {
    return new Promise((resolve) => {
      const known = this.#gathering.get(role);
      if (known !== undefined) {
        known.done.push(resolve);
        return;
      }
      const limit = setTimeout(() => this.gone(role), LIMIT_MS);
      this.#gathering.set(role, { text: '', done: [resolve], limit });
      if (!this.#ask(role)) this.gone(role);
    });
  }

  heard(role: Role, { text, done, why }: Piece): void {
    if (why !== undefined) {
      void this.#save(role, linesOf(text), why);
      return;
    }
    const gathering = this.#gathering.get(role);
    if (gathering === undefined) return;
    gathering.text += text;
    gathering.limit.refresh();
    if (done) this.gone(role);
  }

  /** Nothing more comes of it. */
  gone(role: Role): void {
    const gathering = this.#gathering.get(role);
    if (gathering === undefined) return;
    this.#gathering.delete(role);
    clearTimeout(gathering.limit);
    for (const done of gathering.done) done(linesOf(gathering.text));
  }

  happened(role: Role, happening: Happening): void {
    if (!isUnexpected(happening) || now() < this.#next) return;
    this.#next = after(now(), this.#occasions.pause);
    const why = `${happening.name}: ${happening.what}, ${happening.cause}`;
    setTimeout(() => {
      void this.#gather(role).then((lines) => this.#save(role, lines, why));
    }, toMillis(this.#occasions.follows)).unref();
  }

  async #save(role: Role, lines: readonly string[], why: string): Promise<void> {
    if (lines.length === 0) return;
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const file = join(this.#folder, `${time}-${role}.recording`);
    try {
      await writeRecording(file, [plainText(heading(VERSION, hostname())), ...lines]);
      keepLast(this.#folder, MOST_FILES);
      this.#log('info', `recorded the last minutes of the ${role} process in ${file} (${why})`);
    } catch (error) {
      this.#log('warning', `cannot record the ${role} process: ${(error as Error).message}`);
    }
  }
}
