import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { EVERY_KIND } from './balance/kinds.ts';
import { bothHold, directors, startBoth, tableOf } from './balance/tables.ts';
import { Scene } from './scene/scene.ts';

/**
 * The table beside keepalived's, from the same configuration: every scheduler, method, family, kind of service,
 * persistence and group; what the kernel has afterwards is the same, and nothing is left at the end.
 */
export const needs = 'kernel';

const story = suite('the table beside keepalived');
const scene = new Scene();
story.after(() => scene.close());

const rack = scene.link('rack');
const pair = directors(scene, rack);
const { theirs, ours } = pair;

story('every kind of virtual server: the same table, the same timeouts', async () => {
  const daemons = startBoth(pair, () => EVERY_KIND);
  const sorry = (table: readonly string[]): boolean =>
    table.some((line) => line.includes(':1608 -r 192.168.1.20')) &&
    !table.some((line) => line.includes('192.168.1.99:9') && !line.endsWith('-w 0'));
  await bothHold(scene, pair, 'all services', sorry);
  const timeouts = [theirs, ours].map((host) => host.run('ipvsadm', '-l', '--timeout'));
  assert.is(timeouts[1], timeouts[0]);
  assert.match(timeouts[1] ?? '', '901 121 301');
  const table = tableOf(theirs).join('\n');
  for (const word of ['gue', 'gre', '--pe sip', 'thresholds', '-o', 'flag-2', '--sctp-service 10.', '-f 12'])
    assert.ok(table.includes(word), `keepalived made something with ${word}`);
  assert.is(await daemons.vipkeeper.stop(), 'exit status 0');
  assert.is(ours.run('ipvsadm', '-Sn'), '');
});

story.run();
