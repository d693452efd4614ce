import { spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';
import { Monitor } from './monitor.ts';
import { isAlive, ROUTER, Stage, until, VIP } from './stage.ts';

/** The supervisor dies, and the VRRP process goes on; the next supervisor takes it over, and no address moves. */
await enclose();

const test = suite('a supervisor takes over what another left');
const OTHER_VIP = '10.9.0.101';
const NEW_VIP = '10.9.0.102';
const other = ROUTER.replace('web', 'api').replace('router_id 7', 'router_id 8').replace(VIP, OTHER_VIP);
const both = ROUTER + other;
/** Of a script with `rise 3`. */
const ENOUGH = 5;
let stage: Stage;
let monitor: Monitor;
test.before(() => {
  stage = new Stage();
});
test.before.each(() => {
  stage.start(both);
  until(() => holds(VIP) && holds(OTHER_VIP), 'it holds both addresses');
  monitor = new Monitor('wire', 'address');
});
test.after.each(() => {
  monitor.close();
  stage.run(['ip', 'link', 'set', 'wire', 'up']);
  if (stage.runs) stage.stop();
});
test.after(() => stage.close());

const holds = (vip: string): boolean => stage.run(['ip', '-o', 'address', 'show', 'to', vip]).stdout !== '';
/** Kills the supervisor; gives the process that is left. */
function orphan(): number {
  const [supervisor, vrrp] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  process.kill(supervisor, 'SIGKILL');
  until(() => !isAlive(supervisor), 'the supervisor is dead');
  return vrrp;
}
/** Which addresses went, as the kernel told of it. */
const gone = async (): Promise<string[]> =>
  Array.from((await monitor.heard()).matchAll(/^Deleted .* inet (10\.9\.[\d.]+)/gm), ([, vip = '']) => vip);

test('with a changed configuration: the process is the same, no address goes that stays configured', async () => {
  const vrrp = orphan();
  const changed = ROUTER.replace(`${VIP}/24`, `${VIP}/24\n    ${NEW_VIP}/24`);
  stage.start(changed);
  assert.is(stage.pid('vrrp'), vrrp);
  until(() => holds(NEW_VIP) && !holds(OTHER_VIP), 'it has the new configuration');
  assert.equal(await gone(), [OTHER_VIP]);
  assert.equal([stage.status().processes[0]?.pid, stage.status().processes[0]?.restarts], [vrrp, 0]);
  assert.match(stage.log, new RegExp(`notice .*taking over the vrrp process ${vrrp} of an earlier daemon`));
  assert.not.match(stage.log, /ending the vrrp process/);
  assert.equal(stage.router('web').state, 'MASTER');
  stage.reload(both);
  until(() => holds(OTHER_VIP) && !holds(NEW_VIP), 'it reloads');
  stage.stop();
  assert.not.ok(isAlive(vrrp));
  assert.not.ok(holds(VIP) || holds(OTHER_VIP));
  assert.equal(readdirSync(stage.runDir), []);
});

test('a second death, and a start with another pid file', async () => {
  const vrrp = orphan();
  stage.start(both);
  assert.is(orphan(), vrrp);
  stage.start(both, '-p', join(stage.folder, 'other.pid'));
  assert.ok(existsSync(join(stage.folder, 'other.pid')));
  assert.is(stage.pid('vrrp'), vrrp);
  until(() => stage.router('api').state === 'MASTER', 'it tells of itself');
  assert.equal(await gone(), []);
});

test('maintenance goes on, and its end is obeyed', async () => {
  assert.is(stage.operator('maintenance', 'on').status, 0);
  until(() => !holds(VIP), 'it gives the address up');
  orphan();
  stage.start(both);
  assert.match(stage.operator('status').stdout, /maintenance/);
  assert.not.ok(holds(VIP));
  assert.is(stage.operator('maintenance', 'off').status, 0);
  until(() => holds(VIP), 'it has the address again');
});

test('what the supervisor watches for a router counts as it did until it is known again', async () => {
  const number = join(stage.folder, 'number');
  const runs = join(stage.folder, 'runs');
  writeFileSync(number, '0');
  const watched = `vrrp_script fine {
  script "/bin/sh -c 'echo >>${runs}'"
  interval 1
  timeout 60
  rise 3
}
vrrp_track_process shell {
  process sleep
  delay 1
}
track_file number {
  file ${number}
}
`;
  const tracking =
    'track_script {\n fine\n}\ntrack_process {\n shell\n}\ntrack_file {\n number weight 1\n}\n';
  const text =
    watched +
    ROUTER.replace('priority 255', 'version 3\n  priority 200').replace(
      'advert_int 1',
      `advert_int 0.2\n${tracking}`,
    );
  const sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' });
  try {
    stage.reload(text);
    until(() => holds(VIP) && stage.router('web').state === 'MASTER', 'it is master');
    monitor.close();
    monitor = new Monitor('wire', 'address');
    const vrrp = orphan();
    stage.start(text);
    assert.is(stage.pid('vrrp'), vrrp);
    const before = statSync(runs).size;
    until(() => statSync(runs).size >= before + ENOUGH, 'the script was run by the new one');
    assert.equal(await gone(), []);
    assert.equal(stage.router('web').state, 'MASTER');
    assert.not.match(stage.log, /web: MASTER ->/);
  } finally {
    sleeper.kill();
  }
});

test('what became of a router meanwhile is told to its script, once', async () => {
  const file = join(stage.folder, 'told');
  const told = (): string[] =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  const hooks = ['master', 'backup', 'fault']
    .map((event) => `notify_${event} "/bin/sh -c 'echo ${event} >>${file}'"`)
    .join('\n  ');
  const text = ROUTER.replace('advert_int 1', `advert_int 1\n  ${hooks}`);
  stage.reload(text);
  orphan();
  stage.run(['ip', 'link', 'set', 'wire', 'down']);
  until(() => !holds(VIP), 'it is in FAULT');
  stage.start(text);
  until(() => told().includes('fault'), 'the script was told');
  stage.run(['ip', 'link', 'set', 'wire', 'up']);
  until(() => told().includes('master'), 'what follows is told');
  assert.equal(told(), ['fault', 'master']);
  assert.match(stage.log, /notice vipkeeper-vrrp\[\d+\]: web: MASTER -> FAULT/, 'the log has it as well');
});

test('one that says nothing is ended, and another holds the address', async () => {
  const vrrp = orphan();
  until(() => existsSync(join(stage.runDir, 'vrrp.orphan')), 'it waits for a supervisor');
  process.kill(vrrp, 'SIGSTOP');
  stage.start(both);
  assert.not.ok(isAlive(vrrp));
  until(() => holds(VIP), 'the new one holds the address');
  assert.match(stage.log, /cannot take over the vrrp process \d+ of an earlier daemon: it says nothing/);
  assert.match(stage.log, /ending the vrrp process/);
});

/** Starts the daemon of another build; gives its log. */
function startOther(text: string): () => string {
  const copy = join(stage.folder, 'build');
  cpSync(join(ROOT, 'build'), copy, { recursive: true });
  stage.configure(text);
  const [, ...options] = stage.command('-P', '-g', join(stage.folder, 'other.log'));
  assert.is(stage.run([join(copy, 'vipkeeperd'), ...options]).status, 0);
  return () => readFileSync(join(stage.folder, 'other.log'), 'utf8');
}
/** Two directors that speak to each other; with a witness they vote. */
const speaking = (more: string): string => {
  const key = join(stage.folder, 'key');
  writeFileSync(key, 'a secret of the cluster web', { mode: 0o600 });
  return `heartbeat {
  cluster web
  key_file ${key}
  director one 10.9.0.1
  director two 10.9.0.2
  name one
}
${more}`;
};
const SCRIPT = `vrrp_script fine {
  script "/bin/sh -c 'sleep 1'"
  interval 2
  rise 1
}
`;
const TRACKING = both.replaceAll('advert_int 1', 'advert_int 1\n  track_script {\n    fine\n  }');

for (const [what, text, priority] of [
  ['', both.replaceAll('priority 255', 'priority 200'), 200],
  [', owners', both, 255],
  [', with a script', SCRIPT + TRACKING.replaceAll('priority 255', 'priority 200'), 200],
  [
    ', in a group',
    `${both.replaceAll('priority 255', 'priority 200')}vrrp_sync_group g {\n  group {\n    web\n    api\n  }\n}\n`,
    200,
  ],
  [
    ', with short leases',
    both
      .replaceAll('priority 255', 'version 3\n  priority 200')
      .replaceAll('advert_int 1', 'advert_int 0.1\n  down_timer_adverts 20'),
    200,
  ],
] as const) {
  test(`one of another build serves until a new process does: no address goes${what}`, async () => {
    stage.stop();
    stage.start(text);
    const masters = (): boolean => ['web', 'api'].every((name) => stage.router(name).state === 'MASTER');
    until(() => holds(VIP) && holds(OTHER_VIP) && masters(), 'it is master');
    monitor.close();
    monitor = new Monitor('wire', 'address');
    const vrrp = orphan();
    const log = startOther(text);
    until(() => !isAlive(vrrp), 'the old one ends');
    until(masters, 'the new one is master');
    assert.equal([await gone(), holds(VIP), holds(OTHER_VIP)], [[], true, true]);
    assert.match(log(), /the vrrp process \d+ serves until a new one does: it is of 0\.\S+ \(.*\), and this/);
    for (const name of ['web', 'api'])
      assert.match(log(), new RegExp(`${name}: INIT -> MASTER: .*goes on for an earlier process`));
    assert.not.match(log(), /-> (BACKUP|FAULT)|cannot|killed/);
    assert.is(stage.router('web').priority, priority);
    stage.stop();
    assert.not.ok(holds(VIP) || holds(OTHER_VIP));
    assert.equal(readdirSync(stage.runDir), []);
  });
}

test('one of another build yields beside a heartbeat without votes, and is ended where it has any', async () => {
  const speaks = speaking(both.replaceAll('priority 255', 'priority 200'));
  const votes = `witness {\n  address 10.9.0.9\n}\n${speaks}`;
  for (const [text, log] of [
    [speaks, /serves until a new one does/],
    [
      votes,
      /cannot take over the vrrp process \d+ of an earlier daemon: it is of .*\n.*ending the vrrp process/,
    ],
  ] as const) {
    stage.stop();
    stage.start(text);
    const vrrp = orphan();
    const said = startOther(text);
    until(() => !isAlive(vrrp), 'the old one ends');
    until(() => log.test(said()), `the log has ${log}`);
  }
});

test('one in another network namespace is ended', () => {
  const vrrp = orphan();
  const log = join(stage.folder, 'elsewhere.log');
  assert.is(stage.run(['unshare', '--net', ...stage.command('-P', '-g', log)]).status, 0);
  assert.not.ok(isAlive(vrrp));
  assert.match(readFileSync(log, 'utf8'), /cannot take over .*: it is in another network namespace/);
  assert.not.ok(holds(VIP));
});

test('one that is taken over and dies is replaced; with the reason in the log', async () => {
  const vrrp = orphan();
  stage.start(both);
  process.kill(vrrp, 'SIGKILL');
  until(() => stage.status().processes[0]?.restarts === 1, 'another one is started');
  until(() => stage.pid('vrrp') !== vrrp && holds(VIP), 'it holds the address');
  assert.match(stage.log, /the vrrp process is gone: its connection ended; starting it again/);
});

test('without virtual routers in the new configuration it is ended', async () => {
  const vrrp = orphan();
  stage.start('');
  assert.not.ok(isAlive(vrrp));
  assert.not.ok(holds(VIP));
});

test.run();
