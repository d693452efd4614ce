import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { type Prefix, parsePrefix } from '../../src/core/ip.ts';
import { Addresses } from '../../src/core/reconcile/addresses.ts';
import {
  type AddressesEffect,
  type AddressesEvent,
  type HeldAddress,
  requestOf,
} from '../../src/core/reconcile/events.ts';
import { type Duration, seconds } from '../../src/core/time.ts';
import { type Driven, Driver } from '../../src/io/drive.ts';
import { RouteMonitor, RouteSocket } from '../../src/io/route.ts';
import { Patience } from '../patience.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ip as iproute } from './namespace.ts';

/** The machine that holds virtual addresses, against the kernel itself. */
enterNamespace();
const addresses = suite('virtual addresses with the kernel');

const PERMANENT = 0 as Duration;

/** The shell around one machine: effects to the kernel, the monitor's events back. */
class Shell {
  readonly told: AddressesEffect[] = [];
  readonly #socket = new RouteSocket();
  readonly #renewals = new RouteSocket();
  readonly #monitor = new RouteMonitor();
  readonly #machine: Driven<AddressesEvent>;

  constructor() {
    this.#monitor.ignore(this.#renewals);
    this.#machine = new Driver().attach(new Addresses(), (effects) => this.#perform(effects));
    this.#monitor.start({
      event: (event) => {
        if (event.type === 'link') this.#tellLinks();
        if (event.type === 'address') this.handle({ ...event, type: 'seen' });
      },
      resync: () => this.#read(),
    });
    this.#read();
  }

  #read(): void {
    this.#tellLinks();
    this.handle({ type: 'shown', addresses: this.#socket.addresses() });
  }

  #tellLinks(): void {
    this.handle({ type: 'links', links: this.#socket.links() });
  }

  handle(event: AddressesEvent): void {
    this.#machine.handle(event);
  }

  hold(owner: string, lease: Duration, ...held: HeldAddress[]): void {
    this.handle({ type: 'hold', owner, addresses: held, lease });
  }

  #perform(effects: readonly AddressesEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== 'apply') {
        this.told.push(effect);
        continue;
      }
      const renews = effect.changes.every(({ op }) => op === 'renew');
      const outcomes = (renews ? this.#renewals : this.#socket).apply(effect.changes.map(requestOf));
      const results = effect.changes.map(({ id }, i) => ({ id, errno: 105, ...outcomes[i] }));
      this.handle({ type: 'done', results });
    }
  }

  restored(owner: string): AddressesEffect | undefined {
    return this.told.find((effect) => effect.type === 'restored' && effect.owner === owner);
  }

  close(): void {
    this.#machine.detach();
    this.#monitor.close();
    this.#socket.close();
    this.#renewals.close();
  }
}

function vip(text: string, dev = 'e0'): HeldAddress {
  const prefix: Prefix | undefined = parsePrefix(text);
  if (prefix === undefined) throw new RangeError(text);
  return { dev, address: prefix, scope: 0 };
}

/** The addresses that iproute2 shows on e0, link-local ones aside. */
const present = (): string[] =>
  (iproute('-o addr show dev e0').match(/inet6? \S+/g) ?? [])
    .map((found) => found.replace(/inet6? /, ''))
    .filter((found) => !found.startsWith('fe80'))
    .sort();

let shell: Shell;

addresses.before(() => {
  iproute('link add e0 type veth peer name e1');
  for (const name of ['e0', 'e1']) iproute(`link set ${name} up`);
  for (const name of ['all', 'e0']) writeFileSync(`/proc/sys/net/ipv4/conf/${name}/promote_secondaries`, '0');
});
addresses.before.each(() => {
  shell = new Shell();
});
addresses.after.each(() => {
  shell.close();
  iproute('addr flush dev e0');
});

addresses('hold and release, 500 of both families', () => {
  const held = Array.from({ length: 250 }, (_, i) => [
    vip(`10.9.0.${i}/32`),
    vip(`2001:db8::${i}/128`),
  ]).flat();
  shell.hold('VI_1', seconds(60), ...held);
  assert.is(present().length, 500);
  assert.match(
    iproute('-6 addr show dev e0'),
    /2001:db8::1\/128 .*deprecated.*\n *valid_lft (60|59)sec preferred_lft 0sec/,
  );
  shell.handle({ type: 'release', owner: 'VI_1' });
  assert.equal(present(), []);
  assert.equal(shell.told, []);
});

