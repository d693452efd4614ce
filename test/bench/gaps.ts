import { compiled } from '../lab/engine/root.ts';
import type { Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import type { Router } from './configuration.ts';
import { withBusyCpus } from './load.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { type Column, type Figures, type Section, type Target, within } from './result.ts';
import { percentile } from './statistics.ts';

const INTERVAL = 100;
const REAL_TIME = 50;
const CHECKED_INTERVAL = 10;

const STEADY: Target = { text: '< 0.5 ms', met: (vipkeeper) => vipkeeper < 0.5 };

const CHECKS_EACH_SECOND = 5000;

/** Whether checking disturbs adverts: the engine of the check process beside the master, on the same CPUs. */
export const checked: Benchmark = {
  name: 'checked',
  about: `evenness of adverts each 10 ms, with and without ${CHECKS_EACH_SECOND} TCP checks a second`,
  run: async (bench) => {
    const sections: Section[] = [];
    for (const checks of [0, CHECKS_EACH_SECOND]) sections.push(await besideChecks(bench, checks));
    return sections;
  },
};

function besideChecks({ stage, ...bench }: Bench, checks: number): Promise<Section> {
  const [rounds, seconds] = bench.effort.quick ? [1, 20] : [5, 20];
  const router: Router = { version: 3, interval: CHECKED_INTERVAL, vips: 1, realTime: REAL_TIME };
  return measure(
    { stage, ...bench },
    {
      title: `Advert gaps, ${CHECKED_INTERVAL} ms, vrrp_rt_priority ${REAL_TIME}, ${checks} TCP checks a second beside`,
      note: `|gap - ${CHECKED_INTERVAL} ms| on the wire; ${rounds} x ${seconds} s; the checks are vipkeeper's in both`,
      columns: [
        { label: 'p50', unit: 'ms' },
        { label: 'p99.9', unit: 'ms', target: within(1) },
        { label: 'max', unit: 'ms' },
        { label: 'adverts', unit: '' },
        { label: 'checks each second', unit: '' },
      ],
      rounds,
      once: async (daemon) => {
        await stage.startMaster(daemon, router);
        const load = stage.master.host.start('checks', [
          process.execPath,
          ...(checks > 0
            ? [compiled('test/bench/checks-load.ts'), String(checks)]
            : ['-e', 'setInterval(() => {}, 1000)']),
        ]);
        await pause(4000);
        await stage.forget();
        await pause(seconds * 1000);
        const seen = await stage.backup.watcher.observations();
        const ended = load.log.trim().split('\n').slice(3).map(Number);
        stage.master.host.run('kill', '-9', String(load.child.pid));
        const mean = ended.reduce((sum, each) => sum + each, 0) / Math.max(1, ended.length);
        return { ...deviation(seen, CHECKED_INTERVAL), 'checks each second': mean };
      },
    },
  );
}

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
  const [rounds, seconds] = effort.quick ? [1, 10] : [5, 20];
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

function deviation(seen: Observations, interval = INTERVAL): Figures {
  const times = seen.adverts.map(({ at }) => at);
  if (times.length < 2) throw new Error('the master sent no adverts');
  const off = times.slice(1).map((at, i) => Math.abs(at - (times[i] ?? at) - interval));
  return {
    p50: percentile(off, 0.5),
    p99: percentile(off, 0.99),
    'p99.9': percentile(off, 0.999),
    max: Math.max(...off),
    adverts: times.length,
  };
}
