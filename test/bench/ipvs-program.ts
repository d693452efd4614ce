import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ip } from '../../src/core/ip.ts';
import type { IpvsServiceKey } from '../../src/core/netlink/ipvs.ts';
import { IpvsClient } from '../../src/io/ipvs.ts';
import { ROOT } from '../lab/engine/root.ts';
import { clock } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import type { DaemonName } from './daemon.ts';

/**
 * `ipvs-program DAEMON`, in a kernel with IPVS that nobody else uses: fills the table, changes one real server by a
 * reload, and empties it by a stop. Prints the milliseconds as JSON. The last entry is asked for, which costs the
 * kernel little; the whole table is counted afterwards.
 */
const SERVICES = 1000;
const SERVERS = 10;
const POLL_MILLISECONDS = 5;
const LIMIT_MILLISECONDS = 60_000;

const address = (n: number): string => `10.1.${n >> 8}.${n & 0xff}`;
const LAST: IpvsServiceKey = { family: 4, protocol: 6, address: ip(address(SERVICES - 1)), port: 80 };

/** The weight of the very last server is what a reload changes. */
function configuration(weight: number): string {
  const services = Array.from({ length: SERVICES }, (_, n) => {
    const last = n === SERVICES - 1;
    const servers = Array.from({ length: SERVERS }, (_each, i) => {
      const own = last && i === SERVERS - 1 ? weight : 1;
      return `  real_server 192.168.${n & 0xff}.${i + 1} 80 {\n    weight ${own}\n  }`;
    });
    return [
      `virtual_server ${address(n)} 80 {`,
      '  lb_algo rr\n  lb_kind NAT\n  protocol TCP',
      ...servers,
      '}',
    ].join('\n');
  });
  return `${services.join('\n')}\n`;
}

const folder = mkdtempSync('/run/ipvs-bench-');
const file = join(folder, 'daemon.conf');

function start(name: DaemonName): ChildProcess {
  const files = ['-p', '-r', '-c', '-b'].flatMap((option) => [option, join(folder, option)]);
  const own = ['--run-dir', join(folder, 'run'), '--state-dir', join(folder, 'state')];
  const [program = '', ...argv] =
    name === 'keepalived'
      ? ['keepalived', '-n', '-G', '-C', '-f', file, ...files]
      : [join(ROOT, 'bin/vipkeeperd'), '-n', '-G', '-C', '-f', file, ...own];
  return spawn(program, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
}

const ipvs = new IpvsClient();

/** Polls until it is so; gives the milliseconds since `began`. */
async function until(what: string, began: number, holds: () => boolean): Promise<number> {
  while (!holds()) {
    if (clock() - began > LIMIT_MILLISECONDS) throw new Error(`not within a minute: ${what}`);
    await pause(POLL_MILLISECONDS);
  }
  return clock() - began;
}

function count(): number {
  const services = ipvs.services();
  return services.reduce((sum, { key }) => sum + 1 + ipvs.destinations(key).length, 0);
}

function expect(lines: number): void {
  const found = count();
  if (found !== lines) throw new Error(`the table has ${found} lines, not ${lines}`);
}

const lastHas = (weight: number): boolean => {
  const servers = ipvs.destinations(LAST);
  return servers.length === SERVERS && servers.some((server) => server.weight === weight);
};

writeFileSync(file, configuration(2));
const began = clock();
const daemon = start(process.argv[2] as DaemonName);
const filled = await until('the table is complete', began, () => lastHas(2));
expect(SERVICES * (SERVERS + 1));
await pause(2000);
writeFileSync(file, configuration(3));
const signalled = clock();
daemon.kill('SIGHUP');
const reloaded = await until('the change is in the table', signalled, () => lastHas(3));
expect(SERVICES * (SERVERS + 1));
await pause(1000);
const asked = clock();
const ended = once(daemon, 'exit');
daemon.kill('SIGTERM');
await ended;
const stopped = clock() - asked;
expect(0);
process.stdout.write(`${JSON.stringify({ filled, reloaded, stopped })}\n`);
