/**
 * `min_up` (ours): checks may take out only so many real servers of a pool. When nearly all seem to fail, the cause
 * is more often the checks, or this director's network, than all servers at once: those that failed last go on
 * serving. Servers that were never up here are not kept. Those that somebody drains are not counted.
 */
export class Guard {
  readonly #percent: number;
  /** Those that went down, the latest last. */
  readonly #failed: string[];

  /** `kept`: what an earlier guard of the same pool kept. */
  constructor(percent: number, kept: readonly string[] = []) {
    this.#percent = percent;
    this.#failed = [...kept];
  }

  memory(): readonly string[] {
    return [...this.#failed];
  }

  /** Those that went down are these and no others. */
  recall(failed: readonly string[]): void {
    this.#failed.splice(0, this.#failed.length, ...failed);
  }

  turned(server: string, up: boolean): void {
    const at = this.#failed.indexOf(server);
    if (at >= 0) this.#failed.splice(at, 1);
    if (!up) this.#failed.push(server);
  }

  /** Of the servers that count, those that serve although they are down; the share is rounded up. */
  kept(counted: readonly { readonly name: string; readonly up: boolean }[]): readonly string[] {
    const up = counted.filter((server) => server.up).length;
    const missing = Math.ceil((this.#percent * counted.length) / 100) - up;
    if (missing <= 0) return [];
    const down = new Set(counted.flatMap((server) => (server.up ? [] : [server.name])));
    return this.#failed.filter((name) => down.has(name)).slice(-missing);
  }
}
