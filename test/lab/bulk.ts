import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { BulkFacts } from '../../src/core/sync/bulk/facts.ts';
import { BULK_PORT } from '../../src/core/sync/settings.ts';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { bulkOf, IDLE, KEY, losePower, playBulk, TALKING, untilCopied } from './scene/bulk-story.ts';
import { keepalived } from './scene/director.ts';
import { Failover } from './scene/failover.ts';
import { forgetConnections } from './scene/failover-story.ts';
import type { Host } from './scene/host.ts';
import { pairConfiguration, VIP } from './scene/pair.ts';
import type { Program } from './scene/program.ts';

/**
 * A copy of the whole connection table: connections that were idle since before the backup was booted survive the
 * master's end on the same real servers, also where datagrams are lost. What a stranger sends changes nothing.
 */
export const needs = 'kernel';
export const limitSeconds = 1500;

/** The copy is a few dozen datagrams: with two in a hundred lost it would be none on most days. */
const LOSS = 'loss 20%';
const PYTHON = '/usr/bin/python3';
const GROUP_PROGRAM = join(ROOT, 'test/lab/programs/sync-group.py');
const STRANGER = '192.168.1.99';
const story = suite('bulk copy');
let act: Failover;
let stranger: Host;
let heard: Program;
story.before(async () => {
  act = await Failover.stage({ method: 'NAT', keyFile: KEY, awaitsSync: true });
});
story.after(() => act.close());

story('a director that becomes backup gets the whole table', async () => {
  stranger = act.scene.host('stranger').on(act.pair.links[1] ?? act.pair.lan, `${STRANGER}/24`);
  heard = stranger.start('listener', [PYTHON, GROUP_PROGRAM, 'hear', STRANGER, `${BULK_PORT}`]);
  await act.until('the stranger listens', () => heard.log.includes('listens'));
  await untilCopied(act);
  const { got } = (await bulkOf(act.pair.directors[1])) ?? {};
  assert.equal([got?.outcome, got?.from, got?.missing], ['complete', 'director1', 0]);
  assert.ok((got?.connections ?? 0) >= IDLE);
});

story('what a stranger replays, cuts or makes up starts nothing', async () => {
  const [one, two] = act.pair.directors;
  const genuine = heard.log.match(/\b[0-9a-f]{120,}\b/g) ?? [];
  assert.ok(genuine.length > 4, 'the stranger has heard the copy');
  const before = [await bulkOf(one), await bulkOf(two)];
  const cut = genuine.map((each) => each.slice(0, -2));
  const changed = genuine.map(
    (each) => `${each.slice(0, 60)}${each[60] === '0' ? '1' : '0'}${each.slice(61)}`,
  );
  const say = (datagrams: readonly string[]): string =>
    stranger.run(PYTHON, GROUP_PROGRAM, 'say', STRANGER, datagrams.join(), `${BULK_PORT}`);
  for (const datagrams of [genuine, cut, changed, ['00', '564b4231']]) say(datagrams);
  await act.until('both have counted them', async () => {
    const all = await Promise.all([bulkOf(one), bulkOf(two)]);
    const counted = all.every((bulk) => (bulk?.rejected['wrong key'] ?? 0) >= 2 * genuine.length);
    // Just after a copy, what belongs to it may be late, and is not counted.
    const replayed = all.every((bulk) => (bulk?.rejected.replayed ?? 0) > 0);
    if (!replayed) say(genuine);
    return counted && replayed;
  });
  const after = [await bulkOf(one), await bulkOf(two)];
  const copies = (all: readonly (BulkFacts | undefined)[]) =>
    all.map((bulk) => [bulk?.got, bulk?.given, bulk?.asking]);
  assert.equal(copies(after), copies(before));
  console.log(`  rejected: ${JSON.stringify(after.map((bulk) => bulk?.rejected))}`);
});

story('the master loses power: every connection goes on, the idle ones too', async () => {
  const alive = await losePower(act);
  console.log(`  ${alive} of ${IDLE} connections that were idle since before the backup's start go on`);
  assert.is(alive, IDLE);
  await act.allLive('power loss');
});

story('the preferred one returns with an empty table, and takes over when that is complete', async () => {
  const [one] = act.pair.directors;
  await forgetConnections(act, one);
  const daemon = act.pair.start(one);
  for (const link of act.pair.links) link.mend(one);
  await act.masterIs(one);
  assert.match(daemon.log, /BACKUP -> MASTER.*; the connection table is complete/);
  const alive = await act.idleAnswer();
  console.log(`  ${alive} of ${IDLE} idle connections go on`);
  assert.is(alive, IDLE);
  await act.allLive('return, preemption after sync');
});

story.run();

const lossy = suite('bulk copy with loss');
lossy('the same where a fifth of what the backup should hear is lost', () =>
  playBulk(`with ${LOSS}`, { method: 'NAT' }, LOSS),
);
lossy.run();

const theirs = suite('the same with keepalived');
theirs('for comparison: what of them survives there', async () => {
  const act = await Failover.stage({ method: 'NAT' });
  try {
    const [one, two] = act.pair.directors;
    const start = (director: Host): Program =>
      keepalived(director, pairConfiguration({ method: 'NAT' }, director === one));
    start(one);
    await act.until(`the VIP is on ${one.name}`, () => act.holds(one));
    await act.idle(IDLE);
    start(two);
    await act.connect(TALKING);
    await act.until('its backup works', () => two.run('ipvsadm', '-L', '--daemon').includes('backup'));
    const alive = await losePower(act);
    const { open, broken } = await act.report();
    console.log(
      `  keepalived: ${alive} of ${IDLE} idle connections go on; of ${TALKING} others ${open}, ${broken} broke`,
    );
    assert.ok(act.holds(two), VIP);
  } finally {
    act.close();
  }
});
theirs.run();
