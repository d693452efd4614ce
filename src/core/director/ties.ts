import type { Ip } from '../ip.ts';
import type { AddressesEvent } from '../reconcile/events.ts';
import type { Interfaces } from '../reconcile/interfaces.ts';
import type { Duration, Instant } from '../time.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import type { Standing } from '../vrrp/events.ts';
import type { LinkState } from '../vrrp/links.ts';
import type { Ensemble } from './ensemble.ts';
import type { DirectorEffect, MakeRouter } from './events.ts';

/** What a virtual router asks the others of its director. */
export interface RouterTies {
  readonly ensemble: Ensemble;
  readonly digest: Digest;
  readonly makeRouter: MakeRouter;
  /** Of the kernel's clock. */
  readonly tick: Duration;
  emit(effect: DirectorEffect): void;
  /** The addresses, with what is kept in the routing tables beside them. */
  addresses(event: Extract<AddressesEvent, { type: 'hold' | 'renew' | 'release' }>): void;
  readonly interfaces: Interfaces;
  linkState(name: string): LinkState;
  announce(dev: string, addresses: readonly Ip[], repeat: number): void;
  forget(dev: string, addresses: readonly Ip[]): void;
  /** When the votes for its group end. */
  until(group: string | undefined): Instant | undefined;
  /** When an advert of this interval leaves that would leave at `due`. */
  beat(interval: Duration, due: Instant): Instant;
  /** A member of a sync group that is master heard a lesser one. */
  contested(group: string, router: string): void;
  /** A member of a sync group stands otherwise than before. */
  standing(group: string, router: string, standing: Standing): void;
  /** All that was waited for has been answered. */
  quiet(): void;
}
