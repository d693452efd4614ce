import type { Machine } from '../machine.ts';
import { type Duration, type Instant, micros } from '../time.ts';
import type { Standing, VrrpEvent, VrrpState } from './events.ts';
import type { GroupSettings, TrackSettings, VrrpSettings } from './settings.ts';

export type GroupEvent =
  /** Exactly these members from now on, by any identity that the shell likes; `protected`: by votes (core/fence). */
  | { readonly type: 'members'; readonly members: readonly string[]; readonly protected?: boolean }
  /** How a member stands, at each change: its effect `standing`. */
  | { readonly type: 'standing'; readonly member: string; readonly standing: Standing }
  /** A member that is master heard a lesser one: its effect `contested`. */
  | { readonly type: 'contested'; readonly member: string }
  /** The votes for what the effect `want` wanted are there. */
  | { readonly type: 'authorised' }
  /** They have gone. */
  | { readonly type: 'lost'; readonly why: string }
  /** Another director, with this effective priority, would be master in our place. */
  | { readonly type: 'challenged'; readonly by: string; readonly priority: number };

/** What the group is as a whole: INIT until its members agree for the first time. */
export type GroupState = VrrpState;

export type GroupEffect =
  /** What a member is to be told, at once. */
  | {
      readonly type: 'tell';
      readonly member: string;
      readonly event: Extract<VrrpEvent, { type: 'group' | 'elect' | 'yield' | 'resign' | 'contest' }>;
    }
  /** All members would be master: the votes are to be asked for. */
  | { readonly type: 'want'; readonly priority: number; readonly why: string }
  /** No member is master, or would be: the votes are free, and every address has gone. */
  | { readonly type: 'let-go'; readonly why: string }
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
 * A protected group wants votes first, and elects when it has them; without them its masters cease to be it.
 *
 * It has no timers. The shell hands standings over as the effects come, so that a group is never split for longer
 * than it takes to perform them.
 */
export class VrrpGroup implements Machine<GroupEvent, GroupEffect> {
  readonly #name: string;
  readonly #members = new Map<string, Member>();
  #effects: GroupEffect[] = [];
  #state: GroupState = 'INIT';
  /** How it stands with the votes; `free`: none are needed. */
  #votes: 'free' | 'none' | 'wanted' | 'there' = 'free';

  constructor(name: string) {
    this.#name = name;
  }

