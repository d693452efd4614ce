import { execFileSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { type Ip, ip as parse } from '../../src/core/ip.ts';
import type { HeldAddress } from '../../src/core/reconcile/events.ts';
import type { LeasesEffect, LeasesEvent } from '../../src/core/reconcile/lease-events.ts';
import { LeaseRequests, LeaseTable } from '../../src/core/reconcile/lease-table.ts';
import { Leases } from '../../src/core/reconcile/leases.ts';
import { type Duration, millis, seconds } from '../../src/core/time.ts';
import { kernelTick } from '../../src/io/clock.ts';
import { type Driven, Driver } from '../../src/io/drive.ts';
import { NETLINK, NetlinkSocket } from '../../src/io/netlink.ts';
import { RouteSocket } from '../../src/io/route.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ip } from './namespace.ts';

/** Leases in the kernel's own tables, as nft(8) shows them. */
enterNamespace();
const test = suite('leases with the kernel');

const TABLE = 'vipkeeper_lease';
/** So short a term that its renewals wait for no others. */
const AT_ONCE = millis(150);
const nft = (...words: readonly string[]): string => execFileSync('nft', words, { encoding: 'utf8' });
const load = (script: string): string =>
  execFileSync('nft', ['-f', '-'], { encoding: 'utf8', input: script });
/** Without times, which pass. */
const listed = (): string => nft('list', 'ruleset').replace(/ timeout \S+ expires \S+?(?=[, ])/g, '');
const held = (address: Ip, dev = 'lan'): HeldAddress => ({
  dev,
  address: { ip: address, length: 24 },
  scope: 0,
});

ip('link add lan type veth peer name wire');
for (const dev of ['lan', 'wire']) ip(`link set ${dev} up`);

class Shell {
  readonly told: LeasesEffect[] = [];
  readonly #socket = new NetlinkSocket(NETLINK.NETFILTER, 'nfnetlink', 8 << 20);
  readonly #requests = new LeaseRequests();
  readonly #machine: Driven<LeasesEvent>;

  constructor() {
    this.#machine = new Driver().attach(new Leases(true, kernelTick()), (effects) => {
      for (const effect of effects) {
        if (effect.type !== 'transact') this.told.push(effect);
        else
          this.handle({
            type: 'done',
            outcome: this.#socket.transact(this.#requests.of(effect.table, effect.steps)),
          });
      }
    });
    const route = new RouteSocket();
    this.handle({ type: 'links', links: route.links() });
    route.close();
    this.handle({ type: 'begin', table: TABLE });
  }

  handle(event: LeasesEvent): void {
    this.#machine.handle(event);
  }

  hold(addresses: readonly HeldAddress[], term: Duration): void {
    this.handle({ type: 'hold', owner: 'A', addresses, term });
  }

  close(): void {
    this.handle({ type: 'stop' });
    this.#machine.detach();
    this.#socket.close();
  }
}

/** The elements of a lease's set. */
const elements = (): string => nft('list', 'set', 'inet', TABLE, 'lease1');

test('what is in the tables is in the language of nft, which loads it again as it was', () => {
  const shell = new Shell();
  shell.hold(
    ['10.0.0.100', 'fd00::100', 'fe80::100'].map((vip) => held(parse(vip))),
    seconds(300),
  );
  const text = listed();
  assert.match(text, /10\.0\.0\.100 : goto lease1/);
  assert.match(text, /fd00::100 : goto lease1/);
  assert.match(text, /"lan" \. fe80::100 : goto lease1/);
  assert.match(text, /ip6 saddr vmap @vips6/);
  assert.match(text, /arp daddr ip vmap @vips/);
  assert.match(text, /meta nfproto @lease1 accept\n\s*meta l4proto vrrp accept\n\s*drop/);
  load(`flush ruleset\n${nft('list', 'ruleset')}`);
  assert.is(listed(), text);
  shell.close();
  assert.is(nft('list', 'ruleset'), '');
});

test('renewals by the ten thousand leave no more than one renewal does', async () => {
  const shell = new Shell();
  shell.hold([held(parse('10.0.0.100'))], seconds(300));
  const before = listed();
  for (let i = 0; i < repetitions(5_000, 100_000); i++)
    shell.handle({ type: 'renew', owner: 'A', term: AT_ONCE });
  shell.handle({ type: 'renew', owner: 'A', term: seconds(300) });
  await eventually(() => (listed() === before ? true : undefined), 'one lease, which is good');
  assert.equal(
    shell.told.map(({ type }) => type),
    ['works'],
  );
  shell.close();
});

test('a lease that ran out is good again with the next advert', async () => {
  const shell = new Shell();
  shell.hold([held(parse('10.0.0.100'))], millis(60));
  await eventually(() => (elements().includes('elements') ? undefined : true), 'the lease runs out');
  shell.handle({ type: 'renew', owner: 'A', term: seconds(300) });
  assert.match(elements(), /ipv4 timeout 4m59s\d+ms/);
  assert.is(shell.told.length, 1, 'that was nothing to be told');
  shell.close();
});

test('an operator flushes all rules: they are there again after the next advert, and it is said', async () => {
  const shell = new Shell();
  shell.hold([held(parse('10.0.0.100'))], seconds(300));
  const before = listed();
  nft('flush', 'ruleset');
  shell.handle({ type: 'renew', owner: 'A', term: seconds(300) });
  await eventually(() => (listed() === before ? true : undefined), 'the rules are there');
  assert.equal(shell.told.at(-1), { type: 'works', table: TABLE, again: true });
  shell.close();
});

test('tables of an earlier life are replaced, and those of others are not touched', () => {
  load('table inet theirs {\n}\n');
  const before = new Shell();
  before.hold([held(parse('10.0.0.77'))], seconds(300));
  // It was killed: nothing is put away.
  const shell = new Shell();
  assert.not.match(listed(), /10\.0\.0\.77/);
  assert.match(listed(), /table inet theirs/);
  shell.close();
  before.close();
  assert.is(nft('list', 'ruleset'), 'table inet theirs {\n}\n');
});

test('what the kernel refuses is named', () => {
  const socket = new NetlinkSocket(NETLINK.NETFILTER, 'nfnetlink');
  const { errno, asked } = socket.transact(new LeaseTable('nowhere').end(7));
  assert.is(errno, 2);
  assert.is(asked, 'delete from set lease7 of table inet nowhere');
  assert.is(socket.transact(new LeaseTable('nowhere').remove()).errno, 0);
  socket.close();
});

test('a renewal costs as much for a thousand addresses as for one', () => {
  for (const count of [1, 1000, 20_000]) {
    const shell = new Shell();
    const vips = Array.from({ length: count }, (_, i) =>
      held(parse(`10.${i >> 14}.${(i >> 7) & 127}.${i & 127}`)),
    );
    const began = performance.now();
    shell.hold(vips, seconds(300));
    const installed = performance.now() - began;
    const times = Array.from({ length: 500 }, () => {
      const before = performance.now();
      shell.handle({ type: 'renew', owner: 'A', term: AT_ONCE });
      return performance.now() - before;
    }).sort((a, b) => a - b);
    const median = ((times[250] ?? 0) * 1000).toFixed(0);
    process.stdout.write(
      `  ${count} addresses: held in ${installed.toFixed(1)} ms, renewed in ${median} us\n`,
    );
    assert.equal(
      shell.told.map(({ type }) => type),
      ['works'],
    );
    shell.close();
  }
});

test.run();
