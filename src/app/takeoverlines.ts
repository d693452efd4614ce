import type { EvidenceReport } from '../core/status/evidence.ts';
import { aligned, lasting, paint } from '../io/screen.ts';
import { lengthOf } from './standing.ts';

const STYLE = { take: 'green', fence: 'yellow', wait: 'yellow', 'give up': 'red' } as const;

/** What was decided of a silent master, and on what evidence: the last first. */
export function decisionLines(takeover: EvidenceReport | null, time: string): string[] {
  if (takeover === null) return [];
  const { policy, decisions } = takeover;
  const none = decisions.length === 0 ? ': no master was silent yet' : '';
  return [
    `  takeover_policy ${policy}${none}`,
    ...decisions.toReversed().flatMap(({ verdict, why, evidence, times, last }) => [
      `    ${lasting(lengthOf(last, time))} ago${times > 1 ? `, ${times} times` : ''}: ` +
        `${paint(STYLE[verdict], verdict)}: ${why}`,
      ...aligned(
        evidence.map(({ of, found }) => [of, found]),
        '      ',
      ),
    ]),
  ];
}
