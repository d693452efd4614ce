import { unreachable } from '../assert.ts';
import type { HandOverWord } from '../fence/heartbeat-codec.ts';
import { claimOf } from '../vrrp/group.ts';
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
  readonly groups: Groups;
  emit(effect: DirectorEffect): void;
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
    const units = this.#units();
    const wanted = names?.map((name) => this.#unitOf(name)) ?? [...units.keys()];
    const parting: Parting = stays ? 'resign' : 'yield';
    for (const unit of new Set(wanted)) {
      const members = units.get(unit);
      if (members !== undefined && members.length > 0 && members.every(({ state }) => state === 'MASTER')) {
        const votes = this.#ties.groups.needVotes(unit);
        this.#give.handle({ type: 'give', unit, votes, alone, parting, why });
      } else if (names !== undefined) {
        const reason =
          members === undefined ? 'there is no such virtual router or sync group' : 'it is not master here';
        this.#given.push({ unit, outcome: 'kept', why: reason });
      }
    }
  }

  hear(from: string, word: HandOverWord): void {
    if (word.step === 'offer' || word.step === 'take')
      this.#take.handle({ type: 'said', from, word, stand: this.#stand(word.unit) });
    else this.#give.handle({ type: 'said', from, word });
  }

  /** After each event: what has come about by now is told. */
  settle(): void {
    for (const unit of this.#giving.units) if (this.#hasLeft(unit)) this.#give.handle({ type: 'left', unit });
    for (const unit of this.#taking.units)
      if (this.#serves(unit)) this.#take.handle({ type: 'serving', unit });
    if (this.#given === undefined || this.#giving.units.length > 0) return;
    this.#ties.emit({ type: 'handed-over', given: this.#given });
    this.#given = undefined;
  }

  /** The routers of each unit, by its name. */
  #units(): ReadonlyMap<string, readonly Router[]> {
    const units = new Map<string, readonly Router[]>();
    for (const router of this.#ties.routers.values()) {
      const unit = unitOf(router);
      units.set(unit, [...(units.get(unit) ?? []), router]);
    }
    return units;
  }

  /** That of a virtual router or sync group. */
  #unitOf(name: string): string {
    const router = [...this.#ties.routers.values()].find(({ settings }) => settings.name === name);
    return router === undefined ? name : unitOf(router);
  }

  #hasLeft(unit: string): boolean {
    const members = this.#units().get(unit) ?? [];
    return (
      members.every(({ state, sending }) => state !== 'MASTER' && !sending) && this.#ties.groups.isFree(unit)
    );
  }

  #serves(unit: string): boolean {
    const members = this.#units().get(unit) ?? [];
    return members.length > 0 && members.every(({ state, sending }) => state === 'MASTER' && !sending);
  }

  #stand(unit: string): Stand {
    const members = this.#units().get(unit) ?? [];
    const all = members.map((router) => router.status());
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
        this.#ties.emit(effect);
        break;
      case 'truce':
        for (const router of this.#units().get(effect.unit) ?? [])
          router.handle({ type: 'truce', truce: effect.truce });
        break;
      case 'part':
        for (const router of this.#units().get(effect.unit) ?? [])
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
        this.#ties.emit(effect);
        break;
      case 'take':
        for (const router of this.#units().get(effect.unit) ?? [])
          router.handle({ type: 'take', why: effect.why, truce: effect.truce });
        break;
      default:
        unreachable(effect);
    }
  }
}
