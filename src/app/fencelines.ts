import type { FencingReport } from '../core/status/report.ts';
import { aligned, lasting, paint } from '../io/screen.ts';
import { lengthOf } from './standing.ts';

const PHASES: Readonly<Record<string, string>> = {
  waiting: 'waits before the first attempt',
  shooting: 'is being switched off',
  verifying: 'is being looked at',
  off: 'is off, and watched',
  rebooted: 'was rebooted, and has the time to boot',
  failed: 'could not be switched off',
  'given up': 'could not be switched off: waiting for vipkeeper fence confirm',
  confirmed: 'is off, by the word of the operator',
  starting: 'is being switched on',
  on: 'was switched on',
};

/** The fence devices as lines for a person; `time` is when the report was made. */
export function fencingLines({ devices, shots, history }: FencingReport, time: string): string[] {
  const names = ['DEVICE', 'SWITCHES OFF', 'STATE', 'SEEN'].map((name) => paint('gray', name));
  const rows = devices.map(({ name, target, works, seen, said }) => [
    name,
    target,
    stateWord(works, said),
    seen === null ? 'never' : `${lasting(lengthOf(seen, time))} ago`,
  ]);
  const lines = [paint('bold', 'Fencing'), ...aligned([names, ...rows], '  ')];
  for (const { target, phase } of shots)
    lines.push(`  ${paint('red', `${target} ${PHASES[phase] ?? phase}`)}`);
  for (const record of history) lines.push(`  ${historyLine(record, time)}`);
  return lines;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  off: 'was switched off',
  failed: 'could not be switched off',
  confirmed: 'was off by the word of the operator',
};

/** What came of the last shot at a director, for a person. */
export function historyLine(
  { target, what, by, why, at, heard }: FencingReport['history'][number],
  time: string,
): string {
  const who = what === 'off' ? ` by ${by.join(', ')}` : '';
  const since = heard === null ? 'not heard since' : `heard again at ${heard}`;
  const ago = `${at} (${lasting(lengthOf(at, time))} ago)`;
  return `${target} ${OUTCOMES[what] ?? what}${who} ${ago}: ${why}; ${since}`;
}

function stateWord(works: boolean | null, said: string): string {
  if (works === null) return paint('gray', 'not looked at yet');
  return works ? paint('green', 'works') : paint('red', `does not work: ${said}`);
}
