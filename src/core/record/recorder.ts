import type { Observer } from '../director/ensemble.ts';
import type { Instant } from '../time.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import { withoutKeys } from './keys.ts';
import { plainPieces } from './plain.ts';
import { type Part, type Room, Track } from './track.ts';

/** Machines that have ended are kept so long as there are no more of them than this. */
const MAX_ENDED = 64;

/** What the machines of one process were told in the last minutes, and what they answered. */
export class Recorder implements Observer<Part, Track> {
  /** With the number that each has in this process. */
  readonly #tracks = new Map<Track, number>();
  readonly #room: Room | undefined;
  readonly #ended: (readonly [Track, number])[] = [];
  #begun = 0;
  /** The same key has the same stand-in, however often it is asked for. */
  readonly #change = withoutKeys();
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
   * All of it as text without keys, in pieces, so that a process in real time can do other things between them. Each
   * line is a segment of a track.
   */
  *text(): Generator<string> {
    for (const [track, index] of [...this.#ended, ...this.#tracks]) {
      const { kind, name } = track.part;
      for (const segment of track.segments()) {
        yield* plainPieces({ track: index, kind, name, ...segment }, this.#change);
        yield '\n';
      }
    }
  }
}
