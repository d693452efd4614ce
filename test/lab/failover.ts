import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Failover } from './scene/failover.ts';
import { playFailover } from './scene/failover-story.ts';

/**
 * The main job, by NAT: the master hands over, stops, loses power and returns under live traffic, and every
 * established connection goes on; without connection sync none does.
 */
export const needs = 'kernel';
export const limitSeconds = 1200;

playFailover('NAT');

const UNSYNCED = 10;
const counterproof = suite('failover without connection sync');
let act: Failover;
counterproof.before(async () => {
  act = await Failover.stage({ method: 'NAT', unsynced: true });
});
counterproof.after(() => act.close());

counterproof('no connection goes on when the master loses power: sync is what saves them', async () => {
  const [one, two] = act.pair.directors;
  await act.elect();
  await act.connect(UNSYNCED);
  await act.allLive('before');
  one.kill('SIGKILL');
  for (const link of act.pair.links) link.cut(one);
  await act.until(`the VIP is on ${two.name}`, () => act.holds(two));
  const before = (await act.report()).blocks;
  await act.newcomerTalks();
  const { broken, blocks } = await act.report();
  // One that happened to wait for its server is not even told, and waits for ever.
  const silent = UNSYNCED - broken;
  console.log(`  power loss without sync: of ${UNSYNCED} connections ${broken} broke, ${silent} hang`);
  assert.equal(blocks.slice(0, UNSYNCED), before);
});

counterproof.run();
