import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { isAlive, Stage, until } from './stage.ts';

await enclose();

/** What virtual routers track, and the groups that they are in: a real daemon, scripts and interfaces. */
const test = suite('tracking and sync groups');
const stage = new Stage();
const flag = join(stage.folder, 'healthy');
const script = join(stage.folder, 'check');

const ip = (words: string): string => execFileSync('ip', words.split(' '), { encoding: 'utf8' });
const holds = (address: string): boolean => ip(`-o address show to ${address}`) !== '';

/** A router without a rival: master after 0.36 s. */
const router = (name: string, device: string, vrid: number, vip: string, ...lines: string[]): string => `
vrrp_instance ${name} {
  interface ${device}
  virtual_router_id ${vrid}
  version 3
  advert_int 0.1
  priority 150
  virtual_ipaddress {
    ${vip}/24
  }
  ${lines.join('\n  ')}
}
`;
const CHECK = `vrrp_script healthy {
  script "${script}"
  interval 0.1
  timeout 60
  user root
}
`;
const LAN_VIP = '10.9.0.100';
const OTHER_VIP = '10.8.0.100';

test.before(() => {
  chmodSync(stage.folder, 0o755);
  writeFileSync(script, `#!/bin/sh\ntest -e ${flag}\n`);
  chmodSync(script, 0o755);
  ip('link add other type veth peer name cable');
  for (const device of ['other', 'cable']) ip(`link set ${device} up`);
  ip('address add 10.8.0.1/24 dev other');
});
test.before.each(() => {
  writeFileSync(flag, '');
  ip('link set other up');
});
test.after.each(() => {
  if (stage.runs) stage.stop();
});
test.after(() => stage.close());

test('track_script: a failure is a fault that says why, a success ends it', () => {
  stage.start(CHECK + router('web', 'lan', 7, LAN_VIP, 'track_script {', '  healthy', '}'));
  until(() => holds(LAN_VIP), 'it is master');
  rmSync(flag);
  until(() => !holds(LAN_VIP), 'the VIP goes');
  const { state, faults } = stage.router('web');
  assert.equal([state, faults], ['FAULT', ['script healthy: it exited with status 1']]);
  writeFileSync(flag, '');
  until(() => holds(LAN_VIP), 'the VIP comes back');
});

test('track_script with a weight: another priority, and still master', () => {
  stage.start(CHECK + router('web', 'lan', 7, LAN_VIP, 'track_script {', '  healthy weight -20', '}'));
  until(() => holds(LAN_VIP), 'it is master');
  rmSync(flag);
  until(() => stage.router('web').priority === 130, 'the priority falls');
  assert.ok(holds(LAN_VIP));
});

test('the VRRP process that was killed learns again what scripts said', () => {
  stage.start(CHECK + router('web', 'lan', 7, LAN_VIP, 'track_script {', '  healthy', '}'));
  until(() => holds(LAN_VIP), 'it is master');
  const killed = stage.pid('vrrp');
  process.kill(killed, 'SIGKILL');
  until(
    () => stage.pid('vrrp') !== killed && stage.router('web').state === 'MASTER',
    'a successor is master',
  );
});

test('track_file: the number times the weight, read when it changes; init_file makes it', () => {
  const path = join(stage.folder, 'load');
  const file = `track_file load {\n  file ${path}\n  weight 2\n  init_file 7\n}\n`;
  stage.start(file + router('web', 'lan', 7, LAN_VIP, 'track_file {', '  load', '}'));
  until(() => holds(LAN_VIP), 'it is master');
  until(() => stage.router('web').priority === 164, 'the number that it began with counts');
  writeFileSync(path, '-0x10\n');
  until(() => stage.router('web').priority === 118, 'a new number counts');
  assert.ok(holds(LAN_VIP));
  writeFileSync(path, '-127\n');
  until(() => !holds(LAN_VIP), 'at -254 it is a fault');
  assert.equal(stage.router('web').faults, ['file load has -127']);
  rmSync(path);
  until(() => holds(LAN_VIP) && stage.router('web').priority === 150, 'a file that is gone counts as 0');
});

test('track_interface: another interface that goes down is a fault', () => {
  stage.start(router('web', 'lan', 7, LAN_VIP, 'track_interface {', '  other', '}'));
  until(() => holds(LAN_VIP), 'it is master');
  ip('link set other down');
  until(() => !holds(LAN_VIP), 'the VIP goes');
  assert.equal(stage.router('web').faults, ['interface other: other is down']);
  ip('link set other up');
  until(() => holds(LAN_VIP), 'the VIP comes back');
});

test('a sync group: both or none', () => {
  const group = 'vrrp_sync_group both {\n  group {\n    web\n    inside\n  }\n}\n';
  stage.start(group + router('web', 'lan', 7, LAN_VIP) + router('inside', 'other', 8, OTHER_VIP));
  until(() => holds(LAN_VIP) && holds(OTHER_VIP), 'both are master');
  ip('link set cable down');
  until(() => !holds(LAN_VIP), 'the other follows');
  until(() => !holds(OTHER_VIP), 'its own VIP goes');
  assert.equal(stage.router('web').faults, ['sync group both: other has no carrier']);
  ip('link set cable up');
  until(() => holds(LAN_VIP) && holds(OTHER_VIP), 'both are master again');
});

test('a reload makes a group of masters without a word, and dissolves it', () => {
  const routers = router('web', 'lan', 7, LAN_VIP) + router('inside', 'other', 8, OTHER_VIP);
  const group = 'vrrp_sync_group both {\n  group {\n    web\n    inside\n  }\n}\n';
  stage.start(routers);
  until(() => holds(LAN_VIP) && holds(OTHER_VIP), 'both are master');
  const since = [stage.router('web').since, stage.router('inside').since];
  for (const text of [group + routers, routers]) {
    stage.configure(text);
    assert.match(stage.operator('reload').stdout, /^reloaded: /);
    assert.equal([stage.router('web').since, stage.router('inside').since], since);
  }
  assert.ok(holds(LAN_VIP) && holds(OTHER_VIP));
});

test('a script that hangs is ended with the daemon', () => {
  const pids = join(stage.folder, 'pids');
  writeFileSync(script, `#!/bin/sh\necho $$ >>${pids}\nsleep 1000\n`);
  const once = CHECK.replace('interval 0.1', 'interval 60');
  stage.start(once + router('web', 'lan', 7, LAN_VIP, 'track_script {', '  healthy', '}'));
  const started = (): string => {
    try {
      return readFileSync(pids, 'utf8').trim();
    } catch {
      return '';
    }
  };
  until(() => started() !== '', 'it runs');
  assert.equal(stage.router('web').faults, ['nothing is known of script healthy yet']);
  const pid = Number(started());
  stage.stop();
  until(() => !isAlive(pid), 'the script is gone');
});

test.run();
