import { Kernel } from '../lab/engine/kernel.ts';
import { compiled } from '../lab/engine/root.ts';
import type { DaemonName } from './daemon.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Column, type Figures, type Section, type Target } from './result.ts';

const NO_LATER: Target = { text: 'no later', met: (ours, theirs) => ours <= theirs };
const KINDS = ['tcp', 'http'] as const;
const SIZES = [10, 1000, 10_000] as const;

/** What one run of the program gives, for the columns of a section. */
interface Part {
  readonly words: readonly string[];
  readonly columns: Readonly<Record<string, string>>;
}

/** Checks with the real table, in a kernel of its own (one CPU, system calls several times as dear as natively). */
export const checkers: Benchmark = {
  name: 'checkers',
  about: 'health checks: CPU time for 1,000 of them, from death to removal, memory by number of servers',
  run: async (bench: Bench) => {
    const kernel = await Kernel.boot({ name: 'bench', folder: '/run/bench-kernel', memoryMiB: 2000 });
    const run = (
      title: string,
      note: string,
      columns: readonly Column[],
      parts: readonly Part[],
    ): Promise<Section> =>
      measure(bench, {
        title,
        note: `${note}; in a user-mode kernel with one CPU`,
        columns,
        rounds: bench.effort.quick ? 1 : 5,
        once: (daemon) => once(kernel, daemon, parts),
      });
    const { quick } = bench.effort;
    try {
      return [
        await run(
          'Health checks, 100 servers, each checked every second',
          `${quick ? 10 : 30} s`,
          LOAD,
          loads(quick),
        ),
        await run(
          'Health checks, 1,000 servers, each checked every second',
          `${quick ? 10 : 30} s`,
          MANY,
          many(quick),
        ),
        await run(
          'From the death of a server to its removal, checked every second',
          `${quick ? 4 : 12} deaths`,
          REMOVAL,
          removals(quick),
        ),
        await run(
          'Memory of all processes, TCP checks every 60 s',
          'resident (RSS) and proportional (PSS)',
          MEMORY,
          MEMORIES,
        ),
      ];
    } finally {
      kernel.powerOff();
    }
  },
};

const MANY: readonly Column[] = [
  { label: 'CPU of 1,000 TCP checks', unit: 'ms', target: atMost(0.7) },
  { label: 'TCP checks each second', unit: '' },
];
const many = (quick: boolean): Part[] => [
  {
    words: ['load', 'tcp', '1000', quick ? '10' : '30'],
    columns: { 'CPU for 1,000': 'CPU of 1,000 TCP checks', 'checks each second': 'TCP checks each second' },
  },
];

const LOAD: readonly Column[] = KINDS.flatMap((kind) => [
  { label: `CPU of 1,000 ${kind.toUpperCase()} checks`, unit: 'ms', target: atMost(1.5) },
  { label: `${kind.toUpperCase()} checks each second`, unit: '' },
]);
const loads = (quick: boolean): Part[] =>
  KINDS.map((kind) => ({
    words: ['load', kind, '100', quick ? '10' : '30'],
    columns: {
      'CPU for 1,000': `CPU of 1,000 ${kind.toUpperCase()} checks`,
      'checks each second': `${kind.toUpperCase()} checks each second`,
    },
  }));

const REMOVAL: readonly Column[] = KINDS.flatMap((kind) => [
  { label: `${kind.toUpperCase()}, median`, unit: 'ms', target: NO_LATER },
  { label: `${kind.toUpperCase()}, worst`, unit: 'ms' },
]);
const removals = (quick: boolean): Part[] =>
  KINDS.map((kind) => ({
    words: ['removal', kind, quick ? '4' : '12'],
    columns: { median: `${kind.toUpperCase()}, median`, worst: `${kind.toUpperCase()}, worst` },
  }));

const MEMORY: readonly Column[] = SIZES.flatMap((size) => [
  { label: `${size} servers, RSS`, unit: 'MiB' },
  { label: `${size} servers, PSS`, unit: 'MiB', target: size > 1000 ? atMost(5) : atMost(4) },
]);
const MEMORIES: readonly Part[] = SIZES.map((size) => ({
  words: ['memory', String(size)],
  columns: { RSS: `${size} servers, RSS`, PSS: `${size} servers, PSS` },
}));

async function once(kernel: Kernel, daemon: DaemonName, parts: readonly Part[]): Promise<Figures> {
  const program = compiled('test/bench/checkers-program.ts');
  const figures: Record<string, number> = {};
  for (const { words, columns } of parts) {
    const { status, stdout, stderr } = await kernel.attempt([
      ...['env', `PATH=${process.env.PATH}`, process.execPath],
      ...[program, daemon, ...words],
    ]);
    if (!('code' in status) || status.code !== 0)
      throw new Error(`${words.join(' ')}: ${JSON.stringify(status)} ${stderr}`);
    const found = JSON.parse(stdout) as Record<string, number>;
    for (const [name, label] of Object.entries(columns)) figures[label] = found[name] ?? Number.NaN;
  }
  return figures;
}
