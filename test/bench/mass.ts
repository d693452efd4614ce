import type { Milliseconds, Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import { type Router, skew } from './configuration.ts';
import { decisionTime } from './crash.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Column, type Figures, type Section, type Target, within } from './result.ts';
import type { Stage } from './stage.ts';

const VIPS = 1000;
const ROUTER: Router = { version: 3, interval: 500, vips: VIPS };
/** keepalived's `garp_master_repeat`. */
const REPEAT = 5;
/** Long enough for the first burst, too short for the second (`garp_master_delay` 5 s). */
const BURST_MILLISECONDS = 2000;

const AS_FAST: Target = { text: 'as fast', met: (vipkeeper, keepalived) => vipkeeper <= keepalived };

/** A thousand addresses that move at once. */
export const mass: Benchmark = {
  name: 'mass',
  about: '1,000 VIPs taken over after a crash, and after a clean stop',
  run: async (bench) => {
    const rounds = bench.effort.quick ? 1 : 5;
    return [await afterCrash(bench, rounds), await afterStop(bench, rounds)];
  },
};

const CRASH: readonly Column[] = [
  { label: 'first address installed', unit: 'ms', target: within(1.5) },
  { label: 'last address installed', unit: 'ms', target: atMost(0.8) },
  { label: 'every VIP announced once', unit: 'ms', target: AS_FAST },
  { label: 'last GARP of the burst', unit: 'ms', target: AS_FAST },
  { label: 'GARPs of the burst', unit: '' },
  { label: 'longest advert gap', unit: 'ms' },
];

function afterCrash(bench: Bench, rounds: number): Promise<Section> {
  const { stage } = bench;
  return measure(bench, {
    title: `${VIPS} VIPs, crash of the master, VRRPv3, advert 500 ms`,
    note: `after the moment at which the protocol makes the backup take over; n = ${rounds}`,
    columns: CRASH,
    rounds,
    once: async (daemon) => {
      await stage.start(daemon, ROUTER);
      const died = stage.master.daemon.crash();
      stage.cutMaster();
      const all = await takenOver(stage);
      // The master announced its addresses too.
      const seen = { ...all, announcements: all.announcements.filter(({ at }) => at > died) };
      return crashFigures(decisionTime(stage, seen, ROUTER), seen, stage.backup.address);
    },
  });
}

/** Waits for all addresses on the backup and the end of the burst; what the backup's watcher saw. */
async function takenOver(stage: Stage): Promise<Observations> {
  const { watcher } = stage.backup;
  await stage.until(
    `the backup has ${VIPS} addresses`,
    async () => (await watcher.summary()).changes >= VIPS,
  );
  await pause(BURST_MILLISECONDS);
  if ((await watcher.summary()).lost) throw new Error('the watcher lost notifications');
  return watcher.observations();
}

function crashFigures(decision: Milliseconds, seen: Observations, backup: string): Figures {
  const arrivals = seen.changes.filter(({ present }) => present).map(({ at }) => at - decision);
  const sent = seen.announcements.map(({ at }) => at - decision);
  const adverts = seen.adverts.filter(({ source }) => source === backup).map(({ at }) => at);
  return {
    'first address installed': Math.min(...arrivals),
    'last address installed': Math.max(...arrivals),
    ...announcedOnce(seen, decision),
    'last GARP of the burst': Math.max(...sent.slice(0, VIPS * REPEAT)),
    'GARPs of the burst': sent.length,
    'longest advert gap': Math.max(...adverts.slice(1).map((at, i) => at - (adverts[i] ?? at))),
  };
}

function announcedOnce(seen: Observations, decision: Milliseconds): Figures {
  const first = new Map<string, Milliseconds>();
  for (const { address, at } of seen.announcements) if (!first.has(address)) first.set(address, at);
  if (first.size < VIPS) throw new Error(`only ${first.size} of ${VIPS} VIPs were announced`);
  return { 'every VIP announced once': Math.max(...first.values()) - decision };
}

const STOP: readonly Column[] = [
  { label: 'SIGTERM -> priority 0', unit: 'ms' },
  { label: 'SIGTERM -> old master has none left', unit: 'ms' },
  { label: 'priority 0 + skew -> last address', unit: 'ms', target: AS_FAST },
  { label: 'unserved, median of the VIPs', unit: 'ms' },
  { label: 'unserved, longest', unit: 'ms' },
  { label: 'SIGTERM -> process gone', unit: 'ms' },
];

function afterStop(bench: Bench, rounds: number): Promise<Section> {
  const { stage } = bench;
  return measure(bench, {
    title: `${VIPS} VIPs, clean stop of the master (SIGTERM), VRRPv3, advert 500 ms`,
    note: `skew ${skew(ROUTER).toFixed(1)} ms; n = ${rounds}`,
    columns: STOP,
    rounds,
    once: async (daemon) => {
      await stage.start(daemon, ROUTER);
      const { asked, ended } = await stage.master.daemon.stop();
      const taken = await takenOver(stage);
      const left = await stage.master.watcher.observations();
      return { ...stopFigures(asked, left, taken), 'SIGTERM -> process gone': ended - asked };
    },
  });
}

function stopFigures(asked: Milliseconds, left: Observations, taken: Observations): Figures {
  const farewell = taken.adverts.find(({ priority }) => priority === 0);
  if (farewell === undefined) throw new Error('no advert with priority 0 was seen');
  const gone = new Map(left.changes.filter(({ present }) => !present).map((each) => [each.address, each.at]));
  const came = taken.changes.filter(({ present }) => present);
  const unserved = came.map(({ address, at }) => at - (gone.get(address) ?? at)).toSorted((a, b) => a - b);
  return {
    'SIGTERM -> priority 0': farewell.at - asked,
    'SIGTERM -> old master has none left': Math.max(...gone.values()) - asked,
    'priority 0 + skew -> last address': Math.max(...came.map(({ at }) => at)) - farewell.at - skew(ROUTER),
    'unserved, median of the VIPs': unserved[unserved.length >> 1] ?? Number.NaN,
    'unserved, longest': unserved.at(-1) ?? Number.NaN,
  };
}
