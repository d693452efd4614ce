import type { Mutant } from './mutant.ts';

const addresses = ['reconcile/addresses', 'reconcile/own-addresses', 'reconcile/property'];
const routing = ['reconcile/routing', 'reconcile/property'];
const leases = ['reconcile/leases', 'reconcile/lease-turns'];
const routers = { of: 'routers' } as const;

/** Breakages of core/reconcile: what is in the kernel, against what should be. */
export const KERNEL: readonly Mutant[] = [
  {
    name: "the packet filter's lease is counted from when it is renewed, not from its advert",
    file: 'reconcile/lease-owner.ts',
    before: 'return leaseTimeout(this.#term, tick, since(now, this.#authority), votes);',
    after: 'return leaseTimeout(this.#term, tick, micros(0), votes);',
    unit: leases,
  },
  {
    name: "a renewal of the packet filter's lease survives its end",
    file: 'reconcile/leases.ts',
    before: 'this.#due.delete(owner);\n    for (const entry',
    after: 'for (const entry',
    unit: leases,
  },
  {
    name: 'the end of the votes does not shorten a lifetime',
    file: 'reconcile/entry.ts',
    before: 'lifetimeAt(lease, since(now, authority), until && since(until, now))',
    after: 'lifetimeAt(lease, since(now, authority), undefined)',
    unit: addresses,
    simulator: { of: 'clusters' },
  },
  {
    name: 'a lease is never renewed',
    file: 'reconcile/entry.ts',
    before: 'return grant.lease > 0 && since(grant.authority, covered.authority) >= grant.lease / 4;',
    after: 'return false;',
    unit: addresses,
    simulator: routers,
  },
  {
    name: "the host's own address is removed",
    file: 'reconcile/addresses.ts',
    before: 'return this.#marks && this.#shown.get(dev, key)?.protocol !== OURS;',
    after: 'return this.#marks && key.length === 0;',
    unit: addresses,
  },
  {
    name: 'what an earlier life left stays',
    file: 'reconcile/addresses.ts',
    before:
      'const entries = new Set(leftovers.flatMap((held) => [...this.#alikeOf(held), this.#entryOf(held)]));',
    after: 'const entries = new Set(leftovers.slice(leftovers.length).map((held) => this.#entryOf(held)));',
    unit: addresses,
    simulator: routers,
  },
  {
    name: 'what was refused is not tried again',
    file: 'reconcile/addresses.ts',
    before: '      this.#underway.wait(entry, entry.notBefore);',
    after: '      this.#underway.stopWaiting(entry);',
    unit: addresses,
    simulator: routers,
  },
  {
    name: 'an address that somebody removes stays away',
    file: 'reconcile/addresses.ts',
    before: 'if (!staysAway(entry, now)) this.#install(entry, now);',
    after: 'if (!staysAway(entry, now) && entry.covered === undefined) this.#install(entry, now);',
    unit: addresses,
    simulator: { of: 'routers', must: true },
  },
  {
    name: 'rules come before their routes',
    file: 'reconcile/routing.ts',
    before: 'const RANK = { leftover: 0, addRoute: 1, addRule: 2,',
    after: 'const RANK = { leftover: 0, addRoute: 2, addRule: 1,',
    unit: routing,
  },
  {
    name: 'removal before addition: routes',
    file: 'reconcile/routing.ts',
    before: 'const RANK = { leftover: 0, addRoute: 1, addRule: 2, removeRule: 3, removeRoute: 4 }',
    after: 'const RANK = { leftover: 0, addRoute: 3, addRule: 4, removeRule: 1, removeRoute: 2 }',
    unit: [...routing, 'director/director'],
  },
  {
    name: 'routes in doubt are not asked for',
    file: 'reconcile/routing.ts',
    before: '      if (!entry.item.settings.tracked || !entry.installed) continue;\n',
    after: '      if (entry.installed) continue;\n',
    unit: routing,
  },
  {
    name: 'an interface that another made is taken',
    file: 'reconcile/vmacs.ts',
    before: "else if (there.kind === wanted.sort.kind && VIRTUAL_MAC.test(there.mac ?? '')) {",
    after: "else if (there.kind !== undefined || VIRTUAL_MAC.test(there.mac ?? '')) {",
    unit: ['reconcile/vmacs'],
  },
];
