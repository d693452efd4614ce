import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { quorumConfiguration, REAL } from './balance/quorum.ts';
import { bothHold, directors, startBoth, tableOf } from './balance/tables.ts';
import { file, shows } from './scene/director.ts';
import type { Host } from './scene/host.ts';
import type { Program } from './scene/program.ts';
import { Scene } from './scene/scene.ts';
import { realServer } from './scene/traffic.ts';

/**
 * Real servers die and come back, beside keepalived: quorum with hysteresis, sorry servers, inhibited servers, alpha,
 * groups and marks. After each step the table is the same, and so is what the scripts heard.
 */
export const needs = 'kernel';

const story = suite('quorum, sorry servers and their scripts beside keepalived');
const scene = new Scene();
story.after(() => scene.close());

const rack = scene.link('rack');
const pair = directors(scene, rack);
const { theirs, ours } = pair;
const servers = REAL.map((address, i) => scene.host(`rs${i + 1}`).on(rack, `${address}/24`));
let daemons: { readonly keepalived: Program; readonly vipkeeper: Program };

/** The file that a host's scripts write to. */
const heardIn = (host: Host): string => join(scene.folder, host.name, 'heard');
const text = (count: number) => (host: Host) => {
  const script = file(host, 'tell', `#!/bin/sh\necho "$@" >> ${heardIn(host)}\n`);
  host.run('chmod', '+x', script);
  return quorumConfiguration(script, REAL.slice(0, count));
};

/** What the scripts of a host heard since the last time, sorted: those of one moment run at once. */
function heard(host: Host): string[] {
  const path = heardIn(host);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).sort() : [];
}

/** Waits until both tables are as `condition` has them, and the scripts of both heard the same. */
async function same(what: string, condition: (table: readonly string[]) => boolean): Promise<string[]> {
  await bothHold(scene, pair, what, condition);
  await scene
    .until(`${what}: the scripts heard the same`, () => heard(theirs).join() === heard(ours).join())
    .catch((error: Error) => {
      const lists = [theirs, ours].map((host) => `${host.name}: ${heard(host).join('; ')}`);
      throw new Error(`${what}: ${lists.join('\n')}\n${error.message}`);
    });
  const all = heard(ours);
  forget();
  return all;
}

function forget(): void {
  for (const host of [theirs, ours]) writeFileSync(heardIn(host), '');
}

/** Lines of a table that name a server and no weight 0. */
const serving = (table: readonly string[], service: string): string[] =>
  table.flatMap((line) => {
    const [, at, server, weight] = /^-a -\w (\S+) -r (\S+) .*-w (\d+)/.exec(line) ?? [];
    return at === service && weight !== '0' ? [server ?? ''] : [];
  });
const sorry = (table: readonly string[], service: string): boolean =>
  serving(table, service).join() === '192.168.1.20:8000';

story(
  'at the start all serve, and quorum_up is run; with alpha the first success brings a server',
  async () => {
    for (const server of servers) await realServer(server);
    daemons = startBoth(pair, text(3));
    const told = await same('all serve', (table) => serving(table, '10.0.0.100:5').length === 3);
    assert.ok(
      told.includes('sorry gained') && told.includes('group gained') && told.includes('alpha gained'),
    );
    assert.is(told.filter((line) => line.startsWith('alpha up')).length, 3);
  },
);

story('one dies: its services go on without it', async () => {
  servers[2]?.kill();
  const told = await same('two serve', (table) => serving(table, '10.0.0.100:1').length === 2);
  assert.is(told.filter((line) => line.includes('down')).length, 7);
  assert.not.ok(told.some((line) => line.includes('lost')));
});

story('the heaviest dies: where the quorum is lost the sorry server serves', async () => {
  servers[0]?.kill();
  const told = await same('the sorry server serves', (table) => sorry(table, '10.0.0.100:2'));
  assert.equal(
    told.filter((line) => line.includes('lost')),
    ['mark lost', 'sorry lost'],
  );
  assert.is(serving(tableOf(ours), '10.0.0.100:3').length, 1, 'hysteresis keeps the quorum');
});

story('all are dead: every service has lost its quorum', async () => {
  servers[1]?.kill();
  const told = await same('nobody is left', (table) => sorry(table, '10.0.0.100:3'));
  assert.is(told.filter((line) => line.includes('lost')).length, 5);
  assert.equal(serving(tableOf(ours), '10.0.0.100:1'), []);
  await shows(ours, /sorry server serves/);
});

story('one comes back: not enough for all', async () => {
  if (servers[0] !== undefined) await realServer(servers[0]);
  const told = await same('one serves', (table) => serving(table, '10.0.0.100:2').length === 1);
  assert.ok(told.includes('sorry gained') && !told.includes('margin gained'));
});

story('all are back: so are all quorums', async () => {
  for (const server of servers.slice(1)) await realServer(server);
  const told = await same('all serve again', (table) => serving(table, '10.0.0.100:3').length === 3);
  assert.ok(told.includes('margin gained') && told.includes('mark gained'));
});

/** Both read a configuration with so many real servers. */
function reload(count: number): void {
  file(theirs, 'keepalived.conf', text(count)(theirs));
  file(ours, 'vipkeeper.conf', text(count)(ours));
  daemons.keepalived.signal('SIGHUP');
  daemons.vipkeeper.signal('SIGHUP');
}

story('a reload without one of them takes it out, and says so; one with it brings it back', async () => {
  reload(2);
  const gone = await same('two are left', (table) => !table.some((line) => line.includes(`${REAL[2]}:`)));
  assert.is(gone.filter((line) => line.includes(`down ${REAL[2]}`)).length, 7);
  reload(3);
  await bothHold(scene, pair, 'three are there', (table) => serving(table, '10.0.0.100:5').length === 3);
  // To keepalived it is a new server, which with alpha must be found good first; here it is as it was.
  await scene.until('keepalived found it', () => heard(theirs).join() === `alpha up ${REAL[2]}`);
  assert.equal(heard(ours), []);
  forget();
});

story('a stop says goodbye with omega only', async () => {
  assert.is(await daemons.vipkeeper.stop(), 'exit status 0');
  await daemons.keepalived.stop();
  await bothHold(scene, pair, 'the tables are empty', (table) => table.length === 0);
  const told = heard(ours);
  assert.equal(told, [...REAL.map((address) => `sorry down ${address}`), 'sorry lost']);
  // keepalived waits for no script: on a busy machine some end with it, before they have said anything.
  assert.equal(
    heard(theirs).filter((line) => !told.includes(line)),
    [],
  );
});

story.run();
