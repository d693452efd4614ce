import { now } from '../../../src/io/clock.ts';
import { type Answered, type Holders, holders } from './answers.ts';
import { Asker } from './asker.ts';
import type { Host } from './host.ts';
import { pause, type Scene } from './scene.ts';

/** One alone has answered for so long: the fault is over. */
const SETTLED_MILLISECONDS = 2000;
const LOOK_MILLISECONDS = 500;

/** Somebody on the link who asks two directors for their address, by ARP, pings and TCP, and notes who answers. */
export class Eye {
  readonly #scene: Scene;
  readonly #macs: readonly string[];
  readonly #asker: Asker;
  #since = 0;

  private constructor(scene: Scene, macs: readonly string[], asker: Asker) {
    this.#scene = scene;
    this.#macs = macs;
    this.#asker = asker;
  }

  /** From `host`, on its interface `device`; of directors with these MAC addresses; `pair` is `OWN>TARGET`. */
  static async open(host: Host, device: string, macs: readonly string[], pair: string): Promise<Eye> {
    return new Eye(host.scene, macs, await Asker.start(host, device, macs, [pair]));
  }

  /** What is to be measured begins now. */
  async begin(): Promise<void> {
    this.#since = await this.#asker.clear();
  }

  /** Resolves when one director alone has answered for a while: this one, if it is named. */
  async settle(mac?: string): Promise<void> {
    await this.#scene.until('one director alone answers', async () => {
      await pause(LOOK_MILLISECONDS);
      const at = now() / 1e3;
      const late = (await this.#answers()).filter((answer) => answer.at > at - SETTLED_MILLISECONDS);
      const who = new Set(late.map((answer) => answer.mac));
      const [first = at, last = 0] = [late[0]?.at, late.at(-1)?.at];
      const whole = first < at - 0.8 * SETTLED_MILLISECONDS && last > at - 0.2 * SETTLED_MILLISECONDS;
      return whole && who.size === 1 && (mac === undefined || who.has(mac));
    });
  }

  /** Whether another director than this one has answered since `begin`. */
  async hasMovedFrom(mac: string): Promise<boolean> {
    return (await this.#answers()).some((answer) => answer.mac !== mac);
  }

  /** Who answered since `begin`. */
  async holders(): Promise<Holders> {
    return holders(await this.#answers(), this.#since);
  }

  async #answers(): Promise<Answered[]> {
    return (await this.#asker.heard()).filter(
      ({ kind, mac }) => kind !== 'advert' && this.#macs.includes(mac),
    );
  }
}
