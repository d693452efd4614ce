import { Numbers } from '../../core/track/numbers.ts';
import type { TrackFileSettings } from '../../core/track/settings.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import { initialise, readBeginning, watchFolderOf } from '../../io/watched.ts';
import type { Level } from '../messages.ts';

interface Watched {
  readonly path: string;
  readonly watcher: { close(): void } | undefined;
}

/** Reads the numbers of tracked files: at each change in their folders, and now and then whatever happens. */
export class TrackedFiles {
  readonly #tell: (events: readonly TrackEvent[]) => void;
  readonly #log: (level: Level, message: string) => void;
  readonly #numbers = new Numbers();
  readonly #files = new Map<string, Watched>();

  constructor(tell: (events: readonly TrackEvent[]) => void, log: (level: Level, message: string) => void) {
    this.#tell = tell;
    this.#log = log;
  }

  /** Exactly these from now on. Only at the start (`begin`) are files made that have an `init_file`. */
  configure(files: readonly TrackFileSettings[], begin: boolean): void {
    for (const { watcher } of this.#files.values()) watcher?.close();
    this.#files.clear();
    this.#numbers.configure(files.map(({ name }) => name));
    for (const { name, path, init } of files) {
      if (begin && init !== undefined) {
        const trouble = initialise(path, `${init.value}\n`, init.overwrite);
        if (trouble !== undefined) this.#log('error', `track_file ${name}: ${trouble}`);
      }
      this.#files.set(name, { path, watcher: watchFolderOf(path, () => this.#look(name)) });
    }
    this.tellAll();
  }

  /** All numbers, as they are now. */
  tellAll(): void {
    for (const name of this.#files.keys()) this.#read(name);
    const events = this.#numbers.all().map(eventOf);
    if (events.length > 0) this.#tell(events);
  }

  #look(name: string): void {
    const value = this.#read(name);
    if (value !== undefined) this.#tell([eventOf({ name, value })]);
  }

  /** The number, if it is another than before. */
  #read(name: string): number | undefined {
    const watched = this.#files.get(name);
    if (watched === undefined) return undefined;
    const change = this.#numbers.read(name, readBeginning(watched.path));
    if (change !== undefined) this.#log('notice', `track_file ${name}: ${change.before} -> ${change.value}`);
    return change?.value;
  }
}

const eventOf = ({ name, value }: { readonly name: string; readonly value: number }): TrackEvent => ({
  type: 'track',
  kind: 'file',
  name,
  value,
});
