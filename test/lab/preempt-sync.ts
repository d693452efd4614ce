import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { IDLE, KEY } from './scene/bulk-story.ts';
import { Failover } from './scene/failover.ts';

/**
 * What `preempt_after_sync` is for: the preferred director comes back, its network is slow, and it takes over when it
 * has every connection; without the word it takes over before.
 */
export const needs = 'kernel';
export const limitSeconds = 900;
export const long = true;

/** So that a copy takes longer than VRRP waits. */
const SLOW = 'rate 20kbit';

const story = suite('preemption after sync');

/** How many of the idle connections go on, and what the preferred director says of taking over. */
async function comesBack(awaitsSync: boolean): Promise<{ readonly alive: number; readonly said: string }> {
  const act = await Failover.stage({ method: 'NAT', keyFile: KEY, awaitsSync });
  try {
    const [one, two] = act.pair.directors;
    const rack = act.pair.links[1];
    act.pair.start(two);
    await act.masterIs(two);
    await act.idle(IDLE);
    rack?.impair(one, SLOW);
    const daemon = act.pair.start(one);
    await act.masterIs(one);
    rack?.impair(one, '');
    const said = daemon.log.split('\n').find((line) => /BACKUP -> MASTER/.test(line)) ?? '';
    return { alive: await act.idleAnswer(), said };
  } finally {
    act.close();
  }
}

story('with it nothing is lost', async () => {
  const { alive, said } = await comesBack(true);
  console.log(`  preempt_after_sync: ${alive} of ${IDLE} idle connections go on`);
  assert.match(said, /; the connection table is complete/);
  assert.is(alive, IDLE);
});

story('without it, for comparison', async () => {
  const { alive, said } = await comesBack(false);
  console.log(`  without: ${alive} of ${IDLE} idle connections go on`);
  assert.not.match(said, /connection table/);
});

story.run();
