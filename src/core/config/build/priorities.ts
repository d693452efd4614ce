import type { TrackSettings } from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { root } from '../grammar/root.ts';
import type { Entry } from '../tree.ts';

/** keepalived's effective priority never leaves these, but for the owner's 255. */
const LOWEST = 1;
const HIGHEST = 254;

/** Warns of priorities and weights that cannot do what they seem to be for. */
export function checkPriorities(
  { section, keyword }: Entry<(typeof root)['vrrp_instance']>,
  priority: number,
  track: readonly TrackSettings[],
  findings: Findings,
): void {
  const at = section.last('priority')?.words[0] ?? keyword;
  const weighted = track.filter(({ kind, weight }) => weight !== 0 && kind !== 'file');
  const best = priority + weighted.reduce((sum, { weight }) => sum + Math.max(0, weight), 0);
  const worst = priority + weighted.reduce((sum, { weight }) => sum + Math.min(0, weight), 0);
  const movable = weighted.length > 0 || track.some(({ kind }) => kind === 'file');
  if (priority === 255 && movable) {
    findings.warning(at, 'the priority of an address owner, 255, is moved by no weight', {
      hint: 'write a priority below 255',
    });
  } else if (priority === LOWEST && best === LOWEST && !movable) {
    findings.warning(at, 'priority 1 can never win: every other director has more', {
      hint: 'with another at 1, the higher address wins',
    });
  } else if (priority < 255 && (best > HIGHEST || worst < LOWEST) && movable) {
    const end =
      best > HIGHEST ? `${best}, and ${HIGHEST} is the most` : `${worst}, and ${LOWEST} is the least`;
    findings.warning(at, `the weights would move the priority to ${end}`, {
      hint: 'beyond that, what is good or bad makes no difference',
    });
  }
}
