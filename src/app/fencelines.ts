import type { FencingReport } from '../core/status/report.ts';
import { aligned, lasting, paint } from '../io/screen.ts';
import { lengthOf } from './standing.ts';

const PHASES: Readonly<Record<string, string>> = {
  waiting: 'waits before the first attempt',
  shooting: 'is being switched off',
  verifying: 'is being looked at',
  off: 'is off, and watched',
  failed: 'could not be switched off',
  confirmed: 'is off, by the word of the operator',
};

/** The fence devices as lines for a person; `time` is when the report was made. */
export function fencingLines({ devices, shots }: FencingReport, time: string): string[] {
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
  return lines;
}

function stateWord(works: boolean | null, said: string): string {
  if (works === null) return paint('gray', 'not looked at yet');
  return works ? paint('green', 'works') : paint('red', `does not work: ${said}`);
}
