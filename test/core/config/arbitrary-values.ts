import fc from 'fast-check';
import { type Family, type Ip, ip } from '../../../src/core/ip.ts';
import type { Placement, Placements } from '../../../src/core/supervision/placement.ts';
import { type Duration, micros, seconds } from '../../../src/core/time.ts';

/** The values that arbitrary configurations are made of. */

export const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_ #{!.-]{0,11}$/);
export const device = fc.constantFrom('eth0', 'eth1', 'bond0.12', 'lo');
export const duration = (low: number, high: number): fc.Arbitrary<Duration> =>
  fc.integer({ min: low * 1e6, max: high * 1e6 }).map(micros);
export const wholeSeconds = (high: number): fc.Arbitrary<Duration> =>
  fc.integer({ min: 0, max: high }).map(seconds);
export const port = fc.integer({ min: 1, max: 65_535 });
export const addressOf = (family: Family): fc.Arbitrary<Ip> =>
  family === 4
    ? fc.ipV4().map((text) => ip(text))
    : fc
        .ipV6()
        .filter((t) => !t.includes('.'))
        .map((text) => ip(text));
/** A record whose undefined members are left out, as the settings have it. */
export const given = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
export const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** Where one of the processes stands. */
const placement: fc.Arbitrary<Placement> = fc
  .record({
    name: fc.constantFrom('keepalived', 'vipkeeper-vrrp', 'a b'),
    realTime: fc.integer({ min: 0, max: 99 }),
    realTimeLimit: fc.integer({ min: 1, max: 4_294_967_295 }).map(micros),
    nice: maybe(fc.integer({ min: -20, max: 19 })),
    cpus: maybe(
      fc
        .uniqueArray(fc.integer({ min: 0, max: 1023 }), { minLength: 1, maxLength: 4 })
        .map((cpus) => cpus.sort((a, b) => a - b)),
    ),
  })
  .map((value) => given(value) as Placement);
export const placements: fc.Arbitrary<Placements> = fc.record({
  daemon: fc.constantFrom('keepalived', 'vipkeeperd'),
  vrrp: placement,
  check: placement,
});

/** Each name once. */
export const lvsSysctls = fc.uniqueArray(
  fc.constantFrom(
    { name: 'sync_threshold', value: '3 50' },
    { name: 'sync_ports', value: '4' },
    { name: 'sloppy_tcp', value: '1' },
    { name: 'sync_refresh_period', value: '10' },
  ),
  { minLength: 1, selector: ({ name }) => name },
);
