import type { TrackFileSettings } from '../../core/config/model.ts';
import { STATE_PERIOD } from '../../core/supervision/child.ts';
import { toMillis } from '../../core/time.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import { trackedNumber } from '../../core/vrrp/tracked-number.ts';
import { initialise, readBeginning, watchFolderOf } from '../../io/watched.ts';
import type { Level } from '../messages.ts';

interface Watched {
  readonly settings: TrackFileSettings;
  readonly watcher: { close(): void } | undefined;
  value: number;
}

/** Reads the numbers of tracked files: at each change in their folders, and now and then whatever happens. */
export class TrackedFiles {
  readonly #tell: (events: readonly TrackEvent[]) => void;
  readonly #log: (level: Level, message: string) => void;
  readonly #files = new Map<string, Watched>();

  constructor(tell: (events: readonly TrackEvent[]) => void, log: (level: Level, message: string) => void) {
    this.#tell = tell;
    this.#log = log;
    setInterval(() => this.tellAll(), toMillis(STATE_PERIOD)).unref();
  }

  /** Exactly these from now on. Only at the start (`begin`) are files made that have an `init_file`. */
  configure(files: readonly TrackFileSettings[], begin: boolean): void {
    for (const { watcher } of this.#files.values()) watcher?.close();
    const before = new Map(this.#files);
    this.#files.clear();
    for (const settings of files) {
      const { name, path, init } = settings;
      if (begin && init !== undefined) {
        const trouble = initialise(path, `${init.value}\n`, init.overwrite);
        if (trouble !== undefined) this.#log('error', `track_file ${name}: ${trouble}`);
      }
      const watched: Watched = {
        settings,
        watcher: watchFolderOf(path, () => this.#look(watched)),
        value: before.get(name)?.value ?? 0,
      };
      this.#files.set(name, watched);
    }
    this.tellAll();
  }

  /** All numbers, as they are now. */
  tellAll(): void {
    for (const watched of this.#files.values()) this.#read(watched);
    const events = Array.from(this.#files.values(), eventOf);
    if (events.length > 0) this.#tell(events);
  }

  #look(watched: Watched): void {
    if (this.#read(watched)) this.#tell([eventOf(watched)]);
  }

  /** Whether the number is another than before. */
  #read(watched: Watched): boolean {
    const { name, path } = watched.settings;
    const value = trackedNumber(readBeginning(path) ?? '') ?? watched.value;
    if (value === watched.value) return false;
    this.#log('notice', `track_file ${name}: ${watched.value} -> ${value}`);
    watched.value = value;
    return true;
  }
}

const eventOf = ({ settings, value }: Watched): TrackEvent => ({
  type: 'track',
  kind: 'file',
  name: settings.name,
  value,
});
