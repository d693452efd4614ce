import { Kernel } from '../lab/engine/kernel.ts';
import { compiled } from '../lab/engine/root.ts';
import type { DaemonName } from './daemon.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Column, type Figures, type Target } from './result.ts';

const AS_FAST: Target = { text: 'as fast', met: (vipkeeper, keepalived) => vipkeeper <= keepalived };
const COLUMNS: readonly Column[] = [
  { label: 'start -> table complete', unit: 'ms', target: atMost(1.5) },
  { label: 'reload -> one server changed', unit: 'ms', target: atMost(3) },
  { label: 'stop -> gone, table empty', unit: 'ms', target: AS_FAST },
];

/** The real table, in a kernel of its own (one CPU, system calls several times as dear as natively). */
export const ipvs: Benchmark = {
  name: 'ipvs',
  about: 'the IPVS table of 1,000 services with 10 servers each: start, reload, stop',
  run: async (bench: Bench) => {
    const rounds = bench.effort.quick ? 1 : 5;
    const kernel = await Kernel.boot({ name: 'bench', folder: '/run/bench-kernel', memoryMiB: 2000 });
    try {
      const section = await measure(bench, {
        title: 'IPVS table, 1,000 services with 10 servers each, without checks',
        note: `in a user-mode kernel with one CPU; n = ${rounds}`,
        columns: COLUMNS,
        rounds,
        once: (daemon) => once(kernel, daemon),
      });
      return [section];
    } finally {
      kernel.powerOff();
    }
  },
};

async function once(kernel: Kernel, daemon: DaemonName): Promise<Figures> {
  const program = compiled('test/bench/ipvs-program.ts');
  const { status, stdout, stderr } = await kernel.attempt([
    'env',
    `PATH=${process.env.PATH}`,
    process.execPath,
    program,
    daemon,
  ]);
  if (!('code' in status) || status.code !== 0) throw new Error(`${JSON.stringify(status)} ${stderr}`);
  const { filled, reloaded, stopped } = JSON.parse(stdout) as Record<string, number>;
  return Object.fromEntries(
    COLUMNS.map(({ label }, i) => [label, [filled, reloaded, stopped][i] ?? Number.NaN]),
  );
}
