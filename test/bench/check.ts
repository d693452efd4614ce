import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import { file } from '../lab/scene/director.ts';
import { clock } from '../lab/scene/observation.ts';
import type { DaemonName } from './daemon.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import { atMost } from './result.ts';

const SERVERS = 238;
const REAL_SERVERS = 5;

const realServer = (i: number, j: number): string => `    real_server 10.${i}.${j}.1 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
            connect_port 80
        }
    }
`;

const virtualServer = (i: number): string => `virtual_server 10.200.${i}.1 80 {
    protocol TCP
    lb_algo rr
    lb_kind NAT

${Array.from({ length: REAL_SERVERS }, (_, j) => realServer(i, j + 1)).join('')}}

`;

/** What an operator waits for before each reload. */
export const check: Benchmark = {
  name: 'check',
  about: 'the configuration test (-t) of a file of 10,000 lines',
  run: async (bench: Bench) => {
    const text = Array.from({ length: SERVERS }, (_, i) => virtualServer(i)).join('');
    const rounds = bench.effort.quick ? 3 : 10;
    const section = await measure(bench, {
      title: `-t with ${text.split('\n').length - 1} lines, ${SERVERS} virtual servers`,
      note: `the whole program, its start included; n = ${rounds}`,
      columns: [{ label: 'until it has ended', unit: 'ms', target: atMost(5) }],
      rounds,
      once: async (daemon) => {
        const path = file(bench.stage.master.host, 'check.conf', text);
        const [program = '', ...argv] = commandLine(daemon, path);
        const began = clock();
        const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8' });
        const took = clock() - began;
        if (status !== 0) throw new Error(`exit status ${status}: ${stderr}`);
        return { 'until it has ended': took };
      },
    });
    return [section];
  },
};

const commandLine = (daemon: DaemonName, path: string): string[] =>
  daemon === 'keepalived'
    ? ['keepalived', '-t', '-f', path]
    : [join(ROOT, 'bin/vipkeeperd'), '-t', '-f', path];
