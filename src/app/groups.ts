import type { Standing, VrrpEvent } from '../core/vrrp/events.ts';
import { type GroupEvent, VrrpGroup } from '../core/vrrp/group.ts';
import type { GroupSettings } from '../core/vrrp/settings.ts';
import type { Driven, Driver } from '../io/drive.ts';

/** The sync groups at work, and the word they have with their members. */
export class Groups {
  readonly #driver: Driver;
  readonly #tell: (member: string, event: VrrpEvent) => void;
  readonly #groups = new Map<string, Driven<GroupEvent>>();

  /** `tell` hands an event to a member at once. */
  constructor(driver: Driver, tell: (member: string, event: VrrpEvent) => void) {
    this.#driver = driver;
    this.#tell = tell;
  }

  /** `keyOf` is what a member's standing will come with; `undefined` for one that there is not. */
  configure(settings: readonly GroupSettings[], keyOf: (name: string) => string | undefined): void {
    const wanted = new Set(settings.map(({ name }) => name));
    for (const [name, group] of this.#groups) {
      if (wanted.has(name)) continue;
      group.detach();
      this.#groups.delete(name);
    }
    for (const { name, members } of settings) {
      const keys = members.flatMap((member) => keyOf(member) ?? []);
      this.#named(name).handle({ type: 'members', members: keys });
    }
  }

  standing(group: string, member: string, standing: Standing): void {
    this.#groups.get(group)?.handle({ type: 'standing', member, standing });
  }

  #named(name: string): Driven<GroupEvent> {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group = this.#driver.attach(new VrrpGroup(name), (effects) => {
      for (const { member, event } of effects) this.#tell(member, event);
    });
    this.#groups.set(name, group);
    return group;
  }
}
