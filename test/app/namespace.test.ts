import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';
import { Stage, until } from './stage.ts';

/** A daemon in a network namespace that its file or its command line names. */
await enclose();
const test = suite('net_namespace');
const stage = new Stage();
const scene = new Scene();
const BLUE = scene.host('blue').on(scene.link('lan2'), '10.9.0.1/24');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
const RUN = '/run/vipkeeper/blue';
const VIP = '10.9.0.100';

const router = (head: string, device = 'lan2'): string =>
  [
    head,
    'vrrp_instance web {',
    `  interface ${device}`,
    '  virtual_router_id 7',
    '  priority 255',
    '  virtual_ipaddress {',
    `    ${VIP}/24`,
    '  }',
    '}',
    '',
  ].join('\n');

const daemon = (...options: string[]) =>
  stage.run([join(ROOT, 'bin/vipkeeperd'), '-G', '-P', '-f', stage.file, '--state-dir', folder, ...options]);
const operator = (...words: string[]) => stage.run([join(ROOT, 'bin/vipkeeper'), ...words]);

function stop(): void {
  const { pid } = JSON.parse(operator('status', '--json', '-s', 'blue').stdout);
  process.kill(pid, 'SIGTERM');
  until(() => !existsSync(`${RUN}/vipkeeperd.pid`), 'the daemon stops');
}

test.after(() => {
  scene.close();
  stage.close();
  rmSync(folder, { recursive: true });
});

test('the daemon and its processes run there, with a run directory of their own', () => {
  stage.configure(router('net_namespace blue'));
  assert.is(daemon('-t').stderr, '');
  const { status, stderr } = daemon();
  assert.is(status, 0, stderr);
  until(() => BLUE.has(VIP), 'the VIP is there');
  assert.not.ok(stage.holdsVip(), 'and not here');
  const state = JSON.parse(operator('status', '--json', '-s', 'blue').stdout);
  const processes: number[] = [state.pid, ...state.processes.map(({ pid }: { pid: number }) => pid)];
  assert.is(processes.length, 2);
  for (const pid of processes) assert.is(stage.run(['ip', 'netns', 'identify', `${pid}`]).stdout, 'blue\n');
  assert.ok(existsSync(`${RUN}/vrrp.pid`));
});

test('another namespace is no matter for a reload', () => {
  stage.configure(router('net_namespace green'));
  const { status, stderr } = operator('reload', '-s', 'blue');
  assert.is(status, 1);
  assert.match(
    stderr,
    'net_namespace and net_namespace_ipvs do not change while the daemon runs: restart it',
  );
  assert.ok(BLUE.has(VIP), 'the running configuration stays in force');
  stop();
  assert.not.ok(BLUE.has(VIP));
});

test('-s goes before the file', () => {
  stage.configure(router('net_namespace green'));
  const { status, stderr } = daemon('-s', 'blue');
  assert.is(status, 0, stderr);
  until(() => BLUE.has(VIP), 'the VIP is there');
  stage.configure(router('net_namespace red'));
  const reload = operator('reload', '-s', 'blue');
  assert.equal([reload.status, reload.stderr], [0, '']);
  stage.configure(router('net_namespace_ipvs red'));
  assert.is(operator('reload', '-s', 'blue').status, 1, 'of the IPVS table it says nothing');
  stop();
});

test('a namespace that is not there is named, with what to do', () => {
  stage.configure(router('net_namespace green'));
  const said = 'there is no network namespace green: make it with "ip netns add green"\n';
  assert.equal(daemon(), { status: 4, stdout: '', stderr: `vipkeeperd: ${said}` });
  const { status, stderr } = daemon('-t');
  assert.equal([status, stderr], [0, `vipkeeperd: checked from outside: ${said}`]);
  stage.configure(router('net_namespace_ipvs green'));
  assert.is(daemon().stderr, `vipkeeperd: ${said}`);
});

test('without the right to enter it, the daemon names the drop-in that gives it', () => {
  stage.configure(router('net_namespace blue'));
  const command = [join(ROOT, 'bin/vipkeeperd'), '-n', '-l', '-G', '-P', '-f', stage.file];
  const { status, stderr } = stage.run([
    'setpriv',
    '--bounding-set',
    '-sys_admin',
    '--inh-caps',
    '-sys_admin',
    ...command,
  ]);
  assert.is(status, 4);
  assert.match(stderr, 'may not enter the network namespace blue: that needs CAP_SYS_ADMIN');
  const [dropIn = ''] = /systemd\/\S+\.conf/.exec(stderr) ?? [];
  assert.ok(existsSync(join(ROOT, dropIn)), `${dropIn} is shipped`);
});

test('a daemon that is there already needs no right to go there', () => {
  writeFileSync(stage.file, router('net_namespace blue'));
  const command = [join(ROOT, 'bin/vipkeeperd'), '-G', '-P', '-f', stage.file, '--state-dir', folder];
  const weak = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin', ...command];
  const { status, stderr } = stage.run(['ip', 'netns', 'exec', 'blue', ...weak]);
  assert.is(status, 0, stderr);
  until(() => BLUE.has(VIP), 'the VIP is there');
  stop();
});

test.run();
