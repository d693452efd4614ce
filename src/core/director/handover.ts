import { unreachable } from '../assert.ts';
import type { HandOverWord } from '../fence/heartbeat-codec.ts';
import { claimOf, isLoneClaim, nameOfClaim } from '../vrrp/group.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';
import {
  type Given,
  Giving,
  type GivingEffect,
  type GivingEvent,
  type HandOverWish,
  type Parting,
} from './giving.ts';
import type { Groups } from './groups.ts';
import type { Router } from './router.ts';
import { type Stand, Taking, type TakingEffect, type TakingEvent } from './taking.ts';

const unitOf = ({ settings: { group, name } }: Router): string => group ?? claimOf(name);

interface Ties {
  readonly ensemble: Ensemble;
  readonly routers: ReadonlyMap<string, Router>;
  /** The virtual router of that name. */
  memberOf(name: string): Router | undefined;
  readonly groups: Groups;
  emit(effect: DirectorEffect): void;
}

/** A word for the director `to`, or for all others. */
interface Saying {
  readonly to?: string;
  readonly word: HandOverWord;
}

/** A director's side of planned hand-overs: what it gives, and what it takes. */
export class HandOver {
  readonly #ties: Ties;
  readonly #giving = new Giving();
  readonly #taking = new Taking();
  readonly #give: Actor<GivingEvent>;
  readonly #take: Actor<TakingEvent>;
  /** Whether our connection table has all that the master's has, as far as that is known. */
  #complete: boolean | undefined;
  /** What has ended since something was wished; `undefined` while nothing is. */
  #given: Given[] | undefined;
  /** What is to be said at the end of this event, together: there may be hundreds of units. */
  #effects: Saying[] = [];

  constructor(ties: Ties) {
    this.#ties = ties;
    const { ensemble } = ties;
    this.#give = ensemble.join(this.#giving, (effects) => {
      for (const effect of effects) this.#performGiving(effect);
    });
    this.#take = ensemble.join(this.#taking, (effects) => {
      for (const effect of effects) this.#performTaking(effect);
    });
  }

  /** `undefined` where nothing was handed over yet. */
  memory() {
    const parts = { giving: this.#giving.memory(), taking: this.#taking.memory() };
    const own = { complete: this.#complete, given: this.#given && [...this.#given] };
    const idle = [...Object.values(parts), ...Object.values(own)].every((each) => each === undefined);
    return idle ? undefined : { ...parts, ...own };
  }

  recall(memory: ReturnType<HandOver['memory']>): void {
    if (memory === undefined) return;
    this.#giving.recall(memory.giving);
    this.#taking.recall(memory.taking);
    this.#complete = memory.complete;
    this.#given = memory.given && [...memory.given];
  }

  synced(complete: boolean): void {
    this.#complete = complete;
  }

  /** Answered by the effect `handed-over`, when all has ended that is under way. */
  wish({ names, stays, alone, why }: HandOverWish): void {
    this.#given ??= [];
    const { routers, groups } = this.#ties;
    const wanted = names?.map((name) => this.#unitOf(name)) ?? Array.from(routers.values(), unitOf);
    const parting: Parting = stays ? 'resign' : 'yield';
    for (const unit of new Set(wanted)) {
      const members = this.#membersOf(unit);
      if (members.length > 0 && members.every(({ state }) => state === 'MASTER')) {
        this.#give.handle({ type: 'give', unit, votes: groups.needVotes(unit), alone, parting, why });
      } else if (names !== undefined) {
        const reason =
          members.length === 0 ? 'there is no such virtual router or sync group' : 'it is not master here';
        this.#given.push({ unit, outcome: 'kept', why: reason });
      }
    }
  }

  hear(from: string, words: readonly HandOverWord[]): void {
    for (const word of words) {
      if (word.step === 'offer' || word.step === 'take')
        this.#take.handle({ type: 'said', from, word, stand: this.#stand(word.unit) });
      else this.#give.handle({ type: 'said', from, word });
    }
  }

  /** After each event: what has come about by now is told. */
  settle(): void {
    for (const unit of this.#giving.units) if (this.#hasLeft(unit)) this.#give.handle({ type: 'left', unit });
    for (const unit of this.#taking.units)
      if (this.#serves(unit)) this.#take.handle({ type: 'serving', unit });
    this.#speak();
    if (this.#given === undefined || this.#giving.units.length > 0) return;
    this.#ties.emit({ type: 'handed-over', given: this.#given });
    this.#given = undefined;
  }

  /** That of a virtual router or sync group. */
  #unitOf(name: string): string {
    const router = this.#ties.memberOf(name);
    return router === undefined ? name : unitOf(router);
  }

  #membersOf(unit: string): Router[] {
    const { routers, memberOf, groups } = this.#ties;
    if (!isLoneClaim(unit)) return groups.membersOf(unit).flatMap((key) => routers.get(key) ?? []);
    const router = memberOf(nameOfClaim(unit));
    return router === undefined ? [] : [router];
  }

  #hasLeft(unit: string): boolean {
    return (
      this.#membersOf(unit).every(({ state, sending }) => state !== 'MASTER' && !sending) &&
      this.#ties.groups.isFree(unit)
    );
  }

  #serves(unit: string): boolean {
    const members = this.#membersOf(unit);
    return members.length > 0 && members.every(({ serves }) => serves);
  }

  #stand(unit: string): Stand {
    const all = this.#membersOf(unit).map((router) => router.status());
    return { priority: Math.max(0, ...all.map(({ priority }) => priority)), hindrance: this.#hindrance(all) };
  }

  #hindrance(all: readonly ReturnType<Router['status']>[]): string | undefined {
    if (all.length === 0) return 'it has no such virtual router or sync group';
    const unready = all.find(({ state }) => state !== 'BACKUP');
    if (unready !== undefined) return `its ${unready.name} is ${unready.state}: ${unready.cause}`;
    const deaf = all.find(({ master }) => master === undefined);
    if (deaf !== undefined) return `its ${deaf.name} hears no master`;
    return this.#complete === false ? 'its connection table is not complete' : undefined;
  }

  #performGiving(effect: GivingEffect): void {
    switch (effect.type) {
      case 'say':
        this.#effects.push(effect);
        break;
      case 'truce':
        for (const router of this.#membersOf(effect.unit))
          router.handle({ type: 'truce', truce: effect.truce });
        break;
      case 'part':
        for (const router of this.#membersOf(effect.unit))
          router.handle({ type: effect.parting, why: effect.why });
        break;
      case 'given': {
        const { type: _, ...given } = effect;
        this.#given?.push(given);
        break;
      }
      default:
        unreachable(effect);
    }
  }

  #performTaking(effect: TakingEffect): void {
    switch (effect.type) {
      case 'say':
        this.#effects.push(effect);
        break;
      case 'take':
        for (const router of this.#membersOf(effect.unit))
          router.handle({ type: 'take', why: effect.why, truce: effect.truce });
        break;
      default:
        unreachable(effect);
    }
  }

  #speak(): void {
    const words = new Map<string | undefined, HandOverWord[]>();
    for (const { to, word } of this.#effects) {
      const before = words.get(to);
      if (before === undefined) words.set(to, [word]);
      else before.push(word);
    }
    this.#effects = [];
    for (const [to, said] of words)
      this.#ties.emit({ type: 'say', ...(to !== undefined && { to }), words: said });
  }
}
