import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ip } from '../../src/core/ip.ts';
import type { IpvsServiceKey } from '../../src/core/netlink/ipvs.ts';
import { IpvsClient } from '../../src/io/ipvs.ts';
import { ROOT } from '../lab/engine/root.ts';
import { clock } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import type { DaemonName } from './daemon.ts';

/**
 * `checkers-program DAEMON load KIND SERVERS SECONDS`: the daemon's CPU time for the checks of so many servers each
 * second. `... removal KIND TIMES`: from a server's death to its end in the table. `... memory SERVERS`: what it holds.
 * In a kernel with IPVS that nobody else uses; prints JSON.
 */
const [daemonName = '', what = '', ...rest] = process.argv.slice(2);
const PORT = 9000;
const MORTAL = 9001;
const SERVICE: IpvsServiceKey = { family: 4, protocol: 6, address: ip('10.1.0.1'), port: 80 };
const LIMIT_MILLISECONDS = 60_000;
const TICKS_PER_SECOND = 100;

const address = (n: number): string => `127.1.${n >> 8}.${n & 0xff}`;
const CHECKS = {
  tcp: 'TCP_CHECK {\n connect_timeout 5\n retry 0\n}',
  http: 'HTTP_GET {\n connect_timeout 5\n retry 0\n url {\n path /\n status_code 200\n }\n}',
} as const;
type Kind = keyof typeof CHECKS;

/** One service; every server is checked each `period` seconds. */
function configuration(kind: Kind, servers: readonly (readonly [string, number])[], period: number): string {
  const real = servers.map(
    ([where, port]) => `real_server ${where} ${port} {\n weight 1\n ${CHECKS[kind]}\n}`,
  );
  const head = `virtual_server 10.1.0.1 80 {\n delay_loop ${period}\n lb_algo rr\n lb_kind NAT\n protocol TCP`;
  return `${head}\n${real.join('\n')}\n}\n`;
}

const folder = mkdtempSync('/run/checkers-bench-');
function start(text: string): ChildProcess {
  const file = join(folder, 'daemon.conf');
  writeFileSync(file, text);
  const files = ['-p', '-r', '-c', '-b'].flatMap((option) => [option, join(folder, option)]);
  const own = ['--run-dir', join(folder, 'run'), '--state-dir', join(folder, 'state')];
  const [program = '', ...argv] =
    (daemonName as DaemonName) === 'keepalived'
      ? ['keepalived', '-n', '-G', '-C', '-f', file, ...files]
      : [join(ROOT, 'bin/vipkeeperd'), '-n', '-G', '-C', '-f', file, ...own];
  return spawn(program, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
}

let served = 0;
/** Answers whatever comes with a page, and closes. */
async function serve(port: number, host = '0.0.0.0'): Promise<Server> {
  const server = createServer((socket) => {
    served++;
    socket.on('error', () => {});
    socket.on('data', () => socket.end('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  }).listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  return server;
}

const ipvs = new IpvsClient();
const inTable = (): number => {
  const present = ipvs.services().length > 0;
  return present ? ipvs.destinations(SERVICE).length : 0;
};
async function until(aim: string, holds: () => boolean): Promise<number> {
  const began = clock();
  while (!holds()) {
    if (clock() - began > LIMIT_MILLISECONDS) throw new Error(`not within a minute: ${aim}`);
    await pause(5);
  }
  return clock() - began;
}

/** The daemon's processes: it and its descendants. */
function processes(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(statOf(Number(name))[1] ?? 0)] as const);
  const found = [root];
  for (const pid of found)
    found.push(...parents.filter(([, parent]) => parent === pid).map(([child]) => child));
  return found;
}

/** The fields of /proc/PID/stat from the state on: its parent is the second, its times the 12th and 13th. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}
const cpuSeconds = (pid: number): number => {
  const fields = statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
};
const memory = (pid: number, what_: 'Rss' | 'Pss'): number => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(new RegExp(`^${what_}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024;
};
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

async function load(kind: Kind, servers: number, seconds: number): Promise<object> {
  await serve(PORT);
  const daemon = start(
    configuration(
      kind,
      Array.from({ length: servers }, (_, n) => [address(n), PORT]),
      1,
    ),
  );
  await until('the table is complete', () => inTable() === servers);
  await pause(4000);
  const all = processes(daemon.pid ?? 0);
  const [cpu, checks] = [all.map(cpuSeconds), served];
  await pause(seconds * 1000);
  const used = sum(all.map((pid, i) => cpuSeconds(pid) - (cpu[i] ?? 0)));
  return {
    'CPU for 1,000': (used / (served - checks)) * 1e6,
    'checks each second': (served - checks) / seconds,
  };
}

async function removal(kind: Kind, times: number): Promise<object> {
  await serve(PORT);
  let mortal = await serve(MORTAL, '127.1.0.9');
  start(
    configuration(
      kind,
      [
        [address(1), PORT],
        ['127.1.0.9', MORTAL],
      ],
      1,
    ),
  );
  const removed: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    await until('both serve', () => inTable() === 2);
    // Not in step with the checks.
    await pause(2000 + (turn * 1000) / times);
    mortal.close();
    removed.push(await until('the dead one is gone', () => inTable() === 1));
    mortal = await serve(MORTAL, '127.1.0.9');
  }
  return { median: removed.toSorted((a, b) => a - b)[times >> 1], worst: Math.max(...removed) };
}

async function held(servers: number): Promise<object> {
  await serve(PORT);
  const daemon = start(
    configuration(
      'tcp',
      Array.from({ length: servers }, (_, n) => [address(n), PORT]),
      60,
    ),
  );
  await until('the table is complete', () => inTable() === servers);
  await pause(5000);
  const all = processes(daemon.pid ?? 0);
  return { RSS: sum(all.map((pid) => memory(pid, 'Rss'))), PSS: sum(all.map((pid) => memory(pid, 'Pss'))) };
}

const [first = '', second = '', third = ''] = rest;
const jobs: Record<string, () => Promise<object>> = {
  load: () => load(first as Kind, Number(second), Number(third)),
  removal: () => removal(first as Kind, Number(second)),
  memory: () => held(Number(first)),
};
const job = jobs[what];
if (job === undefined) throw new Error(`no such measurement: ${what}`);
process.stdout.write(`${JSON.stringify(await job())}\n`);
// What was started ends with this program's kernel, or is killed by the next.
for (const pid of processes(process.pid).filter((each) => each !== process.pid)) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its parent.
  }
}
ipvs.apply([{ op: 'flush' }]);
process.exit(0);
