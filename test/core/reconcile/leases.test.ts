import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { LINK_FLAG, type Link, OPER_STATE } from '../../../src/core/netlink/link.ts';
import { OURS } from '../../../src/core/reconcile/entry.ts';
import type { HeldAddress } from '../../../src/core/reconcile/events.ts';
import type { LeasesEvent, Transacted } from '../../../src/core/reconcile/lease-events.ts';
import { leaseTableName, requestsOfLeases } from '../../../src/core/reconcile/lease-table.ts';
import { Leases } from '../../../src/core/reconcile/leases.ts';
import { type Duration, type Instant, instant, millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

/** Which address belongs to which lease, and when leases are renewed: by what is asked of the kernel. */
const test = suite('leases of the packet filter');

const TERM = millis(300);
/** Who made an address of the host's own: the administrator (RTPROT_STATIC). */
const HOSTS = 4;
const held = (address: string, dev = 'eth0'): HeldAddress => ({
  dev,
  address: { ip: ip(address), length: 24 },
  scope: 0,
});
const VIP = held('10.0.0.100');
const OTHER = held('10.0.0.101');
const LOCAL = held('fe80::100');

const link = (ifindex: number, name: string): Link => ({
  ifindex,
  name,
  type: 1,
  flags: LINK_FLAG.up,
  mtu: 1500,
  operState: OPER_STATE.up,
});

/** A machine with a kernel that agrees to everything, unless it is said to refuse. */
class Shell {
  readonly machine = new Leases(true, millis(4));
  /** What was told. */
  said: string[] = [];
  /** What was asked of the kernel: `+set`, `-set`; only of the table for IP. */
  asked: string[] = [];
  refuses: ((asked: string) => boolean) | undefined;
  #now = instant(1e9);

  constructor(begun = true) {
    this.event({ type: 'links', links: [link(1, 'eth0'), link(2, 'eth1')] });
    if (begun) this.event({ type: 'begin', table: 't' });
    this.taken();
    this.said = [];
  }

  at(ms: number): this {
    this.#now = instant(1e9 + ms * 1e3);
    return this;
  }

  event(event: LeasesEvent): this {
    this.machine.handle(event, this.#now);
    for (let effects = this.machine.take(); effects.length > 0; effects = this.machine.take()) {
      for (const effect of effects) {
        if (effect.type === 'transact') {
          const all = requestsOfLeases(effect.table, effect.steps).map(({ asked }) => asked);
          this.asked.push(...all.filter((each) => each.endsWith(' inet t')).map(brief));
          const refused = all.find((each) => this.refuses?.(each) === true);
          const outcome: Transacted = refused === undefined ? { errno: 0 } : { errno: 2, asked: refused };
          this.event({ type: 'done', outcome });
        } else this.said.push(effect.type === 'works' ? `works${effect.again ? ' again' : ''}` : effect.type);
      }
    }
    return this;
  }

  hold(owner: string, addresses: readonly HeldAddress[], more: Partial<Hold> = {}): this {
    return this.event({ type: 'hold', owner, addresses, term: TERM, ...more });
  }

  renew(owner: string, until?: Instant, term: Duration = TERM): this {
    return this.event({ type: 'renew', owner, term, until });
  }

  /** The kernel shows an address, or not any more. */
  see(address: string, present: boolean, protocol = OURS, ifindex = 1): this {
    const shown = { ifindex, address: { ip: ip(address), length: 24 }, scope: 0, flags: 0 };
    const lives = { valid: 0xffffffff, preferred: 0xffffffff };
    return this.event({
      type: 'seen',
      present,
      address: { ...shown, ...lives, protocol },
    });
  }

  /** What was asked since the last time. */
  taken(): string {
    return this.asked.splice(0).join(' ');
  }
}
type Hold = Extract<LeasesEvent, { type: 'hold' }>;

/** `add to set vips of table inet t` as `+vips`. */
const brief = (asked: string): string => {
  const [verb, ...words] = asked.split(' ');
  const plain = ['to', 'from', 'set', 'a', 'rule', 'chain'];
  const what = words.slice(0, -4).findLast((word) => !plain.includes(word)) ?? 'table';
  const kind = ['rule', 'chain'].find((word) => words.includes(word));
  return `${verb === 'add' ? '+' : '-'}${kind === undefined ? '' : `${kind}:`}${what}`;
};

test('held: a lease that is good, and its address; released: over, and free when it is gone', () => {
  const shell = new Shell();
  shell.hold('A', [VIP]);
  assert.match(shell.taken(), /^\+lease1 \+chain:lease1 .*\+vips \+lease1 -lease1 \+lease1$/);
  shell.see('10.0.0.100', true).at(100).renew('A');
  assert.is(shell.taken(), '-lease1 +lease1');
  shell.event({ type: 'release', owner: 'A' });
  assert.is(shell.taken(), '+lease1 -lease1', 'over, whether it had run out or not');
  shell.event({ type: 'settle' });
  assert.is(shell.taken(), '', 'its address is still there');
  shell.see('10.0.0.100', false);
  assert.is(shell.taken(), '-vips -chain:lease1 -lease1');
});

test('one that never came to an interface is free at once', () => {
  const shell = new Shell().hold('A', [VIP]);
  shell.taken();
  shell.event({ type: 'release', owner: 'A' }).event({ type: 'settle' });
  assert.is(shell.taken(), '+lease1 -lease1 -vips -chain:lease1 -lease1');
});

test('a lease that may have run out is had first: what is not there cannot be ended', () => {
  const shell = new Shell().hold('A', [VIP]);
  shell.taken();
  // It was good for 292 ms; the kernel may have begun a tick earlier, and rounded it down by one.
  shell.at(283).renew('A');
  assert.is(shell.taken(), '-lease1 +lease1');
  shell.at(283 + 285).renew('A');
  assert.is(shell.taken(), '+lease1 -lease1 +lease1');
});

test('votes that end first, and an advert that did not leave', () => {
  const shell = new Shell().hold('A', [VIP]);
  shell.taken();
  shell.renew('A', instant(1e9 + 8_000));
  assert.is(shell.taken(), '', 'two ticks are left of them, which is nothing');
  shell.renew('A', instant(1e9 + 9_000));
  assert.is(shell.taken(), '-lease1 +lease1');
  shell.event({ type: 'release', owner: 'A' }).event({ type: 'settle' });
  shell.taken();
  shell.hold('A', [VIP], { unsent: true });
  assert.match(shell.taken(), /\+vips$/, 'it is shut, and no lease is good');
  shell.renew('A');
  assert.is(shell.taken(), '+lease2 -lease2 +lease2');
});

test('without a term, and for nothing, there is no lease', () => {
  const shell = new Shell()
    .hold('A', [VIP], { term: seconds(0) })
    .hold('B', [])
    .renew('A')
    .renew('B');
  assert.is(shell.taken(), '');
  shell.hold('A', [VIP]);
  shell.taken();
  shell.hold('A', [VIP], { term: seconds(0) }).event({ type: 'settle' });
  assert.is(shell.taken(), '+lease1 -lease1 -vips -chain:lease1 -lease1', 'a reload took it away');
});

test('a reload adds and removes addresses, and moves one to another router', () => {
  const shell = new Shell().hold('A', [VIP]).see('10.0.0.100', true);
  shell.taken();
  shell.hold('A', [VIP, OTHER]).event({ type: 'settle' });
  assert.is(shell.taken(), '+vips -lease1 +lease1');
  shell.hold('A', [OTHER]).event({ type: 'settle' });
  assert.is(shell.taken(), '-lease1 +lease1', 'the one that goes is answered for until it is gone');
  shell.see('10.0.0.100', false);
  assert.is(shell.taken(), '-vips');
  shell.hold('B', [OTHER]);
  assert.match(shell.taken(), /^-vips \+lease2 .*\+vips \+lease2 -lease2 \+lease2$/);
  shell.event({ type: 'release', owner: 'B' }).event({ type: 'settle' });
  assert.is(shell.taken(), '+lease2 -lease2', 'the first one has it again with its next settling');
  shell.see('10.0.0.101', true);
  assert.is(shell.taken(), '-vips +vips -chain:lease2 -lease2');
});

test("the host's own address is not guarded, and one on another interface keeps none shut", () => {
  const shell = new Shell().see('10.0.0.100', true, HOSTS).hold('A', [VIP]).renew('A');
  assert.is(shell.taken(), '');
  shell.see('10.0.0.100', false, HOSTS);
  assert.match(shell.taken(), /\+vips$/, 'somebody removed it');
  shell.see('10.0.0.100', true).see('10.0.0.100', true, HOSTS, 2).renew('A');
  shell.taken();
  shell.event({ type: 'release', owner: 'A' }).see('10.0.0.100', false);
  assert.match(shell.taken(), /-vips/, 'eth1 has it, too, which is no concern of ours');
});

test('a link-local address belongs to its interface, also when that comes under another number', () => {
  const shell = new Shell().hold('A', [LOCAL]).hold('B', [held('fe80::100', 'eth1')]);
  assert.is(shell.taken().match(/\+vips6_local/g)?.length, 2);
  shell.event({ type: 'links', links: [link(1, 'eth0')] });
  const without = shell.taken();
  assert.is(without.match(/\+vips6_local/g)?.length, 2, 'the map, and what is there');
  shell.event({ type: 'links', links: [link(1, 'eth0'), link(9, 'eth1')] });
  assert.is(shell.taken().match(/\+vips6_local/g)?.length, 3);
});

test('what was held before the beginning is in the tables from the beginning', () => {
  const shell = new Shell(false).hold('A', [VIP]);
  assert.is(shell.taken(), '');
  shell.event({ type: 'begin', table: 't' });
  assert.match(shell.taken(), /^\+table -table \+table .*\+lease1 .*\+vips \+lease1 -lease1 \+lease1$/);
  assert.equal(shell.said, ['works']);
  shell.event({ type: 'begin', table: 't' });
  assert.is(shell.taken(), '', 'it is there');
  shell.event({ type: 'stop' });
  assert.is(shell.taken(), '+table -table');
});

test('tables that somebody removed are made again, and it is said, but not each time', () => {
  const shell = new Shell().hold('A', [VIP]).see('10.0.0.100', true);
  shell.event({ type: 'release', owner: 'A' }).hold('B', [OTHER]);
  shell.taken();
  const once = (): void => {
    let left = 1;
    shell.refuses = () => left-- > 0;
  };
  once();
  shell.renew('B');
  assert.match(shell.taken(), /^-lease2 \+lease2 \+table -table \+table /);
  assert.equal(shell.said, ['works again']);
  shell.see('10.0.0.100', false);
  assert.match(shell.taken(), /^-vips -chain:lease1 -lease1$/, 'what had stayed shut was shut again');
  once();
  shell.at(1000).renew('B');
  assert.equal(shell.said, ['works again']);
  once();
  shell.at(70_000).renew('B');
  assert.equal(shell.said, ['works again', 'works again']);
});

test('a kernel without nf_tables: said once, tried again now and then, and at a reload', () => {
  const shell = new Shell(false);
  shell.refuses = () => true;
  shell.event({ type: 'begin', table: 't' }).hold('A', [VIP]);
  assert.equal(shell.said, ['fails']);
  shell.taken();
  shell.at(9_000).renew('A');
  assert.is(shell.taken(), '');
  shell.at(11_000).renew('A');
  assert.match(shell.taken(), /^\+table/);
  assert.equal(shell.said, ['fails']);
  shell.refuses = undefined;
  shell.event({ type: 'begin', table: 't' });
  assert.equal(shell.said, ['fails', 'works again']);
  shell.at(11_100).renew('A');
  assert.is(shell.taken().split(' ').slice(-2).join(' '), '-lease1 +lease1');
});

test('the tables of the daemons of a host have different names, which nft(8) can write', () => {
  assert.is(leaseTableName('/run/vipkeeper'), 'vipkeeper_lease');
  assert.is(leaseTableName('/run/vipkeeper/blue'), 'vipkeeper_lease_blue');
  assert.is(leaseTableName('/tmp/a-b c/run'), 'vipkeeper_lease_tmp_a_b_c_run');
  assert.ok(leaseTableName(`/${'x'.repeat(4000)}`).length < 256);
});

test('what an earlier life has left, and the kernel does not let go, is shut when the table is made', () => {
  const shell = new Shell(false).see('10.0.0.100', true).see('10.0.0.101', true);
  shell.event({ type: 'release', owner: 'a', leftovers: [VIP, held('10.0.0.102')] });
  shell.event({ type: 'settle' }).event({ type: 'begin', table: 't' });
  assert.match(shell.taken(), /\+vips/);
  shell.see('10.0.0.100', false);
  assert.match(shell.taken(), /-vips/, 'it has gone');
});

test.run();
