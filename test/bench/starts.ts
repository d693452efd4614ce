import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import { clock } from '../lab/scene/observation.ts';
import { type Router, vip } from './configuration.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Column, type Figures, type Section, type Target } from './result.ts';

const FOLDER = '/run/bench-starts';
const ROUTER: Router = { version: 3, interval: 100, vips: 1 };

/** Commands that ask nobody anything. */
const SMALL = ['lvsadm -h', 'vipkeeper --help', 'vipkeeperd --version'] as const;

/** What each start costs: of programs, natively, and of the daemon until it is master. */
export const starts: Benchmark = {
  name: 'starts',
  about:
    'starts of programs beside an empty one of the same Node, and beside ipvsadm; daemon start to MASTER',
  run: async (bench: Bench) => {
    const folder = mkdtempSync(`${FOLDER}-`);
    const empty = join(folder, 'empty.js');
    writeFileSync(empty, '');
    try {
      return [
        await besideEmpty(bench, ['node', '--inspect-port=[ff00::]', empty]),
        await besideIpvsadm(bench),
        await toMaster(bench),
      ];
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

const wallAndCpu = (name: string, target?: Target): Column[] =>
  ['wall', 'CPU'].map((what) => ({
    label: `${name}, ${what}`,
    unit: 'ms' as const,
    ...(target && { target }),
  }));

function besideEmpty(bench: Bench, empty: readonly string[]): Promise<Section> {
  const rounds = bench.effort.quick ? 5 : 15;
  return measure(bench, {
    title: 'Small commands (first) and an empty program on the same Node (second)',
    note: `with Node's cache of compiled code, as the package has it; n = ${rounds}`,
    columns: SMALL.flatMap((name) => wallAndCpu(name, atMost(1.25))),
    rounds,
    once: async (daemon) => {
      const figures: Record<string, number> = {};
      for (const name of SMALL)
        Object.assign(figures, run(name, daemon === 'keepalived' ? empty : ours(name)));
      return figures;
    },
  });
}

function besideIpvsadm(bench: Bench): Promise<Section> {
  const rounds = bench.effort.quick ? 5 : 15;
  return measure(bench, {
    title: 'lvsadm -h (first) and ipvsadm -h (second)',
    note: `n = ${rounds}`,
    columns: wallAndCpu('start'),
    rounds,
    once: async (daemon) => run('start', daemon === 'keepalived' ? ['ipvsadm', '-h'] : ours('lvsadm -h')),
  });
}

const ours = (command: string): string[] => {
  const [name = '', ...words] = command.split(' ');
  return [join(ROOT, 'bin', name), ...words];
};

const NOT_FOUND = 126;
/** Of the whole program, by the shell's `time`. ipvsadm fails where the kernel has no IPVS: that is no start less. */
function run(name: string, command: readonly string[]): Figures {
  const script = 'TIMEFORMAT=\'%R %U %S\'; time "$@" >/dev/null 2>&1';
  const { status, stderr } = spawnSync('bash', ['-c', script, 'bash', ...command], { encoding: 'utf8' });
  if (status === null || status >= NOT_FOUND) throw new Error(`${command.join(' ')}: exit status ${status}`);
  const [wall = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number);
  return { [`${name}, wall`]: wall * 1000, [`${name}, CPU`]: (user + system) * 1000 };
}

function toMaster(bench: Bench): Promise<Section> {
  const { stage, effort } = bench;
  const rounds = effort.quick ? 3 : 8;
  return measure(bench, {
    title: 'Start of the daemon, one instance, VRRPv3, advert 100 ms',
    note: `until the address is there; n = ${rounds}`,
    columns: [{ label: 'start -> MASTER', unit: 'ms', target: atMost(2) }],
    rounds,
    once: async (daemon) => {
      const began = clock();
      await stage.startMaster(daemon, ROUTER);
      const { changes } = await stage.master.watcher.observations();
      const came = changes.find(({ address, present }) => present && address === vip(0));
      return { 'start -> MASTER': (came?.at ?? Number.NaN) - began };
    },
  });
}
