import type { GroupHappening } from '../../core/notify/happening.ts';
import type { Standing, VrrpEvent } from '../../core/vrrp/events.ts';
import { type GroupEffect, type GroupEvent, type GroupState, VrrpGroup } from '../../core/vrrp/group.ts';
import type { GroupSettings } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';

interface Group {
  readonly machine: VrrpGroup;
  readonly driven: Driven<GroupEvent>;
}

/** The sync groups at work, and the word they have with their members. */
export class Groups {
  readonly #driver: Driver;
  readonly #tell: (member: string, event: VrrpEvent) => void;
  readonly #became: (happening: GroupHappening) => void;
  readonly #groups = new Map<string, Group>();

  /** `tell` hands an event to a member at once; `became` hears what becomes of the groups. */
  constructor(
    driver: Driver,
    tell: (member: string, event: VrrpEvent) => void,
    became: (happening: GroupHappening) => void,
  ) {
    this.#driver = driver;
    this.#tell = tell;
    this.#became = became;
  }

  /** `keyOf` is what a member's standing will come with; `undefined` for one that there is not. */
  configure(settings: readonly GroupSettings[], keyOf: (name: string) => string | undefined): void {
    const wanted = new Set(settings.map(({ name }) => name));
    for (const [name, group] of this.#groups) {
      if (wanted.has(name)) continue;
      group.driven.detach();
      this.#groups.delete(name);
    }
    for (const { name, members } of settings) {
      const keys = members.flatMap((member) => keyOf(member) ?? []);
      this.#named(name).handle({ type: 'members', members: keys });
    }
  }

  standing(group: string, member: string, standing: Standing): void {
    this.#groups.get(group)?.driven.handle({ type: 'standing', member, standing });
  }

  contested(group: string, member: string): void {
    this.#groups.get(group)?.driven.handle({ type: 'contested', member });
  }

  states(): { readonly name: string; readonly state: GroupState }[] {
    return Array.from(this.#groups, ([name, { machine }]) => ({ name, state: machine.state }));
  }

  #named(name: string): Driven<GroupEvent> {
    const known = this.#groups.get(name);
    if (known !== undefined) return known.driven;
    const machine = new VrrpGroup(name);
    const perform = (effects: readonly GroupEffect[]): void => {
      for (const effect of effects) {
        if (effect.type === 'tell') this.#tell(effect.member, effect.event);
        else this.#became({ of: 'group', name, what: effect.to, from: effect.from, cause: effect.cause });
      }
    };
    const part = { kind: 'group', name, birth: name, memory: () => machine.memory() };
    const driven = this.#driver.attach(machine, perform, part);
    this.#groups.set(name, { machine, driven });
    return driven;
  }
}
