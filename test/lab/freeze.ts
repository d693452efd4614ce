import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';
import { stateOf, VIP } from './scene/pair.ts';

/**
 * Every process of the master is stopped, or killed: the kernel takes its VIP away in time and the standby serves; when
 * it goes on it does not fight: it takes over by its priority, or stays backup with nopreempt.
 */
export const needs = 'kernel';
export const limitSeconds = 1200;

const CONNECTIONS = 20;
/** Both may have the VIP from the advert of the new one to the end of the old one: time for one renewal at most. */
const OVERLAP_RENEWALS = 1;

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

  /** Freezes and thaws the master; with nopreempt the roles are exchanged after it. */
  async function freeze(master: Host, standby: Host): Promise<void> {
    await act.allKnownTo(standby);
    const frozen = act.now();
    await act.measure();
    master.freeze();
    await act.vipGoesByItself('all frozen', frozen, master, standby);
    await act.allLive('all frozen');
    await act.measure();
    const thawed = act.now();
    master.thaw();
    if (nopreempt) {
      await act.backupIs(master);
      await act.nothingMoves(thawed, standby, 3);
    } else {
      await act.masterIs(master);
    }
    await act.allLive('thawed');
  }

  story('frozen, it loses the VIP; thawed, it does not fight', () => freeze(one, two));
  if (nopreempt) {
    story('so does one of lower priority, which hears a better master when it wakes', () => freeze(two, one));
  }

  story('killed, it loses the VIP', async () => {
    await act.allKnownTo(two);
    const since = act.now();
    await act.measure();
    one.kill('SIGKILL');
    await act.vipGoesByItself('all killed', since, one, two);
    await act.allLive('all killed');
    await act.measure();
    act.pair.start(one);
    if (nopreempt) await act.backupIs(one);
    else await act.masterIs(one);
    await act.allLive('started again');
  });

  story('two directors never shared the VIP for longer than an advert takes', async () => {
    assert.equal((await Promise.all([one, two].map(stateOf))).sort(), ['BACKUP', 'MASTER']);
    const { milliseconds, renewals } = act.watch.longestOverlap(VIP);
    console.log(`  longest time with two holders: ${milliseconds} ms, ${renewals} renewals by the former`);
    assert.ok(renewals <= OVERLAP_RENEWALS, `the former holder renewed its lease ${renewals} times`);
  });

  story.run();
}

freezes('freezes and crashes of the whole master', false);
freezes('freezes and crashes of the whole master, with nopreempt', true);
