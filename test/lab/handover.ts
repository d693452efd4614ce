import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { completeOn, KEY } from './scene/bulk-story.ts';
import { keepalived, operator } from './scene/director.ts';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';
import { pairConfiguration, VIP } from './scene/pair.ts';
import type { Program } from './scene/program.ts';

/**
 * A planned hand-over of a director with IPVS (NAT) at adverts of one second: every connection goes on, there and back,
 * and how long no connection heard anything is printed beside what keepalived makes of a stop.
 */
export const needs = 'kernel';
export const limitSeconds = 900;
export const long = true;

const TALKING = 50;

const silence = async (act: Failover, what: string): Promise<void> => {
  await act.allLive(what);
  const { longestSilenceMilliseconds, blocks } = await act.report();
  const count = blocks.reduce((sum, each) => sum + each, 0);
  console.log(
    `  ${what}: no connection heard anything for ${longestSilenceMilliseconds.toFixed(0)} ms; ${count} answers`,
  );
};

const story = suite('planned hand-over');
let act: Failover;
story.before(async () => {
  act = await Failover.stage({ method: 'NAT', keyFile: KEY });
});
story.after(() => act.close());

/** All goes from one director to the other. */
async function handOver(from: Host, to: Host): Promise<void> {
  await completeOn(act, to);
  await act.until(`${to.name} has all`, () => act.pair.connections(to) >= TALKING);
  await act.measure();
  await silence(act, 'nothing happens');
  await act.measure();
  assert.match(operator(from, 'switchover'), new RegExp(`^VI_1: .*${to.name} has taken over`));
  await act.masterIs(to);
  await silence(act, `${from.name} hands over to ${to.name}`);
}

story('every connection goes on, there and back', async () => {
  const [one, two] = act.pair.directors;
  await act.elect();
  await act.connect(TALKING);
  await handOver(one, two);
  await handOver(two, one);
});

story('keepalived beside: its master is stopped', async () => {
  act.close();
  act = await Failover.stage({ method: 'NAT' });
  const [one, two] = act.pair.directors;
  const start = (director: Host): Program =>
    keepalived(director, pairConfiguration({ method: 'NAT' }, director === one));
  const daemon = start(one);
  await act.until(`the VIP is on ${one.name}`, () => act.holds(one));
  start(two);
  await act.connect(TALKING);
  await act.until(`${two.name} knows all`, () => {
    const known = two
      .run('ipvsadm', '-Lnc')
      .split('\n')
      .filter((line) => line.includes('ESTABLISHED'));
    return known.length >= TALKING;
  });
  await act.measure();
  await silence(act, 'keepalived: nothing happens');
  await act.measure();
  await Promise.all([daemon.stop(), act.until(`the VIP is on ${two.name}`, () => act.holds(two))]);
  await silence(act, 'keepalived: stopped');
  assert.ok(act.holds(two), VIP);
});

story.run();
