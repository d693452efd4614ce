import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { file, operator, statusOf, vipkeeper } from './scene/director.ts';
import { Scene } from './scene/scene.ts';

/**
 * The processes that talk to real servers and to the kernel's sync threads can do what they have to, and no more:
 * as the kernel shows them, and by what goes on to work.
 */
export const needs = 'kernel';

const VIP = '10.0.0.100';
const NOBODY = 65_534;
/** Bits of <linux/capability.h>. */
const NETWORK = (1n << 10n) | (1n << 12n) | (1n << 13n);
const SCRIPTS = (1n << 5n) | (1n << 6n) | (1n << 7n);
const story = suite('privileges of the processes');
const scene = new Scene();
story.after(() => scene.close());

const director = scene.host('director').on(scene.link('rack'), '192.168.1.1/24', `${VIP}/32`);
const script = join(scene.folder, 'script');
const trace = join(scene.folder, 'trace');
const NAME = 'keepalived_ipvs';

const configuration = (check: string, global = ''): string => `
global_defs {
  lvs_sync_daemon rack
  checker_process_name ${NAME}
  ${global}
}
virtual_server ${VIP} 80 {
  delay_loop 1
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 192.168.1.1 80 {
    ${check}
  }
}`;
const misc = (user: string): string => `MISC_CHECK {\nwarmup 0\nmisc_path ${script}\nuser ${user}\n}`;
const PING = 'PING_CHECK {\nwarmup 0\n}';
const table = (): string => director.run('ipvsadm', '-Sn');
const SERVED = /-a -t 10\.0\.0\.100:80 -r 192\.168\.1\.1:80/;

const pidOf = async (role: string): Promise<number> =>
  (await statusOf(director))?.processes.find((process) => process.role === role)?.pid ?? 0;

interface Shown {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly noNewPrivileges: boolean;
}
/** Of each thread of a process; all are alike. */
async function shown(role: string): Promise<Shown> {
  const pid = await pidOf(role);
  const statuses = director.run('sh', '-c', `cat /proc/${pid}/task/*/status`);
  const values = (field: string): Set<string> =>
    new Set([...statuses.matchAll(new RegExp(`^${field}:\\s*(\\S+)$`, 'gm'))].map((match) => match[1] ?? ''));
  const only = (field: string): string => {
    const [value = '', ...others] = values(field);
    assert.equal(others, [], `${field} of all threads`);
    return value;
  };
  const set = (field: string): bigint => BigInt(`0x${only(field)}`);
  assert.is(set('CapPrm'), set('CapEff'));
  return { bounding: set('CapBnd'), effective: set('CapEff'), noNewPrivileges: only('NoNewPrivs') === '1' };
}
const only = (capabilities: bigint, noNewPrivileges: boolean): Shown => ({
  bounding: capabilities,
  effective: capabilities,
  noNewPrivileges,
});
async function reload(check: string, global = ''): Promise<void> {
  file(director, 'vipkeeper.conf', configuration(check, global));
  assert.match(operator(director, 'reload'), /^reloaded: /);
}

story.before(() => {
  chmodSync(scene.folder, 0o777);
  writeFileSync(script, `#!/bin/sh\ngrep CapEff /proc/self/status >>${trace}\n`, { mode: 0o755 });
});

story('with probes only: what the network needs, and no way to more', async () => {
  vipkeeper(director, configuration(PING));
  await scene.until('the server is in the table', () => SERVED.test(table()));
  assert.equal(await shown('check'), only(NETWORK, true));
  assert.equal(await shown('sync'), only(1n << 12n, true));
  await scene.until('the sync daemons run', () =>
    /master sync daemon/.test(director.run('ipvsadm', '-l', '--daemon')),
  );
  assert.is(readFileSync(`/proc/${await pidOf('check')}/comm`, 'utf8').trim(), NAME);
});

story('a place among other processes that a reload gives: with the right to it', async () => {
  await reload(PING, 'checker_rt_priority 3\n  checker_priority -5\n  checker_rlimit_rttime 300000');
  const scheduling = async (): Promise<string> => director.run('chrt', '-p', String(await pidOf('check')));
  await scene.until('it is in real time', async () => {
    const pid = await pidOf('check');
    return pid !== 0 && /SCHED_RR/.test(await scheduling());
  });
  assert.match(await scheduling(), /priority: 3$/m);
  assert.equal(await shown('check'), only(NETWORK | (1n << 23n), true));
  const pid = await pidOf('check');
  assert.match(director.run('cat', `/proc/${pid}/limits`), /^Max realtime timeout +300000 /m);
  // The 19th field is the nice value, which ps does not show in real time.
  assert.is(director.run('sh', '-c', `sed 's/.*) //' /proc/${pid}/stat`).split(' ')[16], '-5');
});

story('a script that a reload brings is run: by a process that may become its user', async () => {
  const before = await pidOf('check');
  await reload(misc('nobody'));
  await scene.until('the script has run', () => existsSync(trace) && readFileSync(trace, 'utf8') !== '');
  assert.is(statSync(trace).uid, NOBODY);
  assert.match(readFileSync(trace, 'utf8'), /^CapEff:\s*0+$/m);
  assert.is.not(await pidOf('check'), before);
  assert.equal(await shown('check'), only(NETWORK | SCRIPTS, false));
  await scene.until('the server is in the table', () => SERVED.test(table()));
});

story('what needs less goes on in the same process', async () => {
  const before = await pidOf('check');
  await reload(PING);
  assert.is(await pidOf('check'), before);
  assert.match(table(), SERVED);
});

story('what root runs may need anything', async () => {
  await reload(misc('root'));
  await scene.until('it may', async () => {
    const pid = await pidOf('check');
    return pid !== 0 && (await shown('check')).effective === BigInt(`0x${daemonCapabilities()}`);
  });
  await scene.until('the server is in the table', () => SERVED.test(table()));
  assert.is((await statusOf(director))?.processes.find(({ role }) => role === 'check')?.restarts, 0);
});

const daemonCapabilities = (): string =>
  /^CapEff:\s*(\S+)$/m.exec(director.run('cat', '/proc/self/status'))?.[1] ?? '';

story.run();
