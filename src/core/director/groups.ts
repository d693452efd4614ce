import { unreachable } from '../assert.ts';
import type { Standing, VrrpEvent } from '../vrrp/events.ts';
import { type GroupEffect, type GroupEvent, type GroupState, isLoneClaim, VrrpGroup } from '../vrrp/group.ts';
import type { GroupSettings } from '../vrrp/settings.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';

interface Group {
  readonly machine: VrrpGroup;
  readonly actor: Actor<GroupEvent>;
  /** By their keys. */
  members: readonly string[];
  /** Why the votes are to be given back, as soon as no address of it is answered for. */
  leaving: string | undefined;
}

/** The sync groups at work, and the word they have with their members. */
export class Groups {
  readonly #ensemble: Ensemble;
  readonly #emit: (effect: DirectorEffect) => void;
  readonly #tell: (member: string, event: VrrpEvent) => void;
  readonly #exposed: (member: string) => boolean;
  readonly #groups = new Map<string, Group>();

  /**
   * `tell` hands an event to a member at once. `exposed`: whether what it has given up is still answered for:
   * the kernel may refuse to remove them, and until they are gone nobody else may have the votes.
   */
  constructor(
    ensemble: Ensemble,
    emit: (effect: DirectorEffect) => void,
    tell: (member: string, event: VrrpEvent) => void,
    exposed: (member: string) => boolean,
  ) {
    this.#ensemble = ensemble;
    this.#emit = emit;
    this.#tell = tell;
    this.#exposed = exposed;
  }

  memory() {
    return new Map(
      Array.from(this.#groups, ([name, { machine, members, leaving }]) => [
        name,
        { machine: machine.memory(), members, leaving },
      ]),
    );
  }

  recall(memory: ReturnType<Groups['memory']>): void {
    for (const [name, { machine, members, leaving }] of memory) {
      const group = this.#named(name);
      group.machine.recall(machine);
      [group.members, group.leaving] = [members, leaving];
    }
  }

  /** After each event: votes are given back whose addresses have gone by now. */
  settle(): void {
    for (const [name, group] of this.#groups) if (group.leaving !== undefined) this.#letGo(name, group);
  }

  /** `keyOf` is what a member's standing will come with; `votes`: members need them. */
  configure(
    settings: readonly GroupSettings[],
    keyOf: (name: string) => string | undefined,
    votes: boolean,
  ): void {
    const wanted = new Set(settings.map(({ name }) => name));
    for (const [name, group] of this.#groups) {
      if (wanted.has(name)) continue;
      group.actor.leave();
      this.#groups.delete(name);
    }
    for (const { name, members } of settings) {
      const keys = members.flatMap((member) => keyOf(member) ?? []);
      const group = this.#named(name);
      group.members = keys;
      group.actor.handle({ type: 'members', members: keys, protected: votes });
    }
  }

  standing(group: string, member: string, standing: Standing): void {
    this.#groups.get(group)?.actor.handle({ type: 'standing', member, standing });
  }

  contested(group: string, member: string): void {
    this.#groups.get(group)?.actor.handle({ type: 'contested', member });
  }

  /** News of the votes for a group. */
  voted(group: string, event: GroupEvent): void {
    this.#groups.get(group)?.actor.handle(event);
  }

  /** By their keys. */
  membersOf(group: string): readonly string[] {
    return this.#groups.get(group)?.members ?? [];
  }

  needVotes(group: string): boolean {
    return this.#groups.get(group)?.machine.votes.needed ?? false;
  }

  /** Whether no votes are held for it: it has given them back, or needs none. */
  isFree(name: string): boolean {
    const group = this.#groups.get(name);
    return group === undefined || (group.leaving === undefined && !group.machine.votes.asked);
  }

  /** Of the groups that the file has. */
  states(): { readonly name: string; readonly state: GroupState }[] {
    return Array.from(this.#groups, ([name, { machine }]) => ({ name, state: machine.state })).filter(
      ({ name }) => !isLoneClaim(name),
    );
  }

  #named(name: string): Group {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const machine = new VrrpGroup(name);
    const perform = (effects: readonly GroupEffect[]): void => {
      for (const effect of effects) this.#perform(name, effect);
    };
    const actor = this.#ensemble.join(machine, perform, { kind: 'group', name, machine });
    const group: Group = { machine, actor, members: [], leaving: undefined };
    this.#groups.set(name, group);
    return group;
  }

  #perform(name: string, effect: GroupEffect): void {
    switch (effect.type) {
      case 'tell':
        this.#tell(effect.member, effect.event);
        break;
      case 'became': {
        const { to: what, from, cause } = effect;
        if (isLoneClaim(name)) break;
        this.#emit({ type: 'happened', happening: { of: 'group', name, what, from, cause } });
        break;
      }
      case 'want':
        this.#named(name).leaving = undefined;
        this.#emit({ type: 'want', group: name, priority: effect.priority, why: effect.why });
        break;
      case 'let-go': {
        const group = this.#named(name);
        group.leaving = effect.why;
        this.#letGo(name, group);
        break;
      }
      default:
        unreachable(effect);
    }
  }

  #letGo(name: string, group: Group): void {
    const { members, leaving: why } = group;
    if (why === undefined || members.some(this.#exposed)) return;
    group.leaving = undefined;
    this.#emit({ type: 'let-go', group: name, why });
  }
}
