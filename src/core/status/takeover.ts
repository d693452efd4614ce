import type { RouterReport, StatusReport } from './report.ts';

/** What became of the addresses that this director gave up. */
export interface Takeover {
  readonly router: RouterReport;
  /** Who advertises it since; undefined: nobody was heard. */
  readonly by: string | undefined;
}

/** The virtual routers that this director is master of: somebody else has to be it when it gives them up. */
export const mastersOf = ({ vrrp }: StatusReport): RouterReport[] =>
  (vrrp?.instances ?? []).filter(({ state }) => state === 'MASTER');

/** How it is now with those that this director was master of when it began to give them up. */
export function takeovers(
  before: readonly RouterReport[],
  begun: string,
  { vrrp }: StatusReport,
): Takeover[] {
  const now = new Map(vrrp?.instances.map((router) => [router.name, router]));
  return before.flatMap(({ name }) => {
    const router = now.get(name);
    if (router === undefined) return [];
    const { peer } = router;
    // ISO 8601 in UTC sorts as time goes.
    const leads = peer !== null && peer.priority > 0 && peer.heard > begun;
    return [{ router, by: leads ? peer.address : undefined }];
  });
}

/** Three adverts may be missed, and somebody may be busy. */
const MISSED = 4;
const SLACK = 1;

/** Seconds after which a peer that lives would have spoken. */
export const patience = (routers: readonly RouterReport[]): number =>
  SLACK +
  MISSED * Math.max(0, ...routers.map(({ advertInterval, master }) => master?.interval ?? advertInterval));
