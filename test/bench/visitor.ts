import type { Host } from '../lab/scene/host.ts';
import { Client } from '../lab/scene/traffic.ts';

/** So many new connections a second. */
export const VISITS_A_SECOND = 10;
/** Who hears nothing for so long goes away; a lost beginning of a connection is sent again after a second. */
export const PATIENCE_SECONDS = 2;

/** How often somebody came, and how often in vain. */
export interface Visits {
  readonly tried: number;
  readonly failed: number;
}

/** Somebody who asks for a page again and again, each time by a new connection. */
export class Visitor {
  readonly #client: Client;
  readonly #url: string;
  readonly #visits: Promise<boolean>[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(client: Client, url: string) {
    this.#client = client;
    this.#url = url;
  }

  /** From `host`; the page at this address is the name of the host that gives it. */
  static async start(host: Host, url: string): Promise<Visitor> {
    return new Visitor(await Client.start(host), url);
  }

  /** From now on it comes. */
  begin(): void {
    this.#timer = setInterval(() => this.#visits.push(this.#visit()), 1000 / VISITS_A_SECOND);
  }

  /** It comes no more; resolves when it has an answer to each visit, or has lost its patience. */
  async end(): Promise<Visits> {
    clearInterval(this.#timer);
    const served = await Promise.all(this.#visits);
    return { tried: served.length, failed: served.filter((each) => !each).length };
  }

  async #visit(): Promise<boolean> {
    const page = await this.#client.get(this.#url, PATIENCE_SECONDS * 1000);
    return !/^(?:error|status) /.test(page);
  }
}
