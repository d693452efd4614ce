import type { Ip } from '../ip.ts';
import type { Interfaces } from '../reconcile/interfaces.ts';
import { seconds } from '../time.ts';
import { Announcements, type AnnouncementsEffect, type AnnouncementsEvent } from './announcements.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';

/** What the kernel makes upon another interface, whose wire it shares. */
const UPON = ['macvlan', 'ipvlan'];

/** Tells links who has an address now: gratuitous ARP and unsolicited neighbour advertisements, paced. */
export class Announcer {
  readonly #interfaces: Interfaces;
  readonly #emit: (effect: DirectorEffect) => void;
  readonly #announcements = new Announcements({ garp: seconds(0), gna: seconds(0), groups: [] });
  readonly #actor: Actor<AnnouncementsEvent>;

  constructor(ensemble: Ensemble, interfaces: Interfaces, emit: (effect: DirectorEffect) => void) {
    this.#interfaces = interfaces;
    this.#emit = emit;
    this.#actor = ensemble.join(
      this.#announcements,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'announcements', name: 'announcements', machine: this.#announcements },
    );
  }

  memory(): ReturnType<Announcements['memory']> {
    return this.#announcements.memory();
  }

  recall(memory: ReturnType<Announcements['memory']>): void {
    this.#announcements.recall(memory);
  }

  readonly handle = (event: AnnouncementsEvent): void => this.#actor.handle(event);

  readonly announce = (dev: string, addresses: readonly Ip[], repeat: number): void =>
    this.handle({ type: 'announce', dev, lane: this.#below(dev), addresses, repeat });

  /** What waits to be announced is not ours any more. */
  readonly forget = (dev: string, addresses: readonly Ip[]): void =>
    this.handle({ type: 'forget', dev, addresses });

  #below(device: string): string {
    const link = this.#interfaces.named(device);
    if (link?.lower === undefined || !UPON.includes(link.kind ?? '')) return device;
    return this.#interfaces.numbered(link.lower)?.name ?? device;
  }

  #perform(effect: AnnouncementsEffect): void {
    if (effect.type === 'problem') {
      const message = `${effect.dev}: not announced, tried again: ${effect.what}`;
      this.#emit({ type: 'log', level: 'warning', message });
      return;
    }
    const { id, dev, addresses } = effect;
    const link = this.#interfaces.named(dev);
    if (link === undefined) {
      this.handle({ type: 'sent', id, taken: 0, trouble: `there is no interface ${dev}` });
    } else if (link.mac === undefined) {
      // One without a hardware address has no neighbours to tell.
      this.handle({ type: 'sent', id, taken: addresses.length });
    } else {
      const { ifindex, mac } = link;
      this.#emit({ type: 'frames', id, dev, ifindex, mac, addresses });
    }
  }
}
