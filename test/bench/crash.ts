import type { Milliseconds, Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import { masterDown, type Router, vip } from './configuration.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Column, type Figures, type Section } from './result.ts';
import type { Director, Stage } from './stage.ts';

const COLUMNS: readonly Column[] = [
  { label: 'death -> VIP', unit: 'ms' },
  { label: 'lateness of the VIP', unit: 'ms', target: atMost(1.5) },
  { label: 'lateness of its GARP', unit: 'ms' },
];

/** The master's death until the backup has the VIP, and how much later that is than the protocol demands. */
export const crash: Benchmark = {
  name: 'crash',
  about: "failover after the master's crash, adverts each 10 ms, 100 ms (v3) and 1 s (v2)",
  run: async (bench) => {
    const rounds = bench.effort.quick ? 3 : 8;
    return [
      await failover(bench, { version: 3, interval: 10, vips: 1 }, rounds),
      await failover(bench, { version: 3, interval: 100, vips: 1 }, rounds),
      await failover(bench, { version: 2, interval: 1000, vips: 1 }, bench.effort.quick ? 2 : 6),
    ];
  },
};

function failover(bench: Bench, router: Router, rounds: number): Promise<Section> {
  const down = masterDown(router);
  const theory = `${(down - router.interval).toFixed(1)}..${down.toFixed(1)} ms`;
  return measure(bench, {
    title: `Crash of the master, VRRPv${router.version}, advert ${inUnits(router.interval)}`,
    note: `SIGKILL of all processes, link down; n = ${rounds}; theory: death -> VIP ${theory}, lateness 0`,
    columns: COLUMNS,
    rounds,
    once: async (daemon) => {
      const { stage } = bench;
      await stage.start(daemon, router);
      // Anywhere between two adverts.
      await pause(Math.random() * router.interval);
      const died = stage.master.daemon.crash();
      stage.cutMaster();
      await stage.until('the backup has the VIP', async () => (await held(stage.backup)) > 0);
      // The announcement follows within a millisecond.
      await pause(20);
      const seen = await stage.backup.watcher.observations();
      return figures(died, decisionTime(stage, seen, router), seen);
    },
  });
}

const inUnits = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);

const held = async (director: Director): Promise<number> => (await director.watcher.summary()).takeovers;

/** When the protocol makes the backup take over: the master's last advert plus the master down interval. */
export function decisionTime(stage: Stage, seen: Observations, router: Router): Milliseconds {
  const last = seen.adverts.findLast(({ source }) => source === stage.master.address);
  if (last === undefined) throw new Error('no advert of the master was seen');
  return last.at + masterDown(router);
}

function figures(died: Milliseconds, decision: Milliseconds, seen: Observations): Figures {
  const came = seen.changes.find(({ address, present }) => present && address === vip(0));
  const announced = seen.announcements.find(({ at, address }) => at > died && address === vip(0));
  if (came === undefined) throw new Error('the VIP was not seen');
  if (announced === undefined) throw new Error('the VIP was not announced');
  return {
    'death -> VIP': came.at - died,
    'lateness of the VIP': came.at - decision,
    'lateness of its GARP': announced.at - decision,
  };
}
