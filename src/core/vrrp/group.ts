import type { Machine } from '../machine.ts';
import type { Instant } from '../time.ts';
import type { Standing, VrrpEvent, VrrpState } from './events.ts';
import type { GroupSettings, TrackSettings, VrrpSettings } from './settings.ts';

export type GroupEvent =
  /** Exactly these members from now on, by any identity that the shell likes. */
  | { readonly type: 'members'; readonly members: readonly string[] }
  /** How a member stands, at each change: its effect `standing`. */
  | { readonly type: 'standing'; readonly member: string; readonly standing: Standing }
  /** A member that is master heard a lesser one: its effect `contested`. */
  | { readonly type: 'contested'; readonly member: string };

/** What the group is as a whole: INIT until its members agree for the first time. */
export type GroupState = VrrpState;

export type GroupEffect =
  /** What a member is to be told, at once. */
  | {
      readonly type: 'tell';
      readonly member: string;
      readonly event: Extract<VrrpEvent, { type: 'group' | 'elect' | 'yield' | 'resign' | 'contest' }>;
    }
  /** All members are in this state now. */
  | {
      readonly type: 'became';
      readonly from: GroupState;
      readonly to: Exclude<GroupState, 'INIT'>;
      readonly cause: string;
    };

interface Member {
  /** `undefined` until it is heard of. */
  standing: Standing | undefined;
  /** The fault of others that it was told of. */
  told: string | undefined;
  /** It has found its place: it may be master, or knows who is. Until then it takes nobody down. */
  settled: boolean;
}

/**
 * A sync group: virtual routers that are master together or not at all (keepalived's `vrrp_sync_group`).
 *
 * Members go to MASTER only when each of them would: the last candidate elects all. One that ceases to be master
 * takes the others down, which resign, so that their new master need not wait for silence. A fault of one is a
 * fault of all, until no member has one of its own. Who joins a group that is master already, by a reload, gets
 * the time to become a candidate.
 *
 * It has no timers. The shell hands standings over as the effects come, so that a group is never split for longer
 * than it takes to perform them.
 */
export class VrrpGroup implements Machine<GroupEvent, GroupEffect> {
  readonly #name: string;
  readonly #members = new Map<string, Member>();
  #effects: GroupEffect[] = [];
  #state: GroupState = 'INIT';

  constructor(name: string) {
    this.#name = name;
  }

  handle(event: GroupEvent, _now: Instant): void {
    if (event.type === 'members') this.#setMembers(event.members);
    else if (event.type === 'contested') this.#contested(event.member);
    else this.#stands(event.member, event.standing);
    this.#passFaults();
    this.#align();
    this.#become();
  }

  memory() {
    const members = new Map(Array.from(this.#members, ([name, member]) => [name, { ...member }]));
    return { members, state: this.#state };
  }

  recall({ members, state }: ReturnType<VrrpGroup['memory']>): void {
    for (const [name, member] of members) this.#members.set(name, { ...member });
    this.#state = state;
  }

  get state(): GroupState {
    return this.#state;
  }

  deadline(): undefined {
    return undefined;
  }

  timeout(): void {
    // Nothing waits here.
  }

  take(): GroupEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #setMembers(members: readonly string[]): void {
    const wanted = new Set(members);
    for (const member of this.#members.keys()) if (!wanted.has(member)) this.#members.delete(member);
    for (const member of wanted) {
      const known = this.#members.get(member);
      this.#members.set(member, known ?? { standing: undefined, told: undefined, settled: false });
    }
  }

  #stands(name: string, standing: Standing): void {
    const member = this.#members.get(name);
    // Who was just taken out stops, and has nothing to say here.
    if (member === undefined) return;
    member.standing = standing;
    member.settled ||= isReady(standing) || standing.follows || standing.state === 'FAULT';
  }

  /** Neighbours of the others may have heard a lesser master, too (keepalived's garp_lower_prio). */
  #contested(by: string): void {
    for (const [name, { standing }] of this.#members) {
      if (name !== by && standing?.state === 'MASTER') this.#tell(name, { type: 'contest' });
    }
  }

  #passFaults(): void {
    for (const [name, member] of this.#members) {
      const fault = this.#faultBeside(name);
      if (member.standing === undefined || fault === member.told) continue;
      member.told = fault;
      this.#tell(name, { type: 'group', fault });
    }
  }

  /** What keeps the others from serving keeps this one, too. */
  #faultBeside(name: string): string | undefined {
    for (const [other, { standing }] of this.#members) {
      if (other !== name && standing?.fault !== undefined)
        return `sync group ${this.#name}: ${standing.fault}`;
    }
    return undefined;
  }

  /** Elects those who are not master yet when all are ready, and takes masters down when one is not. */
  #align(): void {
    const members = [...this.#members];
    if (members.every(([, { standing }]) => isReady(standing))) {
      for (const [name, { standing }] of members) {
        if (standing?.state !== 'MASTER') this.#tell(name, { type: 'elect' });
      }
      return;
    }
    const hindrance = members.find(([, { standing, settled }]) => settled && !isReady(standing));
    if (hindrance === undefined) return;
    const [hinders, { standing: its }] = hindrance;
    const why = `sync group ${this.#name}: ${hinders} ${its?.resigned ? 'hands over' : `is ${its?.state}`}`;
    // A planned hand-over is one of all: none of them preempts who takes over.
    const type = its?.resigned ? 'resign' : 'yield';
    for (const [name, { standing }] of members) {
      if (standing?.state === 'MASTER') this.#tell(name, { type, why });
    }
  }

  /** The last of the members to change makes it the group's state. */
  #become(): void {
    const standings = Array.from(this.#members.values(), ({ standing }) => standing);
    const to = standings[0]?.state;
    if (to === undefined || to === 'INIT' || to === this.#state) return;
    if (!standings.every((standing) => standing?.state === to)) return;
    const fault = standings.find((standing) => standing?.fault !== undefined)?.fault;
    const cause = to === 'FAULT' && fault !== undefined ? fault : `all members are ${to}`;
    this.#effects.push({ type: 'became', from: this.#state, to, cause });
    this.#state = to;
  }

  #tell(member: string, event: Extract<GroupEffect, { type: 'tell' }>['event']): void {
    this.#effects.push({ type: 'tell', member, event });
  }
}

const isReady = (standing: Standing | undefined): boolean =>
  standing?.state === 'MASTER' || standing?.candidate !== undefined;

/**
 * The settings that virtual routers work with: those in a group know it, and track what it tracks. Their own
 * trackers with a weight do not count there, as in keepalived, unless `sync_group_tracking_weight` lets them:
 * different effective priorities would pull a group apart.
 */
export function memberSettings(
  instances: readonly VrrpSettings[],
  groups: readonly GroupSettings[],
): VrrpSettings[] {
  return instances.map((settings) => {
    const group = groups.find(({ members }) => members.includes(settings.name));
    if (group === undefined) return settings;
    const own = (settings.track ?? []).filter((line) => group.weights || line.weight === 0);
    return { ...settings, group: group.name, track: merged(own, group.track) };
  });
}

/** The group's lines, and the member's own where the group has none for the same thing. */
function merged(own: readonly TrackSettings[], group: readonly TrackSettings[]): TrackSettings[] {
  const known = new Set(group.map(({ kind, name }) => `${kind} ${name}`));
  return [...group, ...own.filter(({ kind, name }) => !known.has(`${kind} ${name}`))];
}
