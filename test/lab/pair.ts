import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Scene } from './scene/scene.ts';

/**
 * The lab's machines: two kernels on one segment, of which one is frozen, thawed, unplugged and switched
 * off.
 */
export const needs = 'pair of kernels';

const story = suite('a pair of kernels');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const user = scene.host('user').on(lan, '10.0.0.10/24');
const [a, b] = await Promise.all(['a', 'b'].map((name) => scene.machine(name, [lan])));
if (a === undefined || b === undefined) throw new Error('no pair');

const PING_B = 'ping -c 1 -W 1 10.0.0.2';

story('they reach each other and a host on the segment', async () => {
  await a.run('ip address add 10.0.0.1/24 dev lan');
  await b.run('ip address add 10.0.0.2/24 dev lan');
  await a.run(PING_B);
  user.run('ping', '-c', '1', '-W', '2', '10.0.0.2');
  assert.match(await a.run('ipvsadm -Ln'), 'IP Virtual Server');
});

story('commands of any length arrive whole', async () => {
  for (const length of [100, 3_800, 4_000, 4_096, 5_000, 9_000, 60_000]) {
    for (let i = 0; i < 5; i++) {
      const counted = await a.run(`printf %s '${'x'.repeat(length)}' | wc -c`);
      assert.is(Number(counted), length);
    }
  }
});

story('a frozen one is silent, and goes on when it thaws', async () => {
  b.freeze();
  assert.not.ok(await a.succeeds(PING_B));
  b.thaw();
  await scene.until('b answers again', () => a.succeeds(PING_B));
});

story('a cut cable separates them', async () => {
  lan.cut(b);
  assert.not.ok(await a.succeeds(PING_B));
  assert.match(await b.run('uptime'), 'load');
  lan.mend(b);
  await scene.until('b answers again', () => a.succeeds(PING_B));
});

story('one that is switched off is gone, and says so', async () => {
  b.powerOff();
  let said = '';
  await scene.until('b is off', async () => {
    said = await b.run('true').then(
      () => '',
      (error: Error) => error.message,
    );
    return said !== '';
  });
  assert.match(said, 'kernel b ended (SIGKILL)');
  assert.not.ok(await a.succeeds(PING_B));
});

story.run();
