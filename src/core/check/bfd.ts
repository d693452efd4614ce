import type { CheckResult } from './verdict.ts';

/** `BFD_CHECK`: the server is up while a BFD session is. Not on a schedule: news of the session decide. */
export interface BfdCheck {
  readonly kind: 'bfd';
  /** `name`: of the `bfd_instance`. */
  readonly session: string;
  /** `alpha`: the server counts as down until the session is heard of. */
  readonly alpha: boolean;
}

/** How a BFD session stands, from the process that speaks for it. */
export interface BfdNews {
  readonly name: string;
  readonly up: boolean;
  /** For people: `BFD session is Down: nothing heard of the neighbour for 150 ms`. */
  readonly why: string;
}

export const judgeBfd = ({ up, why }: BfdNews): CheckResult => ({
  verdict: up ? 'good' : 'bad',
  reason: why,
});

/** `bfd check of gateway`. */
export const describeBfd = ({ session }: BfdCheck): string => `bfd check of ${session}`;
