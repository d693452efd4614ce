import type { Machine, Remembering } from '../machine.ts';
import { Balancer } from '../serving/balancer.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import { VrrpGroup } from '../vrrp/group.ts';
import { VrrpInstance } from '../vrrp/instance.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';

/** A machine that was made again, from a recording. */
export type Recorded = Machine<unknown, unknown> & Remembering<unknown>;

/** The kinds of machines that are recorded: how one is made from its `birth`. */
const KINDS: Readonly<Record<string, (birth: never, digest: Digest) => unknown>> = {
  router: (settings: VrrpSettings, digest) => new VrrpInstance(settings, digest),
  balancer: () => new Balancer(),
  group: (name: string) => new VrrpGroup(name),
};

/** `undefined` for a kind that this release does not know. */
export function madeAgain(kind: string, birth: unknown, digest: Digest): Recorded | undefined {
  return KINDS[kind]?.(birth as never, digest) as Recorded | undefined;
}
