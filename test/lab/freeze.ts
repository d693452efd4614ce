import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';
import { stateOf, VIP } from './scene/pair.ts';

/**
 * Every process of the master is stopped, or killed: the kernel takes its VIP away in time and the standby serves; when
 * it goes on it does not fight: it takes over by its priority, or stays backup with nopreempt.
 */
export const needs = 'kernel';
export const limitSeconds = 400;

const CONNECTIONS = 20;
/** Two directors may both have the VIP from the advert of the new one to the end of the old one, no longer. */
const OVERLAP_MILLISECONDS = 1000;

function freezes(name: string, nopreempt: boolean): void {
  const story = suite(name);
  let act: Failover;
  let one: Host;
  let two: Host;
  story.before(async () => {
    act = await Failover.stage({ method: 'NAT', nopreempt });
    [one, two] = act.pair.directors;
  });
  story.after(() => act.close());

  story('the first director serves', async () => {
    await act.elect();
    await act.connect(CONNECTIONS);
    await act.allKnownTo(two);
  });

  story('frozen, it loses the VIP', async () => {
    const since = act.now();
    await act.measure();
    one.freeze();
    await act.vipGoesByItself('all frozen', since, one, two);
    await act.allLive('all frozen');
  });

  story('thawed, it does not fight', async () => {
    await act.measure();
    const since = act.now();
    one.thaw();
    if (nopreempt) {
      await act.backupIs(one);
      await act.nothingMoves(since, two, 3);
    } else {
      await act.masterIs(one);
    }
    await act.allLive('thawed');
  });

  story('killed, it loses the VIP', async () => {
    const [master, standby] = nopreempt ? [two, one] : [one, two];
    const since = act.now();
    await act.measure();
    await act.allKnownTo(standby);
    master.kill('SIGKILL');
    await act.vipGoesByItself('all killed', since, master, standby);
    await act.allLive('all killed');
    await act.measure();
    act.pair.start(master);
    if (nopreempt) await act.backupIs(master);
    else await act.masterIs(master);
    await act.allLive('started again');
  });

  story('two directors never shared the VIP for longer than an advert takes', async () => {
    assert.equal((await Promise.all([one, two].map(stateOf))).sort(), ['BACKUP', 'MASTER']);
    const overlap = act.watch.longestOverlap(VIP);
    console.log(`  longest time with two holders: ${overlap} ms`);
    assert.ok(overlap < OVERLAP_MILLISECONDS, `two holders for ${overlap} ms`);
  });

  story.run();
}

freezes('freezes and crashes of the whole master', false);
freezes('freezes and crashes of the whole master, with nopreempt', true);
