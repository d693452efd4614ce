import type { Duration, Instant } from '../time.ts';
import { since } from '../time.ts';

/** Who was off for certain, and whom no device could switch off: until they are heard of again. */
export class Downed {
  readonly #off = new Map<string, Instant>();
  readonly #unfenced = new Map<string, Instant>();

  memory() {
    return { off: new Map(this.#off), unfenced: new Map(this.#unfenced) };
  }

  recall({ off, unfenced }: ReturnType<Downed['memory']>): void {
    for (const [director, at] of off) this.#off.set(director, at);
    for (const [director, at] of unfenced) this.#unfenced.set(director, at);
  }

  fenced(director: string, at: Instant): void {
    this.#off.set(director, at);
  }

  unfenced(director: string, at: Instant): void {
    this.#unfenced.set(director, at);
  }

  heard(director: string): void {
    this.#off.delete(director);
    this.#unfenced.delete(director);
  }

  /** Who was off, when, and was not heard of since. */
  get known(): readonly (readonly [director: string, at: Instant])[] {
    return [...this.#off];
  }

  /** Whether it cannot hold anything now: who starts is silent for the `longest` promise. `believed`: with `take`. */
  isOff(director: string, longest: Duration, now: Instant, believed: boolean): boolean {
    const lately = (at: Instant | undefined): boolean => at !== undefined && since(now, at) < longest;
    return lately(this.#off.get(director)) || (believed && lately(this.#unfenced.get(director)));
  }
}
