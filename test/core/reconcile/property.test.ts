import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Prefix, parsePrefix } from '../../../src/core/ip.ts';
import { FOREVER, type InterfaceAddress } from '../../../src/core/netlink/address.ts';
import { MAX_BATCH } from '../../../src/core/netlink/message.ts';
import { Addresses } from '../../../src/core/reconcile/addresses.ts';
import { nameOf } from '../../../src/core/reconcile/entry.ts';
import type { AddressChange, AddressesEvent, HeldAddress } from '../../../src/core/reconcile/events.ts';
import { after, type Duration, type Instant, instant, millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { link, ModelKernel } from './kernel-model.ts';

/** Whatever happens, the kernel ends up with what is wanted, and nothing outlives its lease. */
const property = suite('virtual addresses, any history');

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}

/** Primaries and secondaries, host prefixes, both families, an interface that may be missing. */
const UNIVERSE: readonly HeldAddress[] = [
  ...['10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24', '10.1.0.1/32', 'fe80::5/64', '2001:db8::1/128'].map(
    (text) => ({
      dev: 'eth0',
      address: prefix(text),
      scope: 0,
    }),
  ),
  { dev: 'eth1', address: prefix('10.0.0.1/24'), scope: 0 },
];
const OWNERS = ['VI_1', 'VI_2'] as const;

type Step =
  | { readonly do: 'hold'; readonly owner: number; readonly which: number; readonly lease: number }
  | { readonly do: 'renew' | 'release'; readonly owner: number; readonly which: number }
  | { readonly do: 'steal' | 'intrude'; readonly which: number }
  | { readonly do: 'unplug' | 'plug' | 'resync' }
  | { readonly do: 'fail'; readonly errno: number }
  /** The process runs, or is frozen, for so many milliseconds. */
  | { readonly do: 'run' | 'freeze'; readonly ms: number };

const owner = fc.nat(1);
const which = fc.nat(2 ** UNIVERSE.length - 1);
const one = fc.nat(UNIVERSE.length - 1);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('hold' as const), owner, which, lease: fc.constantFrom(0, 1, 2, 3) }),
  fc.record({ do: fc.constantFrom('renew' as const, 'release' as const), owner, which }),
  fc.record({ do: fc.constantFrom('steal' as const, 'intrude' as const), which: one }),
  fc.record({ do: fc.constantFrom('unplug' as const, 'plug' as const, 'resync' as const) }),
  fc.record({ do: fc.constant('fail' as const), errno: fc.constantFrom(1, 12, 17, 22, 105) }),
  fc.record({ do: fc.constantFrom('run' as const, 'freeze' as const), ms: fc.nat(4_000) }),
);

interface Held {
  readonly lease: Duration;
  readonly names: ReadonlySet<string>;
  authority: Instant;
}

class World {
  readonly machine = new Addresses();
  readonly kernel = new ModelKernel();
  readonly held = new Map<string, Held>();
  /** Put there by somebody else while nobody held it: none of our business. */
  readonly foreign = new Set<string>();
  now: Instant = instant(1e9);

  constructor() {
    this.#tellLinks();
    this.handle({ type: 'shown', addresses: [] });
  }

  handle(event: AddressesEvent): void {
    this.machine.handle(event, this.now);
    this.#perform();
  }

