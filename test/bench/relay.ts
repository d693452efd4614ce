import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { compiled } from '../lab/engine/root.ts';
import type { DaemonName } from './daemon.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import type { Column, Figures, Target } from './result.ts';

const RATE = 20_000;
/** Milliseconds of CPU for 10,000 datagrams that leave a core idle now and then at `RATE`. */
const A_CORE = 500;
const ONE_CORE: Target = { text: 'one core at most', met: (ours) => ours <= A_CORE };
const COLUMNS: readonly Column[] = [
  { label: 'sender, CPU for 10,000', unit: 'ms', target: ONE_CORE },
  { label: 'receiver, CPU for 10,000', unit: 'ms', target: ONE_CORE },
  { label: 'lost', unit: '%' },
];

/** Natively: its two relays and what stands for the kernels have all CPUs. */
export const relay: Benchmark = {
  name: 'relay',
  about: 'connection sync carried by the daemons, 20,000 datagrams of 1340 bytes a second: CPU time, losses',
  run: async (bench: Bench) => {
    const seconds = bench.effort.quick ? 3 : 10;
    const section = await measure(bench, {
      title: 'sync_relay, 20,000 datagrams a second (740,000 connections) from one director to another',
      note: `1340 bytes each, for ${seconds} s; keepalived has no such thing, the kernel's multicast costs it nothing`,
      columns: COLUMNS,
      rounds: bench.effort.quick ? 1 : 3,
      once: (daemon) => once(daemon, seconds),
    });
    return [section];
  },
};

interface Measured {
  readonly count: number;
  readonly arrived: number;
  readonly sender: number;
  readonly receiver: number;
}

async function once(daemon: DaemonName, seconds: number): Promise<Figures> {
  if (daemon === 'keepalived') return Object.fromEntries(COLUMNS.map(({ label }) => [label, 0]));
  const argv = [compiled('test/bench/relay-program.ts'), `${RATE}`, `${seconds}`];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  const { count, arrived, sender, receiver } = JSON.parse(stdout) as Measured;
  const asked = RATE * seconds;
  const values = [(sender / count) * 10_000, (receiver / arrived) * 10_000, (1 - arrived / asked) * 100];
  return Object.fromEntries(COLUMNS.map(({ label }, i) => [label, values[i] ?? Number.NaN]));
}
