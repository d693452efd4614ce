import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kernel } from '../lab/engine/kernel.ts';
import { ROOT } from '../lab/engine/root.ts';
import type { DaemonName } from './daemon.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost, type Column, type Figures, type Target } from './result.ts';

const SERVICES = 1000;
const SERVERS = 10;
/** Of this machine; the kernel sees it as /lab. */
const FOLDER = '/run/bench-lvsadm';

const FASTER: Target = { text: 'faster', met: (lvsadm, ipvsadm) => lvsadm < ipvsadm };
/** Each figure is of one command, from its start to its end. */
const COLUMNS: readonly (Column & { readonly command: string })[] = [
  { label: '-R of 11,000 lines', unit: 'ms', target: FASTER, command: '-R </lab/table' },
  { label: '-Ln of that table', unit: 'ms', target: atMost(1.5), command: '-Ln' },
  { label: '-Ln --stats of one service of it', unit: 'ms', command: '-Ln --stats -t 10.1.0.0:80' },
  { label: '-S -n of it', unit: 'ms', target: atMost(1.5), command: '-S -n' },
  { label: '-C', unit: 'ms', command: '-C' },
  { label: '-A of one service', unit: 'ms', command: '-A -t 10.9.9.9:80' },
  { label: '-Ln of one service', unit: 'ms', command: '-Ln' },
];

function table(): string {
  const services = Array.from({ length: SERVICES }, (_, n) => {
    const service = `-t 10.1.${n >> 8}.${n & 0xff}:80`;
    const servers = Array.from(
      { length: SERVERS },
      (_each, i) => `-a ${service} -r 192.168.${n & 0xff}.${i + 1}:8080 -m -w ${i + 1}`,
    );
    return [`-A ${service} -s wrr`, ...servers].join('\n');
  });
  return `${services.join('\n')}\n`;
}

/** What each command prints is thrown away; microseconds are printed, a line for each. */
const script = (program: string): string =>
  [
    'set -e',
    // The Node that runs this, with its cache.
    `PATH=${process.env.PATH}`,
    `export NODE_COMPILE_CACHE=${process.env.NODE_COMPILE_CACHE ?? '/lab/compiled'}`,
    'ipvsadm -C',
    ...COLUMNS.flatMap(({ command }, i) => [
      `began=\${EPOCHREALTIME/./}; ${program} ${command} >/dev/null; echo $((\${EPOCHREALTIME/./} - began))`,
      ...(i === 0 ? [`[ $(ipvsadm -Sn | wc -l) = ${SERVICES * (SERVERS + 1)} ]`] : []),
    ]),
  ].join('\n');

/** The administrator's programs: lvsadm in the columns of vipkeeper, ipvsadm in those of keepalived. */
export const lvsadm: Benchmark = {
  name: 'lvsadm',
  about: 'lvsadm and ipvsadm: a table of 11,000 lines restored, listed, saved; small commands',
  run: async (bench: Bench) => {
    const rounds = bench.effort.quick ? 3 : 9;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'table'), table());
    const kernel = await Kernel.boot({ name: 'bench-lvsadm', folder: FOLDER });
    try {
      const section = await measure(bench, {
        title: 'lvsadm (first) and ipvsadm (second), each from its start to its end',
        note: `1,000 services with 10 servers each; in a user-mode kernel with one CPU; n = ${rounds}`,
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
  const program = daemon === 'keepalived' ? 'ipvsadm' : join(ROOT, 'bin/lvsadm');
  const { status, stdout, stderr } = await kernel.attempt(['bash', '-c', script(program)]);
  if (!('code' in status) || status.code !== 0) throw new Error(`${JSON.stringify(status)} ${stderr}`);
  const figures = stdout.trim().split('\n').map(Number);
  return Object.fromEntries(COLUMNS.map(({ label }, i) => [label, (figures[i] ?? Number.NaN) / 1000]));
}
