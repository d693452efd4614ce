import type { Milliseconds, Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import type { Router } from './configuration.ts';
import { withBusyCpus } from './load.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import type { Column, Section, Target } from './result.ts';

const NONE: Target = { text: 'none', met: (vipkeeper) => vipkeeper === 0 };
const COLUMNS: readonly Column[] = [
  { label: 'false takeovers', unit: 'times', target: NONE },
  { label: 'longest silence of the master', unit: 'ms' },
];
const REAL_TIME = 50;

/** Adverts each 10 ms while every CPU is busy: does the backup leave a living master alone? */
export const steady: Benchmark = {
  name: 'steady',
  about: 'false failovers with adverts each 10 ms and busy CPUs (10 minutes, --minutes)',
  run: async (bench) => {
    const { minutes } = bench.effort;
    return [await watching(bench, minutes, REAL_TIME), await watching(bench, minutes / 10, undefined)];
  },
};

function watching(bench: Bench, minutes: number, realTime: number | undefined): Promise<Section> {
  const { stage } = bench;
  const router: Router = { version: 3, interval: 10, vips: 1, ...(realTime && { realTime }) };
  const length = minutes < 1 ? `${Math.round(minutes * 60)} s` : `${minutes} min`;
  const scheduling = realTime ? `vrrp_rt_priority ${realTime}` : 'no vrrp_rt_priority';
  return measure(bench, {
    title: `False failovers, advert 10 ms, all CPUs busy, ${scheduling}`,
    note: `${length} for each daemon`,
    columns: COLUMNS,
    rounds: 1,
    once: async (daemon) => {
      await stage.start(daemon, router);
      return withBusyCpus(minutes * 60 + 5, async () => {
        await pause(minutes * 60_000);
        const { takeovers } = await stage.backup.watcher.summary();
        const seen = await stage.backup.watcher.observations();
        const silence = longestSilence(seen, stage.master.address);
        return { 'false takeovers': takeovers, 'longest silence of the master': silence };
      });
    },
  });
}

function longestSilence(seen: Observations, master: string): Milliseconds {
  let [longest, last] = [Number.NaN, Number.NaN];
  for (const { at, source } of seen.adverts) {
    if (source !== master) continue;
    if (!(at - last <= longest)) longest = at - last;
    last = at;
  }
  return longest;
}
