import { Kernel } from '../lab/engine/kernel.ts';
import { compiled } from '../lab/engine/root.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import type { Column, Figures } from './result.ts';

const SIZES = [1000, 50_000, 200_000] as const;
const COLUMNS: readonly Column[] = [
  { label: 'until all is there, and compared', unit: 'ms' },
  { label: 'datagrams to the kernel', unit: '' },
  { label: 'longest advert gap of the master', unit: 'ms' },
  { label: 'CPU of the copy, master', unit: 'ms' },
  { label: 'CPU of the copy, backup', unit: 'ms' },
  { label: 'memory (RSS) before, master', unit: 'MiB' },
  { label: 'memory (RSS) after, master', unit: 'MiB' },
  { label: 'memory (RSS) before, backup', unit: 'MiB' },
  { label: 'memory (RSS) after, backup', unit: 'MiB' },
  { label: 'CPU of a survey, master', unit: 'ms' },
  { label: 'CPU of a survey, backup', unit: 'ms' },
];

/** Both directors in a kernel of their own (one CPU, system calls several times as dear as natively). */
export const bulk: Benchmark = {
  name: 'bulk',
  about:
    'a copy of the connection table to a new backup, 1,000 to 200,000 connections; sync health at that size',
  run: async (bench: Bench) => {
    const rounds = bench.effort.quick ? 1 : 3;
    const kernel = await Kernel.boot({ name: 'bench', folder: '/run/bench-kernel', memoryMiB: 2000 });
    try {
      const sections = [];
      for (const size of SIZES)
        sections.push(
          await measure(bench, {
            title: `Bulk copy of ${size.toLocaleString('en')} idle connections to a new backup, advert 1 s`,
            note: `CPU and memory of the sync processes; keepalived has no such thing; ${PLACE}; n = ${rounds}`,
            columns: COLUMNS,
            rounds,
            daemons: ['vipkeeper'],
            once: () => once(kernel, size),
          }),
        );
      return sections;
    } finally {
      kernel.powerOff();
    }
  },
};

const PLACE = 'both in one user-mode kernel with one CPU';

async function once(kernel: Kernel, size: number): Promise<Figures> {
  const program = [process.execPath, compiled('test/bench/bulk-program.ts'), `${size}`];
  const { status, stdout, stderr } = await kernel.attempt([
    'env',
    `PATH=${process.env.PATH}`,
    'LAB_ENCLOSED=1',
    ...program,
  ]);
  if (!('code' in status) || status.code !== 0) throw new Error(`${JSON.stringify(status)} ${stderr}`);
  const figures = JSON.parse(stdout) as readonly number[];
  return Object.fromEntries(COLUMNS.map(({ label }, i) => [label, figures[i] ?? Number.NaN]));
}
