import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { ROUTER, Stage, until } from './stage.ts';

/** Where a daemon's processes stand among those of the host, as its configuration says, from reload to reload. */
await enclose();
const test = suite('placement of the processes');
const stage = new Stage();
test.after(() => {
  stage.stop();
  stage.close();
});

const globals = (...lines: string[]): string => ['global_defs {', ...lines, '}', ROUTER].join('\n');
const comm = (role: string): string => readFileSync(`/proc/${stage.pid(role)}/comm`, 'utf8').trim();
const shown = (...command: string[]): string =>
  execFileSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });

test('by default: names of their own, VRRP in real time with a limit', () => {
  stage.configure(ROUTER);
  assert.equal(stage.daemon('-P').status, 0);
  const vrrp = String(stage.pid('vrrp'));
  until(() => comm('vrrp') === 'vipkeeper-vrrp', 'the VRRP process has its name');
  assert.is(comm('vipkeeperd'), 'vipkeeperd');
  assert.match(shown('chrt', '-p', vrrp), /SCHED_RR[\s\S]*priority: 50/);
  assert.match(shown('cat', `/proc/${vrrp}/limits`), /^Max realtime timeout +200000 /m);
});

test('as a reload says', () => {
  const vrrp = String(stage.pid('vrrp'));
  const lines = ['process_name guard', 'vrrp_process_name keepalived_vrrp', 'vrrp_rt_priority 0'];
  stage.configure(globals(...lines, 'vrrp_priority 5', 'vrrp_cpu_affinity 0', 'vrrp_rlimit_rttime 300000'));
  assert.match(stage.operator('reload').stdout, /^reloaded: /);
  until(() => comm('vrrp') === 'keepalived_vrrp', 'the VRRP process has the other name');
  assert.is(comm('vipkeeperd'), 'guard');
  assert.match(shown('chrt', '-p', vrrp), /SCHED_OTHER/);
  assert.is(shown('ps', '-o', 'ni=', '-p', vrrp).trim(), '5');
  assert.match(shown('taskset', '-cp', vrrp), /affinity list: 0$/m);
  assert.match(stage.operator('status').stdout, /MASTER/);
});

test('as before when a reload takes it out', () => {
  const vrrp = String(stage.pid('vrrp'));
  stage.configure(globals('vrrp_rt_priority 0'));
  assert.match(stage.operator('reload').stdout, /^reloaded: /);
  until(() => comm('vrrp') === 'vipkeeper-vrrp', 'the VRRP process has its name again');
  assert.is(shown('ps', '-o', 'ni=', '-p', vrrp).trim(), `${getPriority()}`, "the test's own");
  stage.configure(ROUTER);
  assert.match(stage.operator('reload').stdout, /^reloaded: /);
  until(() => shown('chrt', '-p', vrrp).includes('SCHED_RR'), 'it is in real time again');
  assert.match(shown('cat', `/proc/${vrrp}/limits`), /^Max realtime timeout +200000 /m);
});

test.run();
