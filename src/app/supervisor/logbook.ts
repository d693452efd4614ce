import { Flood, type FloodEvent } from '../../core/supervision/flood.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { type Log, type Origin, openLog } from '../../io/log.ts';
import type { Level, LogLine, Role } from '../messages.ts';
import { type DaemonOptions, logTargets, PROGRAM } from '../options.ts';

type Entry = LogLine & Origin;

/** All that the daemon's processes say: into the log, with who said it and when, and not again and again. */
export class Logbook {
  readonly #log: Log;
  readonly #flood: Driven<FloodEvent<Entry>>;
  /** The last grave message: why a daemon that stops by itself does. */
  grave: string | undefined;

  /** Throws when the file of `-g` can't be written. */
  constructor(options: DaemonOptions, driver: Driver) {
    this.#log = openLog(logTargets(options));
    this.#flood = driver.attach(new Flood<Entry>(), (lines) => {
      for (const { level, message, ...origin } of lines) this.#log.log(level, message, origin);
    });
  }

  /** The supervisor says something: all of it. */
  log(level: Level, message: string): void {
    if (level === 'crit') this.grave = message;
    this.#log.log(level, message);
  }

  /** The same of what comes from outside, and may come without end. */
  repeated(level: Level, message: string): void {
    this.#add({ process: PROGRAM, pid: process.pid, level, message, at: Date.now() });
  }

  /** A child says something. */
  said(role: Role, pid: number, { level, message, at }: LogLine): void {
    if (level === 'crit') this.grave = message;
    this.#add({ process: `vipkeeper-${role}`, pid, level, message, at });
  }

  close(): Promise<void> {
    this.#flood.handle({ type: 'end' });
    return this.#log.close();
  }

  /** Details are all of them wanted. */
  #add(line: Entry): void {
    const { level, message, ...origin } = line;
    if (level === 'debug') this.#log.log(level, message, origin);
    else this.#flood.handle({ type: 'line', line });
  }
}
