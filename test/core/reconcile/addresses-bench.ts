import * as assert from 'uvu/assert';
import { type Prefix, parsePrefix } from '../../../src/core/ip.ts';
import { FOREVER, type InterfaceAddress } from '../../../src/core/netlink/address.ts';
import { Addresses } from '../../../src/core/reconcile/addresses.ts';
import type {
  AddressChange,
  AddressesEffect,
  AddressesEvent,
  HeldAddress,
} from '../../../src/core/reconcile/events.ts';
import { type Duration, type Instant, instant } from '../../../src/core/time.ts';
import { link } from './kernel-model.ts';

export const PERMANENT = 0 as Duration;
export const at = (s: number): Instant => instant(s * 1e6);

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
}
export const vip = (text: string, dev = 'eth0'): HeldAddress => ({ dev, address: prefix(text), scope: 0 });
export const shown = (text: string, ifindex = 3): InterfaceAddress => ({
  ifindex,
  address: prefix(text),
  scope: 0,
  flags: 0,
  valid: FOREVER,
  preferred: FOREVER,
});

/** The machine and a shell that collects; nothing is answered unless a test does. */
export class Bench {
  readonly machine: Addresses;

  constructor(links = [link(3, 'eth0')], marks = false) {
    this.machine = new Addresses(marks);
    this.#event({ type: 'links', links }, at(0));
    this.#event({ type: 'shown', addresses: [] }, at(0));
  }

  #event(event: AddressesEvent, now: Instant): void {
    this.machine.handle(event, now);
  }

  do(event: AddressesEvent, now: Instant): AddressesEffect[] {
    this.#event(event, now);
    return this.machine.take();
  }

  /** The changes of one event, all of which succeed. */
  changes(event: AddressesEvent, now: Instant, errno = 0): AddressChange[] {
    const changes = changesOf(this.do(event, now));
    this.answer(changes, now, errno);
    return changes;
  }

  answer(changes: readonly AddressChange[], now: Instant, errno = 0): void {
    this.#event({ type: 'done', results: changes.map(({ id }) => ({ id, errno })) }, now);
  }

  hold(now: Instant, lease: Duration, ...addresses: HeldAddress[]): AddressesEffect[] {
    return this.do({ type: 'hold', owner: 'VI_1', addresses, lease }, now);
  }

  /** Held and installed. */
  install(now: Instant, lease: Duration, ...addresses: HeldAddress[]): void {
    this.answer(changesOf(this.hold(now, lease, ...addresses)), now);
    assert.equal(this.machine.take(), []);
  }
}

export const changesOf = (effects: readonly AddressesEffect[]): AddressChange[] =>
  effects.flatMap((effect) => (effect.type === 'apply' ? effect.changes : []));
export const told = (effects: readonly AddressesEffect[]): AddressesEffect[] =>
  effects.filter(({ type }) => type !== 'apply');
export const summary = (changes: readonly AddressChange[]): string[] =>
  changes.map(({ op, address: { ifindex, address, valid } }) => {
    const life = valid === FOREVER ? 'ever' : `${valid} s`;
    return `${op} ${address.ip}/${address.length} on ${ifindex} for ${life}`;
  });
