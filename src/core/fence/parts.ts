import type { Instant } from '../time.ts';
import { Authority, type AuthoritySettings } from './authority.ts';
import { Voter, type VoterSettings } from './voter.ts';

/** What those who vote are made of; a simulation has broken ones. */
export interface Parts {
  readonly voter: (settings: VoterSettings, started: Instant) => Voter;
  readonly authority: (settings: AuthoritySettings) => Authority;
}

export const REAL_PARTS: Parts = {
  voter: (settings, started) => new Voter(settings, started),
  authority: (settings) => new Authority(settings),
};
