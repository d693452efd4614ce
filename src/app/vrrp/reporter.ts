import { STATE_PERIOD } from '../../core/supervision/child.ts';
import { millis, toMillis } from '../../core/time.ts';
import type { VrrpStatus } from '../../core/vrrp/events.ts';
import type { VrrpNews } from '../messages.ts';

/** So many routers in one message: a whole state of hundreds would hold up their adverts. */
const SLICE = 16;

/** What was not taken is told again after so long, slice by slice. */
const AGAIN = millis(250);

/** A virtual router that can be asked. */
export interface Reported {
  readonly settings: { readonly name: string };
  status(): VrrpStatus;
}

/** What the process says beside its routers' states. */
export type Rest = Omit<VrrpNews, 'instances' | 'names'>;

/**
 * Tells the supervisor how the virtual routers stand: those that changed, once a turn of the loop, and all of them
 * again and again, a slice every `STATE_PERIOD`. Who wants to see all of them now asks for it.
 */
export class Reporter {
  readonly #routers: ReadonlyMap<string, Reported>;
  readonly #rest: () => Rest;
  readonly #send: (news: VrrpNews) => boolean;
  readonly #changed = new Set<Reported>();
  /** What was said of them last was not taken. */
  readonly #lost = new Set<Reported>();
  #planned = false;
  #next = 0;

  /** `send` says whether it was taken, and not dropped. */
  constructor(routers: ReadonlyMap<string, Reported>, rest: () => Rest, send: (news: VrrpNews) => boolean) {
    this.#routers = routers;
    this.#rest = rest;
    this.#send = send;
  }

  /** Begins to tell all again and again; gives the end of it. */
  begin(period = STATE_PERIOD): () => void {
    let timer: NodeJS.Timeout;
    const plan = (): void => {
      const pause = this.#lost.size > 0 ? AGAIN : period;
      timer = setTimeout(() => {
        this.#slice();
        plan();
      }, toMillis(pause));
    };
    plan();
    return () => clearTimeout(timer);
  }

  /** A router changed, or without one something else that the status shows. */
  changed(router?: Reported): void {
    if (router !== undefined) this.#changed.add(router);
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => this.#flush());
  }

  /** All there is to know, at once. */
  all(): void {
    this.#tell([...this.#routers.values()]);
  }

  #flush(): void {
    this.#planned = false;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#tell(changed);
  }

  #slice(): void {
    const routers = [...this.#routers.values()];
    const lost = routers.filter((router) => this.#lost.has(router));
    this.#lost.clear();
    for (const router of lost.slice(SLICE)) this.#lost.add(router);
    if (lost.length > 0) {
      this.#tell(lost.slice(0, SLICE));
      return;
    }
    if (this.#next >= routers.length) this.#next = 0;
    const slice = routers.slice(this.#next, this.#next + SLICE);
    this.#next += SLICE;
    this.#tell(slice);
  }

  #tell(routers: readonly Reported[]): void {
    const names = Array.from(this.#routers.values(), ({ settings }) => settings.name);
    const taken = this.#send({ ...this.#rest(), names, instances: routers.map((router) => router.status()) });
    for (const router of routers) {
      if (taken) this.#lost.delete(router);
      else this.#lost.add(router);
    }
  }
}
