/**
 * The signals that the daemon acts on, by keepalived's names of what they do (`--signum`). Real-time ones have the
 * numbers of Linux with glibc, which are keepalived's there.
 */
export const SIGNALS = {
  STOP: 15,
  RELOAD: 1,
  DATA: 10,
  STATS: 12,
  STATS_CLEAR: 63,
  JSON: 36,
  TDUMP: 64,
} as const;
export type SignalName = keyof typeof SIGNALS;

const [SIGINT, SIGQUIT, SIGALRM, SIGSTKFLT, SIGVTALRM, SIGPROF, SIGIO, SIGPWR] = [
  2, 3, 14, 16, 26, 27, 29, 30,
];
/** glibc's own are below. */
const [SIGRTMIN, SIGRTMAX] = [34, 64];
/** They would end a process, and mean nothing to any of ours. */
const MEANINGLESS: readonly number[] = [
  ...[SIGALRM, SIGSTKFLT, SIGVTALRM, SIGPROF, SIGIO, SIGPWR],
  ...Array.from({ length: SIGRTMAX - SIGRTMIN + 1 }, (_, i) => SIGRTMIN + i),
];
const ACTED_ON: readonly number[] = Object.values(SIGNALS);

/** Beside STOP's own number: Ctrl-C and Ctrl-\ in a terminal. */
export const ALSO_STOP: readonly number[] = [SIGINT, SIGQUIT];

/** What the daemon does not act on: it goes on as if they had not come. */
export const UNHEARD_BY_DAEMON: readonly number[] = MEANINGLESS.filter((each) => !ACTED_ON.includes(each));

/**
 * The same for its child processes: what is meant for the daemon reaches them too, when it is sent to all processes of
 * a name or of a service. They end when the daemon asks, by SIGTERM.
 */
export const UNHEARD_BY_CHILDREN: readonly number[] = Array.from(
  new Set([...ACTED_ON, ...ALSO_STOP, ...MEANINGLESS]),
).filter((each) => each !== SIGNALS.STOP);

/** Where the daemon is in its life. A reload is an instant: it is over before a signal is looked at. */
export type LifePhase = 'starting' | 'running' | 'stopping';

/**
 * What becomes of a signal: done at once, done as soon as the daemon runs, or nothing. A start is broken off by a stop,
 * but not by a reload: the file may have been read before it was changed. A daemon that stops still says how it is.
 */
export function answerTo(signal: SignalName, phase: LifePhase): 'act' | 'keep' | 'drop' {
  if (phase === 'running') return 'act';
  if (phase === 'starting') return signal === 'STOP' ? 'act' : 'keep';
  return signal === 'STOP' || signal === 'RELOAD' ? 'drop' : 'act';
}
