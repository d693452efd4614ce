import type { Given } from '../../core/director/giving.ts';
import type { Store } from '../../io/store.ts';
import type { Level, ToVrrp } from '../messages.ts';

/** All steps of a hand-over have shorter ends: a VRRP process that says nothing for so long does not work. */
const LIMIT_MS = 4000;

/** The operator's orders that have this director give up virtual addresses. */
export class Leaving {
  readonly #store: Store;
  readonly #send: (message: ToVrrp) => void;
  readonly #log: (level: Level, message: string) => void;
  /** Who waits for the end of a switchover. */
  readonly #waiting: ((given: readonly Given[]) => void)[] = [];

  constructor(store: Store, send: (message: ToVrrp) => void, log: (level: Level, message: string) => void) {
    this.#store = store;
    this.#send = send;
    this.#log = log;
  }

  /** Without any virtual address until it is taken back, over restarts too. */
  maintain(on: boolean): void {
    this.#store.maintenance = on;
    this.#send({ type: 'maintenance', on });
    this.#log('notice', `maintenance ${on ? 'on: giving up all virtual addresses' : 'off'}`);
  }

  /** Others are to take these over, or all. Resolves with how it ended; rejects when nobody says that for too long. */
  switchOver(names: readonly string[] | undefined): Promise<readonly Given[]> {
    this.#log('notice', `switchover of ${names?.join(', ') ?? 'all virtual routers'}`);
    this.#send({ type: 'switchover', ...(names && { names }) });
    return new Promise((resolve, reject) => {
      const silent = new Error('the vrrp process has not said how it ended: see vipkeeper status');
      const limit = setTimeout(() => reject(silent), LIMIT_MS);
      this.#waiting.push((given) => {
        clearTimeout(limit);
        resolve(given);
      });
    });
  }

  switched(given: readonly Given[]): void {
    for (const resolve of this.#waiting.splice(0)) resolve(given);
  }
}
