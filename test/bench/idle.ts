import { pause } from '../lab/scene/scene.ts';
import type { Router } from './configuration.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost } from './result.ts';
import { cpuOf } from './stage.ts';

const ROUTER: Router = { version: 2, interval: 1000, vips: 1 };

/** What the master costs while nothing happens. */
export const idle: Benchmark = {
  name: 'idle',
  about: 'memory, processes and CPU time of an idle master with one instance, adverts each second',
  run: async (bench: Bench) => {
    const { stage, effort } = bench;
    const [rounds, seconds] = effort.quick ? [1, 10] : [5, 30];
    const section = await measure(bench, {
      title: 'An idle master, one instance, VRRPv2, advert 1 s',
      note: `all processes of the daemon; ${rounds} x ${seconds} s`,
      columns: [
        { label: 'resident memory (RSS)', unit: 'MiB' },
        { label: 'its share of it (PSS)', unit: 'MiB' },
        { label: 'processes', unit: '' },
        { label: 'CPU time in a minute', unit: 'ms', target: atMost(6) },
      ],
      rounds,
      once: async (daemon) => {
        await stage.startMaster(daemon, ROUTER);
        await pause(5000);
        const processes = stage.master.daemon.processes();
        const before = processes.map(cpuOf);
        await pause(seconds * 1000);
        const used = processes.reduce((sum, pid, i) => sum + cpuOf(pid) - (before[i] ?? 0), 0);
        const { rss, pss } = stage.master.daemon.memory();
        return {
          'resident memory (RSS)': rss,
          'its share of it (PSS)': pss,
          processes: processes.length,
          'CPU time in a minute': (used * 60) / seconds,
        };
      },
    });
    return [section];
  },
};
