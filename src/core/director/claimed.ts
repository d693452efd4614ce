import type { ClaimsSettings } from '../fence/claims.ts';
import { type ClusterSettings, decides, type FencingTargets } from '../fence/settings.ts';
import { claims, promisesOf } from '../vrrp/group.ts';
import type { GroupSettings, VrrpSettings } from '../vrrp/settings.ts';

/** What a configuration says of the votes. */
interface Written {
  readonly instances: readonly VrrpSettings[];
  readonly groups: readonly GroupSettings[];
  readonly cluster?: ClusterSettings | undefined;
  readonly fencing?: FencingTargets | undefined;
}

/**
 * What there is to vote on, and the groups that want the votes: where they are needed (`protects`), each virtual router
 * is in one. Directors that need none speak to each other of planned hand-overs; without `settings` they do not.
 */
export function claimed({ instances, groups, cluster, fencing }: Written): {
  readonly groups: readonly GroupSettings[];
  readonly settings: ClaimsSettings | undefined;
  readonly protects: boolean;
} {
  if (cluster === undefined) return { groups, settings: undefined, protects: false };
  if (!decides(cluster, fencing !== undefined))
    return { groups, settings: { claims: [], cluster, fencing: undefined }, protects: false };
  const all = claims(instances, groups);
  const promises = promisesOf(all, instances, cluster.margin);
  const isPatient = (member: string): boolean =>
    instances.some(({ name, preempt }) => name === member && !preempt);
  const list = all.map(({ name, members, onFenceFailure }) => ({
    name,
    promise: promises.get(name) ?? cluster.longest,
    patient: members.some(isPatient),
    onFailure: onFenceFailure ?? fencing?.onFailure ?? 'wait',
  }));
  return { groups: all, settings: { claims: list, cluster, fencing }, protects: true };
}
