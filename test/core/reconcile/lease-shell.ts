import { ip } from '../../../src/core/ip.ts';
import { LINK_FLAG, type Link, OPER_STATE } from '../../../src/core/netlink/link.ts';
import { OURS } from '../../../src/core/reconcile/entry.ts';
import type { HeldAddress } from '../../../src/core/reconcile/events.ts';
import type { LeaseStep, LeasesEvent, Transacted } from '../../../src/core/reconcile/lease-events.ts';
import { requestsOfLeases } from '../../../src/core/reconcile/lease-table.ts';
import { Leases } from '../../../src/core/reconcile/leases.ts';
import { type Duration, type Instant, instant, millis } from '../../../src/core/time.ts';

export const TERM = millis(300);
/** Who made an address of the host's own: the administrator (RTPROT_STATIC). */
export const HOSTS = 4;
export const held = (address: string, dev = 'eth0'): HeldAddress => ({
  dev,
  address: { ip: ip(address), length: 24 },
  scope: 0,
});
export const VIP = held('10.0.0.100');
export const OTHER = held('10.0.0.101');
export const LOCAL = held('fe80::100');

export const link = (ifindex: number, name: string): Link => ({
  ifindex,
  name,
  type: 1,
  flags: LINK_FLAG.up,
  mtu: 1500,
  operState: OPER_STATE.up,
});

/** A machine with a kernel that agrees to everything, unless it is said to refuse. */
export class Shell {
  readonly machine = new Leases(true, millis(4));
  /** What was told. */
  said: string[] = [];
  /** What was asked of the kernel: `+set`, `-set`; only of the table for IP. */
  asked: string[] = [];
  refuses: ((asked: string) => boolean) | undefined;
  /** The steps that were asked for, by their leases. */
  transactions: string[] = [];
  #now = instant(1e9);

  constructor(begun = true) {
    this.event({ type: 'links', links: [link(1, 'eth0'), link(2, 'eth1')] });
    if (begun) this.event({ type: 'begin', table: 't' });
    this.taken();
    this.said = [];
  }

  /** Time goes on until then. */
  at(ms: number): this {
    const then = instant(1e9 + ms * 1e3);
    for (let due = this.machine.deadline(); due !== undefined && due <= then; due = this.machine.deadline()) {
      this.#now = due;
      this.machine.timeout(due);
      this.#perform();
    }
    this.#now = then;
    return this;
  }

  /** Nothing happens until then: the process stands still. */
  stall(ms: number): this {
    this.#now = instant(1e9 + ms * 1e3);
    this.machine.timeout(this.#now);
    this.#perform();
    return this;
  }

  event(event: LeasesEvent): this {
    this.machine.handle(event, this.#now);
    this.#perform();
    return this;
  }

  #perform(): void {
    for (let effects = this.machine.take(); effects.length > 0; effects = this.machine.take()) {
      for (const effect of effects) {
        if (effect.type === 'transact') {
          this.transactions.push(effect.steps.map(inWords).join(', '));
          const all = requestsOfLeases(effect.table, effect.steps).map(({ asked }) => asked);
          this.asked.push(...all.filter((each) => each.endsWith(' inet t')).map(brief));
          const refused = all.find((each) => this.refuses?.(each) === true);
          const outcome: Transacted = refused === undefined ? { errno: 0 } : { errno: 2, asked: refused };
          this.event({ type: 'done', outcome });
        } else this.said.push(effect.type === 'works' ? `works${effect.again ? ' again' : ''}` : effect.type);
      }
    }
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

const inWords = (step: LeaseStep): string =>
  Object.entries(step)
    .flatMap(([key, value]) => (key === 'guarded' || key === 'next' ? [] : [value]))
    .join(' ');

/** `add to set vips of table inet t` as `+vips`. */
const brief = (asked: string): string => {
  const [verb, ...words] = asked.split(' ');
  const plain = ['to', 'from', 'set', 'a', 'rule', 'chain'];
  const what = words.slice(0, -4).findLast((word) => !plain.includes(word)) ?? 'table';
  const kind = ['rule', 'chain'].find((word) => words.includes(word));
  return `${verb === 'add' ? '+' : '-'}${kind === undefined ? '' : `${kind}:`}${what}`;
};
