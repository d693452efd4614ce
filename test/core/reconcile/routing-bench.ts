import * as assert from 'uvu/assert';
import { ip, parsePrefix } from '../../../src/core/ip.ts';
import type { Link } from '../../../src/core/netlink/link.ts';
import { Routing } from '../../../src/core/reconcile/routing.ts';
import {
  type RoutingEffect,
  type RoutingEvent,
  requestOfRouting,
} from '../../../src/core/reconcile/routing-events.ts';
import type { RouteSettings, RuleSettings } from '../../../src/core/reconcile/settings.ts';
import { after, type Instant, instant, seconds } from '../../../src/core/time.ts';
import { ModelTables } from './routing-model.ts';

export const link = (ifindex: number, name: string): Link => {
  return { ifindex, name, type: 1, flags: 0x11043, mtu: 1500, operState: 6 };
};
export const LINKS = [link(1, 'lan'), link(2, 'wan')];

export function route(destination: string, more: Partial<RouteSettings> = {}): RouteSettings {
  const parsed = parsePrefix(destination);
  assert.ok(parsed);
  const plain = { table: 254, protocol: 18, scope: 0, type: 1, dev: 'lan', tracked: true };
  return { destination: parsed, via: ip('10.0.0.1'), ...plain, ...more };
}

export const rule = (priority: number, more: Partial<RuleSettings> = {}): RuleSettings => {
  return { rule: { family: 4, priority, table: 100, protocol: 18 }, tracked: true, ...more };
};

/** The machine with its hands on a model of the kernel. */
export class Bench {
  readonly kernel = new ModelTables();
  readonly machine = new Routing();
  readonly told: RoutingEffect[] = [];
  readonly sent: string[] = [];
  now = instant(0);

  constructor() {
    this.event({ type: 'links', links: LINKS });
    this.show();
  }

  event(event: RoutingEvent): this {
    this.machine.handle(event, this.now);
    this.#perform();
    return this;
  }

  hold(owner: string, routes: readonly RouteSettings[], rules: readonly RuleSettings[] = []): this {
    return this.event({ type: 'hold', owner, routes, rules });
  }

  show(): void {
    this.event({ type: 'shown', routes: this.kernel.routes, rules: this.kernel.rules });
  }

  /** The monitor's events arrive. */
  hear(): void {
    for (const heard of this.kernel.heard.splice(0)) this.event(heard);
  }

  /** Time passes until nothing is left to be done, or `most` seconds. */
  pass(most = 5): void {
    const end = after(this.now, seconds(most));
    this.hear();
    for (let due = this.machine.deadline(); due !== undefined && due <= end; due = this.machine.deadline()) {
      this.now = Math.max(this.now, due) as Instant;
      this.machine.timeout(this.now);
      this.#perform();
      this.hear();
    }
    this.now = end;
  }

  #perform(): void {
    for (let effects = this.machine.take(); effects.length > 0; effects = this.machine.take()) {
      for (const effect of effects) {
        if (effect.type !== 'apply') {
          this.told.push(effect);
          continue;
        }
        assert.ok(effect.changes.length <= 50);
        const results = effect.changes.map((change) => {
          this.sent.push(requestOfRouting(change).asked);
          return { id: change.id, errno: this.kernel.apply(change) };
        });
        this.machine.handle({ type: 'done', results }, this.now);
      }
    }
  }

  /** What was sent since the last time. */
  taken(): string[] {
    return this.sent.splice(0);
  }

  get destinations(): string[] {
    return this.kernel.routes
      .map(({ destination: { ip: address, length } }) => `${address}/${length}`)
      .sort();
  }
}
