import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failover } from './scene/failover.ts';
import { playFailover } from './scene/failover-story.ts';

/**
 * The main job, by NAT: the master hands over, stops, loses power and returns under live traffic, and every
 * established connection goes on; without connection sync none does.
 */
export const needs = 'kernel';
export const limitSeconds = 400;

playFailover('NAT');

const UNSYNCED = 10;
const counterproof = suite('failover without connection sync');
let act: Failover;
counterproof.before(async () => {
  act = await Failover.stage({ method: 'NAT', unsynced: true });
});
counterproof.after(() => act.close());

counterproof('the connections break when the master loses power: sync is what saves them', async () => {
  const [one, two] = act.pair.directors;
  await act.elect();
  await act.connect(UNSYNCED);
  await act.allLive('before');
  one.kill('SIGKILL');
  for (const link of act.pair.links) link.cut(one);
  await act.until(`the VIP is on ${two.name}`, () => act.holds(two));
  await act.until('no connection is left', async () => (await act.report()).open === 0);
  const { broken } = await act.report();
  console.log(`  power loss without sync: ${broken} of ${UNSYNCED} connections broke`);
  assert.is(broken, UNSYNCED);
});

counterproof.run();
