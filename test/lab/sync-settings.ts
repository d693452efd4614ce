import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { file, shows, vipkeeper } from './scene/director.ts';
import type { Program } from './scene/program.ts';
import { natStage } from './scene/stages.ts';

/**
 * Settings of IPVS in the configuration: set before the sync daemons start, changed by a reload, put back at the stop,
 * also by the next daemon after a crash; and both sync daemons at once.
 */
export const needs = 'kernel';

const story = suite('settings of IPVS');
const { scene, director } = natStage(1);
story.after(() => scene.close());

const configuration = (...settings: readonly string[]): string =>
  `global_defs {\n  lvs_sync_daemon rack id 9\n${settings.map((each) => `  lvs_sysctl ${each}\n`).join('')}}\n`;
const settingOf = (name: string): string =>
  director.run('sysctl', '-n', `net.ipv4.vs.${name}`).trim().replace(/\s+/g, ' ');
const NAMES = ['sync_threshold', 'sync_ports', 'sloppy_tcp', 'sync_refresh_period'];
const values = (): string => NAMES.map(settingOf).join(', ');
const become = (expected: string): Promise<number> =>
  scene.until(`the settings are ${expected}`, () => values() === expected);

const DEFAULTS = '3 50, 1, 0, 0';
let daemon: Program;
story.before(() => {
  director.run('modprobe', 'ip_vs');
  assert.is(values(), DEFAULTS);
});

story('they are set, and both sync daemons run', async () => {
  daemon = vipkeeper(director, configuration('sync_threshold 2 10', 'sync_ports 4', 'sloppy_tcp 1'));
  await become('2 10, 4, 1, 0');
  await shows(
    director,
    /master +rack +id 9 +group 224\.0\.0\.81 port 8848\n +backup +rack +id 9/,
    'sync',
    'status',
  );
  const threads = director.run('sh', '-c', 'cat /proc/[0-9]*/comm | grep -c "^ipvs-[mb]:"').trim();
  assert.is(threads, '8', 'four of each role');
});

story('a reload changes them, and puts back what it does not name any more', async () => {
  file(director, 'vipkeeper.conf', configuration('sync_threshold 4 20', 'sync_refresh_period 10'));
  daemon.signal('SIGHUP');
  await become('4 20, 1, 0, 10');
});

story('after a crash the next daemon puts back what was there before the first', async () => {
  await daemon.stop('SIGKILL');
  assert.is(values(), '4 20, 1, 0, 10');
  daemon = vipkeeper(director, configuration('sync_threshold 4 20'));
  await become('4 20, 1, 0, 0');
  await shows(director, /master +rack/, 'sync', 'status');
  await daemon.stop('SIGTERM');
  await become(DEFAULTS);
  assert.is(director.run('ipvsadm', '-L', '--daemon').trim(), '');
});

story('-I leaves them', async () => {
  daemon = vipkeeper(director, configuration('sloppy_tcp 1'), '-I');
  await become('3 50, 1, 1, 0');
  await scene.until('a sync daemon runs', () => director.run('ipvsadm', '-L', '--daemon').includes('master'));
  await daemon.stop('SIGTERM');
  assert.is(values(), '3 50, 1, 1, 0');
});

story.run();
