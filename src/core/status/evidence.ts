import type { Instant } from '../time.ts';
import type { Decision, TakeoverPolicy, TakeoverStatus } from '../vrrp/takeover.ts';

/** What `takeover_policy` decided of masters that were silent, and on what evidence; the last decisions. */
export interface EvidenceReport {
  readonly policy: TakeoverPolicy;
  readonly decisions: readonly (Omit<Decision, 'first' | 'last'> & {
    readonly first: string;
    readonly last: string;
  })[];
}

export const evidenceReport = (
  { policy, decisions }: TakeoverStatus,
  iso: (at: Instant) => string,
): EvidenceReport => ({
  policy,
  decisions: decisions.map(({ first, last, ...decision }) => ({
    ...decision,
    first: iso(first),
    last: iso(last),
  })),
});