  #tellLinks(): void {
    const links = Array.from(this.kernel.links, ([ifindex, name]) => link(ifindex, name));
    this.handle({ type: 'links', links });
  }

  #perform(): void {
    for (const effect of this.machine.take()) {
      if (effect.type !== 'apply') continue;
      assert.ok(effect.changes.length > 0 && effect.changes.length <= MAX_BATCH);
      const results = effect.changes.map((change) => {
        this.#judge(change);
        return { id: change.id, errno: this.kernel.apply(change, this.now) };
      });
      this.handle({ type: 'done', results });
    }
  }

  /** Authority: every installation rests on an owner's fresh advert, and ends with its lease. */
  #judge({ op, address }: AddressChange): void {
    if (op === 'remove') return;
    const name = nameOf(this.kernel.links.get(address.ifindex) ?? 'gone', address.address);
    const owners = [...this.held.values()].filter(({ names }) => names.has(name) || name.startsWith('gone'));
    const ends = after(this.now, seconds(address.valid));
    const allowed = owners.some(({ lease, authority }) =>
      lease === 0
        ? address.valid === FOREVER
        : this.now - authority <= lease && ends <= after(after(authority, lease), seconds(0.5)),
    );
    assert.ok(allowed, `${op} ${name} for ${address.valid} s on stale authority`);
  }

  /** The monitor is heard, then the deadlines, as the shell does. */
  turn(): void {
    this.kernel.expire(this.now);
    const heard = this.kernel.heard;
    this.kernel.heard = [];
    for (const { address, present } of heard) this.handle({ type: 'seen', address, present });
    const deadline = this.machine.deadline();
    if (deadline === undefined || deadline > this.now) return;
    this.machine.timeout(this.now);
    this.#perform();
  }

  run(ms: number, renewing: boolean): void {
    for (let passed = 0; passed < ms; passed += 100) {
      this.now = after(this.now, millis(100));
      this.turn();
      if (!renewing || passed % 300 !== 0) continue;
      for (const name of this.held.keys()) this.renew(name);
    }
    this.turn();
  }

  renew(name: string): void {
    const held = this.held.get(name);
    if (held !== undefined) held.authority = this.now;
    this.handle({ type: 'renew', owner: name });
  }

  step(step: Step): void {
    // The shell reads the sockets first: what is there is known when an owner releases it.
    if (step.do === 'hold' || step.do === 'release') this.turn();
    switch (step.do) {
      case 'hold': {
        const addresses = UNIVERSE.filter((_, i) => (step.which >> i) & 1);
        const names = new Set(addresses.map(({ dev, address }) => nameOf(dev, address)));
        const lease = seconds(step.lease);
        this.#own(names);
        this.held.set(ownerName(step.owner), { lease, names, authority: this.now });
        this.handle({ type: 'hold', owner: ownerName(step.owner), addresses, lease });
        break;
      }
      case 'renew':
        this.renew(ownerName(step.owner));
        break;
      case 'release': {
        const leftovers = UNIVERSE.filter((_, i) => (step.which >> i) & 1);
        this.held.delete(ownerName(step.owner));
        this.#own(new Set(leftovers.map(({ dev, address }) => nameOf(dev, address))));
        this.handle({ type: 'release', owner: ownerName(step.owner), leftovers });
        break;
      }
      case 'steal':
      case 'intrude':
        this.#meddle(step.do, step.which);
        break;
      case 'unplug':
      case 'plug':
        if (step.do === 'unplug') this.kernel.unplug(4);
        else this.kernel.links.set(4, 'eth1');
        this.#tellLinks();
        break;
      case 'resync':
        this.#resync();
        break;
      case 'fail':
        this.kernel.failures.push(step.errno);
        break;
      default:
        if (step.do === 'run') this.run(step.ms, false);
        else this.now = after(this.now, millis(step.ms));
    }
  }

  #own(names: ReadonlySet<string>): void {
    for (const name of names) this.foreign.delete(name);
  }

  #meddle(how: 'steal' | 'intrude', index: number): void {
    const held = UNIVERSE[index];
    if (held === undefined) return;
    const name = nameOf(held.dev, held.address);
    if (how === 'steal') {
      this.kernel.steal(name);
      return;
    }
    const ifindex = held.dev === 'eth0' ? 3 : 4;
    const isHeld = [...this.held.values()].some(({ names }) => names.has(name));
    if (!isHeld) this.foreign.add(name);
    this.kernel.intrude(permanent(ifindex, held.address));
  }

  /** Events were lost; what is asked for tells all. */
  #resync(): void {
    this.kernel.expire(this.now);
    this.kernel.heard = [];
    this.#tellLinks();
    this.handle({ type: 'shown', addresses: this.kernel.addresses });
  }

  wanted(): string[] {
    const names = [...this.held.values()].flatMap((held) => [...held.names]);
    const links = new Set(this.kernel.links.values());
    return [...new Set(names)].filter((name) => links.has(name.slice(0, name.indexOf(' ')))).sort();
  }
}

const ownerName = (index: number): string => OWNERS[index] ?? 'VI_1';
const permanent = (ifindex: number, address: Prefix): InterfaceAddress => ({
  ifindex,
  address,
  scope: 0,
  flags: 0,
  valid: FOREVER,
  preferred: FOREVER,
});

/** Somebody removes addresses, they are put back, and go with their owner before their return was seen. */
const REMOVED_WHILE_RELEASED: Step[] = [
  { do: 'hold', owner: 0, which: 95, lease: 3 },
  { do: 'hold', owner: 0, which: 62, lease: 0 },
  { do: 'steal', which: 1 },
  { do: 'release', owner: 0, which: 0 },
];

property('while owners renew, the kernel has what they hold and nothing else of ours', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), (history) => {
      const world = new World();
      for (const step of history) world.step(step);
      world.kernel.failures = [];
      world.run(6_000, true);
      const wanted = world.wanted();
      assert.equal(
        world.kernel.names.filter((name) => wanted.includes(name) || !world.foreign.has(name)),
        wanted,
      );
    }),
    { numRuns: 1_500, examples: [[REMOVED_WHILE_RELEASED]] },
  );
});

property('when nobody renews, whatever has a lease goes by itself', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40 }), fc.boolean(), (history, frozen) => {
      const world = new World();
      for (const step of history) world.step(step);
      world.kernel.failures = [];
      // The process runs on without adverts, or is frozen; the kernel is neither.
      if (!frozen) world.run(5_000, false);
      world.now = after(world.now, seconds(5));
      world.kernel.expire(world.now);
      const leased = [...world.held.values()].filter(({ lease }) => lease > 0);
      const permanentNames = new Set(
        [...world.held.values()].filter(({ lease }) => lease === 0).flatMap(({ names }) => [...names]),
      );
      for (const name of leased.flatMap(({ names }) => [...names])) {
        const stays = permanentNames.has(name) || world.kernel.expiryOf(name) === Number.POSITIVE_INFINITY;
        assert.ok(stays || !world.kernel.names.includes(name), `${name} outlived its lease`);
      }
    }),
    { numRuns: 1_000 },
  );
});

property.run();
