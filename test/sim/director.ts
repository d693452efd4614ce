import { instant } from '../../src/core/time.ts';
import { type GroupEvent, VrrpGroup } from '../../src/core/vrrp/group.ts';
import { Complaint, nameOf } from './checks.ts';
import type { Host } from './host.ts';

/** What keeps a director's virtual routers together; a broken one must be found. */
export type MakeGroup = () => Pick<VrrpGroup, 'handle' | 'take'>;
export const makeGroup: MakeGroup = () => new VrrpGroup('G');

/** One process with a virtual router on each of several segments, all in one sync group. */
export class Director {
  readonly hosts: readonly Host[];
  readonly #group: ReturnType<MakeGroup>;
  #depth = 0;

  constructor(hosts: readonly Host[], make: MakeGroup) {
    this.hosts = hosts;
    this.#group = make();
    hosts.forEach((host, index) => {
      host.colleagues = hosts.filter((other) => other !== host);
      host.onStanding = (standing) => this.#tell({ type: 'standing', member: `${index}`, standing });
    });
    this.#tell({ type: 'members', members: hosts.map((_, index) => `${index}`) });
  }

  #tell(event: GroupEvent): void {
    this.#depth += 1;
    this.#group.handle(event, instant(0));
    for (const effect of this.#group.take()) {
      if (effect.type === 'tell') this.hosts[Number(effect.member)]?.hand(effect.event);
    }
    this.#depth -= 1;
    if (this.#depth === 0) this.#look();
  }

  /** Whatever a director did, it must leave its group whole: all master, or none. */
  #look(): void {
    const alive = this.hosts.filter(({ machine }) => machine !== undefined);
    const masters = alive.filter(({ state }) => state === 'MASTER');
    if (masters.length === 0 || masters.length === this.hosts.length) return;
    const what = alive.map((host) => `${nameOf(host)} ${host.state}`).join(', ');
    throw new Complaint('split group', what);
  }
}
