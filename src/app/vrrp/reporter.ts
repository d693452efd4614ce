import { STATE_PERIOD } from '../../core/supervision/child.ts';
import { millis, toMillis } from '../../core/time.ts';
import type { VrrpStatus } from '../../core/vrrp/events.ts';
import type { VrrpNews } from '../messages.ts';

/** So many routers in one message: a whole state of hundreds would hold up their adverts. */
const SLICE = 16;

/** Between slices, so that hundreds of routers cost no more than some dozens. */
const SLICE_PAUSE = millis(250);

/** A virtual router that can be asked. */
export interface Reported {
  readonly settings: { readonly name: string };
  status(): VrrpStatus;
}

/** What the process says beside its routers' states. */
export type Rest = Omit<VrrpNews, 'instances' | 'names'>;

/**
 * Tells the supervisor how the virtual routers stand: those that changed, once a turn of the loop, and all of them
 * again and again, by slices; something at least every `STATE_PERIOD`.
 */
export class Reporter {
  readonly #routers: ReadonlyMap<string, Reported>;
  readonly #rest: () => Rest;
  readonly #send: (news: VrrpNews) => void;
  readonly #changed = new Set<Reported>();
  #planned = false;
  #next = 0;

  constructor(routers: ReadonlyMap<string, Reported>, rest: () => Rest, send: (news: VrrpNews) => void) {
    this.#routers = routers;
    this.#rest = rest;
    this.#send = send;
  }

  /** Begins to tell all again and again; gives the end of it. */
  begin(): () => void {
    let timer: NodeJS.Timeout;
    const plan = (): void => {
      const pause = this.#routers.size > SLICE ? SLICE_PAUSE : STATE_PERIOD;
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
    if (this.#next >= routers.length) this.#next = 0;
    const slice = routers.slice(this.#next, this.#next + SLICE);
    this.#next += SLICE;
    this.#tell(slice);
  }

  #tell(routers: readonly Reported[]): void {
    const names = Array.from(this.#routers.values(), ({ settings }) => settings.name);
    this.#send({ ...this.#rest(), names, instances: routers.map((router) => router.status()) });
  }
}
