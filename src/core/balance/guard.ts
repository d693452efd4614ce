/**
 * `min_up` (ours): checks may take out only so many real servers of a pool. When nearly all seem to fail, the cause
 * is more often the checks, or this director's network, than all servers at once: those that failed last go on
 * serving. Servers that were never up here are not kept.
 */
export class Guard {
  /** How many servers must serve. */
  readonly #least: number;
  /** Those that went down, the latest last. */
  readonly #failed: string[];

  /** `percent` of `total` servers, rounded up; `kept`: what an earlier guard of the same pool kept. */
  constructor(percent: number, total: number, kept: readonly string[] = []) {
    this.#least = Math.ceil((percent * total) / 100);
    this.#failed = [...kept];
  }

  turned(server: string, up: boolean): void {
    const at = this.#failed.indexOf(server);
    if (at >= 0) this.#failed.splice(at, 1);
    if (!up) this.#failed.push(server);
  }

  /** The servers that serve although they are down, while `up` others are up. */
  kept(up: number): readonly string[] {
    const missing = this.#least - up;
    return missing > 0 ? this.#failed.slice(-missing) : [];
  }
}