addresses('a primary that is released takes its secondaries along, and they come back', async () => {
  shell.hold('VI_1', PERMANENT, vip('10.9.0.1/24'));
  shell.hold('VI_2', PERMANENT, vip('10.9.0.2/24'), vip('10.9.0.3/24'));
  shell.handle({ type: 'release', owner: 'VI_1' });
  assert.equal(present(), []);
  await eventually(() => shell.restored('VI_2'), 'the secondaries are back');
  await eventually(() => (present().length === 2 ? true : undefined), 'both');
  assert.equal(present(), ['10.9.0.2/24', '10.9.0.3/24']);
});

addresses('somebody removes an address: it is back, and told', async () => {
  shell.hold('VI_1', seconds(60), vip('10.9.0.1/32'));
  iproute('addr del 10.9.0.1/32 dev e0');
  await eventually(() => shell.restored('VI_1'), 'put back');
  assert.equal(present(), ['10.9.0.1/32']);
});

addresses('somebody removes an address just before it is renewed: it is back, and told', async () => {
  shell.hold('VI_1', seconds(4), vip('10.9.0.1/32'));
  // The news of it are read when this turn is over.
  iproute('addr del 10.9.0.1/32 dev e0');
  const patience = new Patience(60);
  while (present().length === 0 && !patience.isOver) shell.handle({ type: 'renew', owner: 'VI_1' });
  assert.equal(present(), ['10.9.0.1/32']);
  assert.equal(shell.told, []);
  await eventually(() => shell.restored('VI_1'), 'put back');
  assert.equal(present(), ['10.9.0.1/32']);
});

addresses('an owner that is silent loses its addresses, one that speaks does not', async () => {
  shell.hold('silent', seconds(1), vip('10.9.0.1/32'), vip('2001:db8::1/128'));
  shell.hold('speaking', seconds(60), vip('10.9.0.2/32'));
  await eventually(() => (present().length === 1 ? true : undefined), 'the silent one has lost them');
  assert.equal(present(), ['10.9.0.2/32']);
  assert.equal(shell.told, []);
  // It speaks again: they return, and it is told to announce them.
  shell.hold('silent', seconds(60), vip('10.9.0.1/32'), vip('2001:db8::1/128'));
  await eventually(() => shell.restored('silent'), 'restored');
  assert.is(present().length, 3);
});

addresses('a process that was stopped: the kernel keeps the lease without it', async () => {
  shell.hold('VI_1', seconds(1), vip('10.9.0.1/32'));
  // Nothing of this process runs meanwhile: no event, no timer.
  const patience = new Patience(60);
  while (present().length > 0 && !patience.isOver)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  assert.equal(present(), []);
  shell.handle({ type: 'renew', owner: 'VI_1' });
  await eventually(() => shell.restored('VI_1'), 'back with the next advert');
});

addresses('leftovers of an earlier life are removed, or adopted by who holds them', () => {
  iproute('addr add 10.9.0.1/24 dev e0');
  iproute('addr add 2001:db8::1/64 dev e0 nodad');
  iproute('addr add 10.9.0.9/32 dev e0');
  const next = new Shell();
  next.handle({ type: 'release', owner: 'VI_1', leftovers: [vip('10.9.0.9/32'), vip('10.9.0.8/32')] });
  next.hold('VI_2', seconds(60), vip('10.9.0.1/24'), vip('2001:db8::1/128'));
  assert.equal(present(), ['10.9.0.1/24', '2001:db8::1/64']);
  assert.is(next.told.filter(({ type }) => type === 'adopted').length, 2);
  next.handle({ type: 'release', owner: 'VI_2' });
  assert.equal(present(), []);
  next.close();
});

addresses('an interface that is made later gets its addresses then', async () => {
  shell.hold('VI_1', PERMANENT, vip('10.9.5.1/32', 'late0'));
  assert.is(shell.told[0]?.type, 'problem');
  iproute('link add late0 type veth peer name late1');
  await eventually(() => shell.restored('VI_1'), 'installed on late0');
  assert.match(iproute('addr show dev late0'), /inet 10\.9\.5\.1\/32/);
  iproute('link del late0');
});

addresses.run();
