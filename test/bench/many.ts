import type { Milliseconds, Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import { configuration, FIRST_VRID, masterDown, type Router, vip } from './configuration.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Figures, type Section } from './result.ts';
import { cpuOf } from './stage.ts';
import { percentile } from './statistics.ts';

const INSTANCES = 200;
const CALM: Router = { version: 2, interval: 1000, vips: INSTANCES, instances: INSTANCES };
const QUICK: Router = { ...CALM, version: 3, interval: 500 };
/** The second burst of announcements (`garp_master_delay` 5 s) is over then. */
const SETTLED_MILLISECONDS = 6000;
/** How long a reload may take, and how long its after-effects are looked for. */
const RELOAD_MILLISECONDS = 3000;

/** Many virtual routers, each with an address of its own. */
export const many: Benchmark = {
  name: 'many',
  about: `${INSTANCES} instances: their cost, a reload that changes one, and all taken over at once`,
  run: async (bench) => [await cost(bench), await reload(bench), await takeover(bench)],
};

function cost(bench: Bench): Promise<Section> {
  const { stage, effort } = bench;
  const [rounds, seconds] = effort.quick ? [1, 10] : [5, 20];
  return measure(bench, {
    title: `A master of ${INSTANCES} instances, VRRPv2, advert 1 s`,
    note: `all processes of the daemon, |gap - 1 s| of each instance on the wire; ${rounds} x ${seconds} s`,
    columns: [
      { label: 'resident memory (RSS)', unit: 'MiB' },
      { label: 'its share of it (PSS)', unit: 'MiB' },
      { label: 'CPU time in a minute', unit: 'ms', target: atMost(3) },
      { label: 'deviation, p50', unit: 'ms' },
      { label: 'deviation, p99', unit: 'ms' },
      { label: 'deviation, max', unit: 'ms' },
    ],
    rounds,
    once: async (daemon) => {
      await stage.startMaster(daemon, CALM);
      await pause(5000);
      const processes = stage.master.daemon.processes();
      const before = processes.map(cpuOf);
      await stage.forget();
      await pause(seconds * 1000);
      const used = processes.reduce((sum, pid, i) => sum + cpuOf(pid) - (before[i] ?? 0), 0);
      const { rss, pss } = stage.master.daemon.memory();
      const off = gapsOf(await stage.backup.watcher.observations()).map((gap) =>
        Math.abs(gap - CALM.interval),
      );
      return {
        'resident memory (RSS)': rss,
        'its share of it (PSS)': pss,
        'CPU time in a minute': (used * 60) / seconds,
        'deviation, p50': percentile(off, 0.5),
        'deviation, p99': percentile(off, 0.99),
        'deviation, max': percentile(off, 1),
      };
    },
  });
}

/** Between the adverts of each instance. */
function gapsOf({ adverts }: Observations): number[] {
  const last = new Map<number, Milliseconds>();
  const gaps: number[] = [];
  for (const { vrid, at } of adverts) {
    const before = last.get(vrid);
    if (before !== undefined) gaps.push(at - before);
    last.set(vrid, at);
  }
  if (last.size !== INSTANCES) throw new Error(`${last.size} of ${INSTANCES} instances advertise`);
  return gaps;
}

function reload(bench: Bench): Promise<Section> {
  const { stage, effort } = bench;
  const rounds = effort.quick ? 2 : 6;
  const added = vip(INSTANCES);
  return measure(bench, {
    title: `SIGHUP with one more address in one of ${INSTANCES} instances, VRRPv3, advert 500 ms`,
    note: `n = ${rounds}`,
    columns: [
      { label: 'SIGHUP -> the address is there', unit: 'ms', target: atMost(2) },
      { label: 'longest advert gap of an instance', unit: 'ms' },
      { label: 'addresses that left meanwhile', unit: '' },
      { label: 'announced again', unit: '' },
    ],
    rounds,
    once: async (daemon) => {
      await stage.startMaster(daemon, QUICK);
      await pause(SETTLED_MILLISECONDS);
      await stage.forget();
      const asked = stage.master.daemon.reload(configuration(QUICK, 'master', [added]));
      await pause(RELOAD_MILLISECONDS);
      const { changes } = await stage.master.watcher.observations();
      const seen = await stage.backup.watcher.observations();
      const came = changes.find(({ address, present }) => present && address === added);
      if (came === undefined) throw new Error('the address did not come');
      const others = seen.announcements.filter(({ address }) => address !== added);
      return {
        'SIGHUP -> the address is there': came.at - asked,
        'longest advert gap of an instance': Math.max(...gapsOf(seen)),
        'addresses that left meanwhile': changes.filter(({ present }) => !present).length,
        'announced again': new Set(others.map(({ address }) => address)).size,
      };
    },
  });
}

function takeover(bench: Bench): Promise<Section> {
  const { stage, effort } = bench;
  const rounds = effort.quick ? 1 : 5;
  return measure(bench, {
    title: `Crash of a master of ${INSTANCES} instances, VRRPv3, advert 500 ms`,
    note: `each address after the moment at which its instance must take over; n = ${rounds}`,
    columns: [
      { label: 'lateness of an address, median', unit: 'ms' },
      { label: 'lateness of an address, max', unit: 'ms' },
      { label: 'last due -> last address', unit: 'ms' },
      { label: 'last due -> all announced', unit: 'ms' },
    ],
    rounds,
    once: async (daemon) => {
      await stage.start(daemon, QUICK);
      const died = stage.master.daemon.crash();
      stage.cutMaster();
      const { watcher, address } = stage.backup;
      await stage.until(
        'the backup has all addresses',
        async () => (await watcher.summary()).changes >= INSTANCES,
      );
      await pause(500);
      return lateness(await watcher.observations(), died, address);
    },
  });
}

function lateness(seen: Observations, died: Milliseconds, backup: string): Figures {
  const due = new Map<string, Milliseconds>();
  for (const { vrid, at, source } of seen.adverts)
    if (source !== backup) due.set(vip(vrid - FIRST_VRID), at + masterDown(QUICK));
  const came = seen.changes.filter(({ present }) => present);
  const late = came.map(({ address, at }) => at - (due.get(address) ?? Number.NaN));
  const announced = new Map<string, Milliseconds>();
  for (const { address, at } of seen.announcements)
    if (at > died && !announced.has(address)) announced.set(address, at);
  if (announced.size < INSTANCES) throw new Error(`only ${announced.size} addresses were announced`);
  // How far apart the adverts of the instances are is chance: up to an interval.
  const last = Math.max(...due.values());
  return {
    'lateness of an address, median': percentile(late, 0.5),
    'lateness of an address, max': percentile(late, 1),
    'last due -> last address': Math.max(...came.map(({ at }) => at)) - last,
    'last due -> all announced': Math.max(...announced.values()) - last,
  };
}
