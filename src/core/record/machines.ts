import { BfdSession } from '../bfd/session.ts';
import type { BfdSettings } from '../bfd/settings.ts';
import { Announcements } from '../director/announcements.ts';
import { Ports } from '../director/ports.ts';
import type { Machine, Remembering } from '../machine.ts';
import { Prng } from '../prng.ts';
import { Addresses } from '../reconcile/addresses.ts';
import { Routing } from '../reconcile/routing.ts';
import { Vmacs } from '../reconcile/vmacs.ts';
import { Balancer } from '../serving/balancer.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import { VrrpGroup } from '../vrrp/group.ts';
import { VrrpInstance } from '../vrrp/instance.ts';
import { LinkWatch } from '../vrrp/links.ts';
import type { PacingSettings, VrrpSettings } from '../vrrp/settings.ts';

interface BfdBirth {
  readonly settings: BfdSettings;
  readonly discriminator: number;
  readonly seed: number;
}

/** A machine that was made again, from a recording. */
export type Recorded = Machine<unknown, unknown> & Remembering<unknown>;

/** The kinds of machines that are recorded: how one is made from its `birth`. */
const KINDS: Readonly<Record<string, (birth: never, digest: Digest) => unknown>> = {
  router: (settings: VrrpSettings, digest) => new VrrpInstance(settings, digest),
  balancer: () => new Balancer(),
  group: (name: string) => new VrrpGroup(name),
  addresses: (marks: boolean) => new Addresses(marks),
  routing: () => new Routing(),
  vmacs: () => new Vmacs(),
  ports: () => new Ports(),
  links: () => new LinkWatch(),
  announcements: (pacing: PacingSettings) => new Announcements(pacing),
  bfd: ({ settings, discriminator, seed }: BfdBirth) =>
    new BfdSession(settings, discriminator, new Prng(seed)),
};

/** `undefined` for a kind that this release does not know. */
export function madeAgain(kind: string, birth: unknown, digest: Digest): Recorded | undefined {
  return KINDS[kind]?.(birth as never, digest) as Recorded | undefined;
}
