import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { BulkFacts } from '../../../src/core/sync/bulk/facts.ts';
import { operator, statusOf } from './director.ts';
import { Failover } from './failover.ts';
import type { Host } from './host.ts';
import type { PairOptions } from './pair.ts';

/** Parts of stories in which a fresh backup gets a copy of the connection table, and the master loses power. */

/** So many are silent since before the backup was booted, and so many talk. */
export const IDLE = 250;
export const TALKING = 250;

/** The key of `heartbeat`, by file. */
export const KEY = join(mkdtempSync(join(tmpdir(), 'bulk-')), 'key');
writeFileSync(KEY, 'a key that nobody in the laboratory guesses\n', { mode: 0o600 });

export const bulkOf = async (director: Host): Promise<BulkFacts | undefined> =>
  (await statusOf(director))?.sync?.bulk;

export const completeOn = (act: Failover, director: Host): Promise<number> =>
  act.until(
    `${director.name} has a complete copy`,
    async () => (await bulkOf(director))?.got?.outcome === 'complete',
  );

/** Idle connections, then the backup, then others that talk. */
export async function untilCopied(act: Failover): Promise<void> {
  const [one, two] = act.pair.directors;
  act.pair.start(one);
  await act.masterIs(one);
  await act.idle(IDLE);
  act.pair.start(two);
  await act.backupIs(two);
  await act.connect(TALKING);
  await completeOn(act, two);
  // Connections that came after the copy are the kernel's to tell of, again and again while they talk.
  await act.until('the backup has all', () => act.pair.connections(two) >= IDLE + TALKING);
  console.log(operator(two, 'sync', 'status').trimEnd());
}

/** The master loses power; gives how many idle connections go on. */
export async function losePower(act: Failover): Promise<number> {
  const [one, two] = act.pair.directors;
  one.kill('SIGKILL');
  for (const link of act.pair.links) link.cut(one);
  await act.until(`the VIP is on ${two.name}`, () => act.holds(two));
  return act.idleAnswer();
}

/** The whole of it: every connection goes on, the idle ones too. `impaired`: how the backup hears, till it has all. */
export async function playBulk(what: string, options: PairOptions, impaired?: string): Promise<void> {
  const act = await Failover.stage({ ...options, keyFile: KEY });
  try {
    const [, two] = act.pair.directors;
    const link = act.pair.links.at(-1);
    if (impaired !== undefined) link?.impair(two, impaired);
    await untilCopied(act);
    if (impaired !== undefined) link?.impair(two, '');
    const alive = await losePower(act);
    console.log(`  ${what}: ${alive} of ${IDLE} idle connections go on`);
    assert.is(alive, IDLE);
    await act.allLive('power loss');
  } finally {
    act.close();
  }
}
