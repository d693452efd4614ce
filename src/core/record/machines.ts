import { BfdSession } from '../bfd/session.ts';
import type { BfdSettings } from '../bfd/settings.ts';
import { Director } from '../director/director.ts';
import type { Observer, Played } from '../director/ensemble.ts';
import type { DirectorBirth } from '../director/events.ts';
import { Claims } from '../fence/claims.ts';
import { Watchdog, type WatchdogSettings } from '../fence/watchdog.ts';
import type { Machine, Remembering } from '../machine.ts';
import { Prng } from '../prng.ts';
import { Balancer } from '../serving/balancer.ts';
import type { Instant } from '../time.ts';
import type { Digest } from '../vrrp/auth-digest.ts';

/** A machine that was made again, from a recording. */
export type Recorded = Machine<unknown, unknown> & Remembering<unknown>;

/** The kinds of machines that are recorded, and what one is made from; what it was told later is in its memory. */
export interface Births {
  readonly director: Omit<DirectorBirth, 'digest' | 'observer' | 'makeRouter'>;
  readonly balancer: Readonly<Record<string, never>>;
  readonly votes: Readonly<Record<string, never>>;
  readonly watchdog: { readonly settings: WatchdogSettings; readonly begun: Instant };
  readonly bfd: { readonly settings: BfdSettings; readonly discriminator: number; readonly seed: number };
}
export type RecordedKind = keyof Births;

/** What a machine of a recording is given that is not recorded. */
export interface Replaying {
  /** Gives what was recorded, in place of what only a key could give. */
  readonly digest: Digest;
  /** Is told of the machines within it. */
  readonly observer?: Observer<Played>;
}

const KINDS: {
  readonly [Kind in RecordedKind]: (birth: Births[Kind], replaying: Replaying) => Recorded;
} = {
  director: (birth, { digest, observer }) =>
    new Director({ ...birth, digest, ...(observer && { observer }) }),
  balancer: () => new Balancer(),
  votes: () => new Claims(),
  watchdog: ({ settings, begun }) => new Watchdog(settings, begun),
  bfd: ({ settings, discriminator, seed }) => new BfdSession(settings, discriminator, new Prng(seed)),
};

/** `undefined` for a kind that this release does not know. */
export function madeAgain(kind: string, birth: unknown, replaying: Replaying): Recorded | undefined {
  if (!Object.hasOwn(KINDS, kind)) return undefined;
  return KINDS[kind as RecordedKind](birth as never, replaying);
}
