import { unreachable } from '../../core/assert.ts';
import type { GroupHappening } from '../../core/notify/happening.ts';
import type { Standing, VrrpEvent } from '../../core/vrrp/events.ts';
import {
  type GroupEffect,
  type GroupEvent,
  type GroupState,
  isLoneClaim,
  VrrpGroup,
} from '../../core/vrrp/group.ts';
import type { GroupSettings } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import type { Votes } from './votes.ts';

interface Group {
  readonly machine: VrrpGroup;
  readonly driven: Driven<GroupEvent>;
}

/** The sync groups at work, and the word they have with their members. */
export class Groups {
  readonly #driver: Driver;
  readonly #tell: (member: string, event: VrrpEvent) => void;
  readonly #became: (happening: GroupHappening) => void;
  readonly #votes: Votes;
  readonly #groups = new Map<string, Group>();

  /** `tell` hands an event to a member at once; `became` hears what becomes of the groups that the file has. */
  constructor(
    driver: Driver,
    votes: Votes,
    tell: (member: string, event: VrrpEvent) => void,
    became: (happening: GroupHappening) => void,
  ) {
    this.#votes = votes;
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
      this.#named(name).handle({ type: 'members', members: keys, protected: this.#votes.protects });
    }
  }

  standing(group: string, member: string, standing: Standing): void {
    this.#groups.get(group)?.driven.handle({ type: 'standing', member, standing });
  }

  contested(group: string, member: string): void {
    this.#groups.get(group)?.driven.handle({ type: 'contested', member });
  }

  /** News of the votes for a group. */
  voted(group: string, event: GroupEvent): void {
    this.#groups.get(group)?.driven.handle(event);
  }

  states(): { readonly name: string; readonly state: GroupState }[] {
    return Array.from(this.#groups, ([name, { machine }]) => ({ name, state: machine.state })).filter(
      ({ name }) => !isLoneClaim(name),
    );
  }

  #named(name: string): Driven<GroupEvent> {
    const known = this.#groups.get(name);
    if (known !== undefined) return known.driven;
    const machine = new VrrpGroup(name);
    const perform = (effects: readonly GroupEffect[]): void => {
      for (const effect of effects) this.#perform(name, effect);
    };
    const part = { kind: 'group', name, birth: name, memory: () => machine.memory() };
    const driven = this.#driver.attach(machine, perform, part);
    this.#groups.set(name, { machine, driven });
    return driven;
  }

  #perform(name: string, effect: GroupEffect): void {
    switch (effect.type) {
      case 'tell':
        this.#tell(effect.member, effect.event);
        break;
      case 'became': {
        const { to: what, from, cause } = effect;
        if (!isLoneClaim(name)) this.#became({ of: 'group', name, what, from, cause });
        break;
      }
      case 'want':
        this.#votes.want(name, effect.priority, effect.why);
        break;
      case 'let-go':
        this.#votes.letGo(name, effect.why);
        break;
      default:
        unreachable(effect);
    }
  }
}
