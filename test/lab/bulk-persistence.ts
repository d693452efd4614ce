import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { bulkOf, completeOn, KEY, losePower } from './scene/bulk-story.ts';
import { Failover } from './scene/failover.ts';

/** Clients of a persistent service return to their real server after a failover, also those of before the backup. */
export const needs = 'kernel';
export const limitSeconds = 600;

/** Addresses of the client's host. */
const CLIENTS = Array.from({ length: 8 }, (_, i) => `10.0.0.${31 + i}`);

const story = suite('persistence and bulk copies');

story('templates that are older than the backup are there after the failover', async () => {
  const act = await Failover.stage({ method: 'NAT', keyFile: KEY, persistence: 600 });
  try {
    const [one, two] = act.pair.directors;
    for (const address of CLIENTS) act.pair.user.address('lan', `${address}/24`);
    act.pair.start(one);
    await act.masterIs(one);
    await act.until('a page comes', async () => (await act.page()).startsWith('rs'));
    const visit = async (): Promise<string[]> => {
      const servers: string[] = [];
      for (const address of CLIENTS) servers.push(await act.page(address));
      return servers;
    };
    const before = await visit();
    assert.equal([...new Set(before)].sort(), ['rs1', 'rs2'], 'both serve');
    act.pair.start(two);
    await act.backupIs(two);
    await completeOn(act, two);
    const { got } = (await bulkOf(two)) ?? {};
    assert.ok((got?.connections ?? 0) >= CLIENTS.length);
    await losePower(act);
    const after = await visit();
    const same = after.filter((server, i) => server === before[i]).length;
    console.log(`  ${same} of ${CLIENTS.length} clients came back to their real server`);
    assert.equal(after, before);
  } finally {
    act.close();
  }
});

story.run();
