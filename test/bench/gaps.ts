import type { Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import type { Router } from './configuration.ts';
import { withBusyCpus } from './load.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import type { Column, Figures, Section, Target } from './result.ts';
import { percentile } from './statistics.ts';

const INTERVAL = 100;
const REAL_TIME = 50;

const STEADY: Target = { text: '< 0.5 ms', met: (vipkeeper) => vipkeeper < 0.5 };

/** How evenly the master sends: on an idle and on a busy machine, with and without real-time priority. */
export const gaps: Benchmark = {
  name: 'gaps',
  about: 'evenness of adverts each 100 ms, with and without busy CPUs and real-time priority',
  run: async (bench) => {
    const sections: Section[] = [];
    for (const busy of [false, true]) {
      for (const realTime of [undefined, REAL_TIME]) sections.push(await evenness(bench, busy, realTime));
    }
    return sections;
  },
};

function evenness(bench: Bench, busy: boolean, realTime: number | undefined): Promise<Section> {
  const { stage, effort } = bench;
  const [rounds, seconds] = effort.quick ? [1, 10] : [2, 30];
  const router: Router = { version: 3, interval: INTERVAL, vips: 1, ...(realTime && { realTime }) };
  const watch = async (): Promise<Figures> => {
    await stage.forget();
    await pause(seconds * 1000);
    return deviation(await stage.backup.watcher.observations());
  };
  const scheduling = realTime ? `vrrp_rt_priority ${realTime}` : 'no vrrp_rt_priority';
  return measure(bench, {
    title: `Advert gaps, ${INTERVAL} ms, ${busy ? 'all CPUs busy' : 'no load added'}, ${scheduling}`,
    note: `|gap - ${INTERVAL} ms| on the wire; ${rounds} x ${seconds} s`,
    columns: columns(busy && realTime !== undefined),
    rounds,
    once: async (daemon) => {
      await stage.startMaster(daemon, router);
      return busy ? withBusyCpus(seconds + 5, watch) : watch();
    },
  });
}

const columns = (targeted: boolean): Column[] => [
  { label: 'p50', unit: 'ms' },
  { label: 'p99', unit: 'ms', ...(targeted && { target: STEADY }) },
  { label: 'max', unit: 'ms' },
  { label: 'adverts', unit: '' },
];

function deviation(seen: Observations): Figures {
  const times = seen.adverts.map(({ at }) => at);
  if (times.length < 2) throw new Error('the master sent no adverts');
  const off = times.slice(1).map((at, i) => Math.abs(at - (times[i] ?? at) - INTERVAL));
  return {
    p50: percentile(off, 0.5),
    p99: percentile(off, 0.99),
    max: Math.max(...off),
    adverts: times.length,
  };
}
