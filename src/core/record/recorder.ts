import type { Instant } from '../time.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import { withoutKeys } from './keys.ts';
import { plainText } from './plain.ts';
import { type Part, type Room, Track } from './track.ts';

/** Machines that have ended are kept so long as there are no more of them than this. */
const MAX_ENDED = 64;

/** What the machines of one process were told in the last minutes, and what they answered. */
export class Recorder {
  /** With the number that each has in this process. */
  readonly #tracks = new Map<Track, number>();
  readonly #room: Room | undefined;
  readonly #ended: (readonly [Track, number])[] = [];
  #begun = 0;
  /** Whose machine is at work. */
  #current: Track | undefined;

  /** `room`: how much is kept of each machine. */
  constructor(room?: Room) {
    this.#room = room;
  }

  begin(part: Part, now: Instant): Track {
    const index = this.#begun++;
    const track = new Track(part, index, now, this.#room);
    this.#tracks.set(track, index);
    return track;
  }

  /** The machine is gone; what it did last is still of interest. */
  end(track: Track): void {
    const index = this.#tracks.get(track);
    if (index === undefined) return;
    this.#tracks.delete(track);
    this.#ended.push([track, index]);
    if (this.#ended.length > MAX_ENDED) this.#ended.shift();
  }

  /** Calls `act`, in which the machine of `track` is at work. */
  within(track: Track, act: () => void): void {
    const before = this.#current;
    this.#current = track;
    try {
      act();
    } catch (error) {
      track.broke((error as Error).message);
      throw error;
    } finally {
      this.#current = before;
    }
  }

  /** The same, with its results recorded: a replay has no keys to compute them. */
  witness(digest: Digest): Digest {
    return {
      hmac: (algorithm, key, data) => {
        const result = digest.hmac(algorithm, key, data);
        this.#current?.digest(result);
        return result;
      },
    };
  }

  /**
   * All of it as lines of text, each a segment of a track, without keys. They are made one by one, so that a process
   * in real time can do other things between them.
   */
  *lines(): Generator<string> {
    const change = withoutKeys();
    for (const [track, index] of [...this.#ended, ...this.#tracks]) {
      const { kind, name } = track.part;
      for (const segment of track.segments())
        yield plainText({ track: index, kind, name, ...segment }, change);
    }
  }
}
