import * as assert from 'uvu/assert';
import type { VrrpEvent } from '../../../src/core/vrrp/events.ts';
import { type GroupEvent, VrrpGroup } from '../../../src/core/vrrp/group.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { at, OWN, Router } from './router.ts';

/** Two virtual routers and their sync group, wired as the shell does it: without a moment in between. */
export class GroupBench {
  readonly group = new VrrpGroup('G');
  readonly became: string[] = [];
  /** What it asked of the voters. */
  readonly votes: string[] = [];
  /** ... and with which priorities. */
  readonly asked: number[] = [];
  readonly members = new Map<string, Router>();
  /** What happened, oldest first. */
  story: string[] = [];

  constructor(changes: Partial<VrrpSettings> = {}, names: readonly string[] = ['a', 'b']) {
    this.#group({ type: 'members', members: names }, 0);
    for (const [i, name] of names.entries()) this.add(name, { group: 'G', ...changes, vrid: 10 + i });
  }

  add(name: string, changes: Partial<VrrpSettings>): void {
    this.members.set(name, new Router({ name, ...changes }));
  }

  start(name: string, s = 0): void {
    this.event(name, { type: 'link', up: true, source: OWN, why: 'up' }, s);
    this.event(name, { type: 'start' }, s);
  }

  /** The timers of a member, which may be late. */
  timeout(name: string, s: number): void {
    this.named(name).machine.timeout(at(s));
    this.#perform(name, s);
  }

  setMembers(names: readonly string[], s: number, isProtected = false): void {
    this.#group({ type: 'members', members: names, protected: isProtected }, s);
  }

  /** News of the votes. */
  vote(event: GroupEvent, s: number): void {
    this.#group(event, s);
  }

  named(name: string): Router {
    const router = this.members.get(name);
    assert.ok(router !== undefined);
    return router;
  }

  event(name: string, event: VrrpEvent, s: number): void {
    this.named(name).machine.handle(event, at(s));
    this.#perform(name, s);
  }

  /** An advert for a member, of a peer. */
  advert(name: string, priority: number, s: number): void {
    const router = this.named(name);
    this.event(name, router.packet(priority), s);
  }

  /** Lets time go by. */
  until(s: number): void {
    for (;;) {
      const due = [...this.members]
        .flatMap(([name, { machine }]) => [[name, machine.deadline()] as const])
        .filter(([, deadline]) => deadline !== undefined && deadline <= at(s))
        .sort(([, a], [, b]) => Number(a) - Number(b))[0];
      if (due === undefined) return;
      const [name, deadline] = due;
      if (deadline === undefined) return;
      this.timeout(name, (deadline - 1e9) / 1e6);
    }
  }

  get states(): string {
    return Array.from(this.members.values(), ({ state }) => state).join(' ');
  }

  #group(event: GroupEvent, s: number): void {
    this.group.handle(event, at(s));
    for (const effect of this.group.take()) {
      if (effect.type === 'became') this.became.push(`${effect.from} -> ${effect.to}: ${effect.cause}`);
      else if (effect.type !== 'tell') this.votes.push(effect.type);
      if (effect.type === 'want') this.asked.push(effect.priority);
      if (effect.type === 'tell' && this.members.has(effect.member))
        this.event(effect.member, effect.event, s);
    }
  }

  #perform(name: string, s: number): void {
    for (const effect of this.named(name).machine.take()) {
      if (effect.type === 'standing') {
        this.#group({ type: 'standing', member: name, standing: effect.standing }, s);
      } else if (effect.type === 'transition') {
        this.story.push(`${s.toFixed(2)} ${name} ${effect.from} -> ${effect.to}: ${effect.cause}`);
      } else if (effect.type === 'send' && effect.payload[2] === 0) {
        this.story.push(`${s.toFixed(2)} ${name} resigns`);
      }
    }
  }
}
