import { spawn } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DaemonStatus } from '../../src/app/status.ts';
import type { VrrpStatus } from '../../src/core/vrrp/events.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROUTER, Stage, until, VIP } from './stage.ts';

await enclose();

/** A reload in place: the kernel's own list of address changes says that the VIP never left. */
const test = suite('reload in place');
const stage = new Stage();
const monitor = spawn('ip', ['monitor', 'address'], { stdio: ['ignore', 'pipe', 'inherit'] });
let changes = '';
monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
  changes += text;
});

const BACKUP = ROUTER.replace('priority 255', 'priority 150');
const SECOND = '10.9.0.101';

test.before(() => {
  stage.configure(BACKUP);
  const { status, stderr } = stage.daemon('-P');
  assert.equal([status, stderr], [0, '']);
  until(() => stage.holdsVip(), 'it becomes master');
});
test.after(() => {
  stage.stop();
  monitor.kill();
  stage.close();
});

const router = (): VrrpStatus => {
  const { vrrp } = JSON.parse(stage.operator('status', '--json').stdout) as DaemonStatus;
  const [first] = vrrp?.instances ?? [];
  assert.ok(first !== undefined);
  return first;
};

/** Everything that the kernel told up to now about the removal of the VIP. */
async function removals(): Promise<string[]> {
  // A change of our own that the monitor must show last: what came before it has been read then.
  const marker = `10.99.0.${Math.floor(changes.length % 250) + 1}`;
  stage.run(['ip', 'address', 'add', `${marker}/32`, 'dev', 'lan']);
  for (let tries = 0; tries < 1000 && !changes.includes(marker); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(changes.includes(marker));
  stage.run(['ip', 'address', 'del', `${marker}/32`, 'dev', 'lan']);
  return removalsOf(VIP);
}

const removalsOf = (address: string): string[] =>
  changes.split('\n').filter((line) => line.startsWith('Deleted') && line.includes(`${address}/`));

const reload = (text: string): void => {
  stage.configure(text);
  assert.is(stage.operator('reload').stdout, 'reloaded\n');
};

for (const [what, text] of [
  ['another priority', BACKUP.replace('150', '100')],
  ['another interval', BACKUP.replace('advert_int 1', 'advert_int 2')],
  ['version 3 and 100 ms', BACKUP.replace('advert_int 1', 'version 3\n  advert_int 0.1')],
  ['no preemption, other announcements', BACKUP.replace('advert_int 1', 'nopreempt\n  garp_master_delay 1')],
  ['no lease', BACKUP.replace('advert_int 1', 'vip_lease off')],
  ['a second address', BACKUP.replace(`${VIP}/24`, `${VIP}/24\n    ${SECOND}/24`)],
  ['the second address gone', BACKUP],
  ['another name', BACKUP.replace('vrrp_instance web', 'vrrp_instance renamed')],
] as const) {
  test(`${what}: still master, and the VIP never left`, async () => {
    const { since } = router();
    reload(text);
    assert.equal([router().state, router().since], ['MASTER', since]);
    assert.ok(stage.holdsVip());
    assert.equal(await removals(), []);
    const second = stage.run(['ip', '-o', 'address', 'show', 'to', SECOND]).stdout !== '';
    assert.is(second, text.includes(SECOND));
  });
}

test('the monitor shows what does leave', () => {
  assert.is(removalsOf(SECOND).length, 1);
});

test('a broken file changes nothing', async () => {
  stage.configure(BACKUP.replace('priority', 'priorty'));
  assert.is.not(stage.operator('reload').status, 0);
  assert.ok(stage.holdsVip());
  assert.equal(await removals(), []);
});

test.run();
