import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { Monitor } from './monitor.ts';
import { ROUTER, Stage, until, VIP } from './stage.ts';

await enclose();

/** A reload in place: the kernel's own list of address changes says that the VIP never left. */
const test = suite('reload in place');
const stage = new Stage();
const monitor = new Monitor('lan', 'address');

const BACKUP = ROUTER.replace('priority 255', 'priority 150');
const SECOND = '10.9.0.101';

test.before(() => {
  stage.start(BACKUP);
  until(() => stage.holdsVip(), 'it becomes master');
});
test.after(() => {
  stage.stop();
  monitor.close();
  stage.close();
});

/** What the kernel told up to now about the removal of an address. */
const removals = async (address = VIP): Promise<string[]> =>
  (await monitor.heard())
    .split('\n')
    .filter((line) => line.startsWith('Deleted') && line.includes(`${address}/`));

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
    const { since } = stage.router();
    stage.reload(text);
    assert.equal([stage.router().state, stage.router().since], ['MASTER', since]);
    assert.ok(stage.holdsVip());
    assert.equal(await removals(), []);
    const second = stage.run(['ip', '-o', 'address', 'show', 'to', SECOND]).stdout !== '';
    assert.is(second, text.includes(SECOND));
  });
}

test('the monitor shows what does leave', async () => {
  assert.is((await removals(SECOND)).length, 1);
});

test('a broken file changes nothing', async () => {
  stage.configure(BACKUP.replace('priority', 'priorty'));
  assert.is.not(stage.operator('reload').status, 0);
  assert.ok(stage.holdsVip());
  assert.equal(await removals(), []);
});

test('40 SIGHUPs are one reload at once, and one after the last; what is in the file by then is what runs', () => {
  const reloads = (): number => stage.log.split('\n').filter((line) => line.includes(': reloaded ')).length;
  const before = reloads();
  const pid = stage.pid('vipkeeperd');
  for (let i = 1; i <= 40; i++) {
    stage.configure(BACKUP.replace('150', `${100 + i}`));
    process.kill(pid, 'SIGHUP');
  }
  until(() => stage.router('web').priority === 140, 'the last priority');
  assert.ok(reloads() - before <= 3, `${reloads() - before} reloads`);
  stage.reload(BACKUP);
});

test.run();
