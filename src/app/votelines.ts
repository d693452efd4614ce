import { counted } from '../core/counted.ts';
import { CLOCK_LIMIT } from '../core/fence/clocks.ts';
import type { VotesReport } from '../core/status/votes.ts';
import { toSeconds } from '../core/time.ts';
import { aligned, lasting, paint } from '../io/screen.ts';

/** Longer than any heartbeat is apart. */
const SILENT_SECONDS = 4;
const STYLE = { holding: 'green', asking: 'yellow', idle: 'gray' } as const;
const WORD = { holding: 'holds', asking: 'asks', idle: 'does not ask' } as const;

const header = (...names: string[]): string[] => names.map((name) => paint('gray', name));

/** The votes as lines for a person. */
export function voteLines({ cluster, name, peers, claims, dropped }: VotesReport): string[] {
  const nodes = peers.map((peer) => [
    peer.witness ? `${peer.name} (witness)` : peer.name,
    heardWord(peer.heard),
    clockWord(peer.clock),
  ]);
  const rows = claims.map(({ of, name: claim, state, vain, votes }) => [
    of === 'group' ? `group ${claim}` : claim,
    paint(STYLE[state], vain > 0 ? `${WORD[state]}, ${counted(vain, 'time')} in vain` : WORD[state]),
    state === 'idle' ? '-' : votes.map(voteWord).join(', '),
  ]);
  const counts = Object.entries(dropped).map(([reason, count]) => `${reason} ${count}`);
  return [
    `${paint('bold', 'Votes')}  cluster ${cluster}, this director is ${name}`,
    ...aligned([header('VOTER', 'HEARD', 'CLOCK'), ...nodes], '  '),
    ...aligned([header('ROUTER', 'THIS DIRECTOR', 'PROMISES'), ...rows], '  '),
    ...(counts.length === 0 ? [] : [paint('yellow', `  dropped heartbeats: ${counts.join(', ')}`)]),
  ];
}

/** Whether this director may hold what the claim is for, by which votes and for how long. */
export function claimLine({ of, name, state, vain, votes }: VotesReport['claims'][number]): string {
  const whose = of === 'group' ? `the votes for group ${name}` : 'the votes';
  const times = vain > 0 ? `, ${counted(vain, 'time')} in vain` : '';
  if (state === 'idle') return `${whose}: this director does not ask for them`;
  const word = paint(STYLE[state], `${state === 'holding' ? 'held' : 'asked for'}${times}`);
  return `${whose}: ${word}: ${votes.map(voteWord).join(', ')}`;
}

function heardWord(heard: number | null): string {
  if (heard === null) return paint('red', 'never');
  if (heard > SILENT_SECONDS) return paint('red', `silent for ${lasting(heard)}`);
  return `${heard.toFixed(1)} s ago`;
}

function clockWord(clock: number | null): string {
  if (clock === null) return '-';
  const words = `${clock < 0 ? '-' : '+'}${Math.abs(clock).toFixed(2)} s`;
  return Math.abs(clock) > toSeconds(CLOCK_LIMIT) ? paint('yellow', words) : words;
}

const voteWord = ({ voter, left, why }: VotesReport['claims'][number]['votes'][number]): string =>
  left === null ? `${voter}: ${why}` : `${voter} for ${left.toFixed(1)} s`;