  handle(event: GroupEvent, _now: Instant): void {
    switch (event.type) {
      case 'members':
        this.#setMembers(event.members);
        this.#protect(event.protected ?? false);
        break;
      case 'standing':
        this.#stands(event.member, event.standing);
        break;
      case 'contested':
        this.#contested(event.member);
        break;
      case 'authorised':
        if (this.#votes === 'wanted') this.#votes = 'there';
        break;
      case 'lost':
        if (this.#votes !== 'free') this.#votes = 'none';
        this.#yield(event.why);
        break;
      case 'challenged':
        // Said aloud, a third director would follow before the challenger has all votes, and be challenged in turn.
        if (event.priority > this.#priority)
          this.#yield(`${event.by} has priority ${event.priority}, and asks for the votes`, true);
        break;
    }
    this.#passFaults();
    this.#align();
    this.#become();
  }

  memory() {
    const members = new Map(Array.from(this.#members, ([name, member]) => [name, { ...member }]));
    return { members, state: this.#state, votes: this.#votes };
  }

  recall({ members, state, votes }: ReturnType<VrrpGroup['memory']>): void {
    for (const [name, member] of members) this.#members.set(name, { ...member });
    this.#state = state;
    this.#votes = votes;
  }

  get state(): GroupState {
    return this.#state;
  }

  /** Whether it needs votes, and whether it has asked for them and not given them back. */
  get votes(): { readonly needed: boolean; readonly asked: boolean } {
    return { needed: this.#votes !== 'free', asked: this.#votes === 'wanted' || this.#votes === 'there' };
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
    if (members.length > 0 && members.every(([, { standing }]) => isReady(standing))) {
      if (!this.#isAuthorised()) return;
      for (const [name, { standing }] of members) {
        if (standing?.state !== 'MASTER') this.#tell(name, { type: 'elect' });
      }
      return;
    }
    this.#letGo();
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

  // Votes.

  #protect(wanted: boolean): void {
    if (!wanted) this.#votes = 'free';
    else if (this.#votes === 'free') this.#votes = 'none';
  }

  /** Whether its members may be master now; wants the votes where they may not. */
  #isAuthorised(): boolean {
    const standings = Array.from(this.#members.values(), ({ standing }) => standing);
    // Masters that have just lost the votes cease to be it first.
    if (this.#votes === 'none' && standings.some((standing) => standing?.state === 'MASTER')) return false;
    if (this.#votes === 'none') {
      this.#votes = 'wanted';
      const why = standings.map((standing) => standing?.candidate ?? '').join('; ');
      // Who would leave a lesser master alone asks with the least priority: that one may be there, unheard.
      const spares = standings.some((standing) => standing?.spares);
      this.#effects.push({ type: 'want', priority: spares ? 0 : this.#priority, why });
    }
    return this.#votes === 'free' || this.#votes === 'there';
  }

  /** The votes are free as soon as no member is master. */
  #letGo(): void {
    if (this.#votes !== 'wanted' && this.#votes !== 'there') return;
    const standings = Array.from(this.#members.values(), ({ standing }) => standing);
    if (standings.some((standing) => standing?.state === 'MASTER')) return;
    this.#votes = 'none';
    const unready = standings.find((standing) => !isReady(standing));
    this.#effects.push({
      type: 'let-go',
      why: unready?.fault ?? `a member is ${unready?.state ?? 'not there'}`,
    });
  }

  /** Masters cease to be it. */
  #yield(why: string, quiet = false): void {
    for (const [name, { standing }] of this.#members) {
      if (standing?.state === 'MASTER') this.#tell(name, { type: 'yield', why, quiet });
    }
  }

  /** The best of its members' effective priorities. */
  get #priority(): number {
    return Math.max(0, ...Array.from(this.#members.values(), ({ standing }) => standing?.priority ?? 0));
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
 * different effective priorities would pull a group apart. How they take over, the group says.
 */
export function memberSettings(
  instances: readonly VrrpSettings[],
  groups: readonly GroupSettings[],
): VrrpSettings[] {
  return instances.map((settings) => {
    const group = groups.find(({ members }) => members.includes(settings.name));
    if (group === undefined) return settings;
    const own = (settings.track ?? []).filter((line) => group.weights || line.weight === 0);
    const { takeoverPolicy: _, ...rest } = settings;
    const { takeoverPolicy } = group;
    return {
      ...rest,
      group: group.name,
      track: merged(own, group.track),
      ...(takeoverPolicy && { takeoverPolicy }),
    };
  });
}

/** The group's lines, and the member's own where the group has none for the same thing. */
function merged(own: readonly TrackSettings[], group: readonly TrackSettings[]): TrackSettings[] {
  const known = new Set(group.map(({ kind, name }) => `${kind} ${name}`));
  return [...group, ...own.filter(({ kind, name }) => !known.has(`${kind} ${name}`))];
}

const LONE = 'vrrp_instance ';

/** The claim of a protected virtual router that is in no sync group; what it is called in a planned hand-over, too. */
export const claimOf = (router: string): string => `${LONE}${router}`;

/** Whether this is the group of a protected virtual router that is in none of the file's. */
export const isLoneClaim = (group: string): boolean => group.startsWith(LONE);

/** The name of the virtual router or sync group that a claim is for. */
export const nameOfClaim = (claim: string): string => (isLoneClaim(claim) ? claim.slice(LONE.length) : claim);

/**
 * The groups of protected virtual routers: those of the file, and one for each router that is in none. Votes are for a
 * group: its name is the claim.
 */
export function claims(
  instances: readonly VrrpSettings[],
  groups: readonly GroupSettings[],
): GroupSettings[] {
  const grouped = new Set(groups.flatMap(({ members }) => members));
  const lone = instances.filter(({ name }) => !grouped.has(name));
  return [
    ...groups,
    ...lone.map(({ name, onFenceFailure, takeoverPolicy }) => ({
      name: claimOf(name),
      members: [name],
      track: [],
      weights: true,
      ...(onFenceFailure && { onFenceFailure }),
      ...(takeoverPolicy && { takeoverPolicy }),
    })),
  ];
}

/** How long a vote for these may last at most, so that it costs no time: as long as a backup waits for adverts. */
export const promiseFor = (members: readonly VrrpSettings[], margin: number): Duration =>
  micros(
    Math.floor(
      Math.min(...members.map(({ advertInterval, downAdverts }) => advertInterval * downAdverts)) /
        (1 + margin),
    ),
  );

/** The same for each claim, by its name. */
export const promisesOf = (
  claimed: readonly GroupSettings[],
  instances: readonly VrrpSettings[],
  margin: number,
): ReadonlyMap<string, Duration> =>
  new Map(
    claimed.map(({ name, members }) => {
      const own = instances.filter((instance) => members.includes(instance.name));
      return [name, promiseFor(own, margin)];
    }),
  );
