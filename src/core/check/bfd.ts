import type { CheckResult } from './verdict.ts';

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
