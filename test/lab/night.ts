import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { file, operator, pathOf, shows } from './scene/director.ts';
import { Failover } from './scene/failover.ts';
import type { Host } from './scene/host.ts';
import { pairConfiguration } from './scene/pair.ts';
import { ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * A night of a pair: a real server fails its check and recovers, the operator drains another one, reloads, a cable is
 * cut and mended. Both directors are recorded; all that they decided is decided again, and one instant is explained.
 */
export const needs = 'kernel';
export const limitSeconds = 600;

const story = suite('a night, recorded and replayed');
let act: Failover;
let one: Host;
let two: Host;
story.before(async () => {
  act = await Failover.stage({ method: 'NAT' });
  [one, two] = act.pair.directors;
});
story.after(() => act.close());

const FAILING = `192.168.1.11:${ECHO_PORT}`;
const DRAINED = `192.168.1.12:${ECHO_PORT}`;
/** Whether a director's kernel sends new connections to the server. */
const serves = (director: Host, server: string): boolean =>
  new RegExp(`-r ${server} .*-w [1-9]`).test(director.run('ipvsadm', '-Sn'));
/** Both directors check for themselves. */
const served = (server: string, directors: readonly Host[], wanted: boolean): Promise<void> =>
  act
    .until(`${server} is ${wanted ? 'in' : 'out'}`, () =>
      directors.every((director) => serves(director, server) === wanted),
    )
    .then(() => undefined);

const results = (host: Host, name: string): string =>
  join(process.env.LAB_RESULTS ?? pathOf(host, ''), `${host.name}-${name}.recording`);
const replay = (host: Host, ...words: string[]): string =>
  host.run(join(ROOT, 'bin/vipkeeper'), 'replay', ...words);

story('a real server fails its check and recovers', async () => {
  await act.elect();
  await served(FAILING, [one, two], true);
  act.pair.servers[0].kill();
  await served(FAILING, [one, two], false);
  await realServer(act.pair.servers[0]);
  await served(FAILING, [one, two], true);
});

story('the operator drains a server and takes it back', async () => {
  operator(one, 'drain', DRAINED, '--no-wait');
  await served(DRAINED, [one], false);
  await shows(one, /drained by the operator/);
  operator(one, 'undrain', DRAINED);
  await served(DRAINED, [one], true);
});

story('the configuration is reloaded with another pause between checks', async () => {
  for (const director of act.pair.directors) {
    file(director, 'vipkeeper.conf', pairConfiguration({ method: 'NAT', checkEvery: 2 }, director === one));
    operator(director, 'reload');
  }
});

story("the master's cables are cut: the other one takes over, and gives back", async () => {
  for (const link of act.pair.links) link.cut(one);
  await act.until(`the VIP is on ${two.name} alone`, () => act.holds(two) && !act.holds(one));
  for (const link of act.pair.links) link.mend(one);
  await act.masterIs(one);
  await act.backupIs(two);
});

/** What the program says of each recording; its exit status is 0 only where all effects are equal. */
const told = new Map<Host, string>();
story('both recordings replay with equal effects, with other names too', () => {
  for (const director of act.pair.directors) {
    operator(director, 'record', '-o', results(director, 'night'));
    // Is only written where it replays as well.
    operator(director, 'record', '-o', results(director, 'anonymous'), '--anonymous');
    const text = replay(director, results(director, 'night'));
    for (const machine of ['director', 'balancer'])
      assert.match(text, new RegExp(`^ {2}${machine}.* equal$`, 'm'));
    told.set(director, text);
  }
});

story('the takeover is explained: state, timers, and what was heard last', () => {
  const recording = results(two, 'night');
  const summary = told.get(two) ?? '';
  const [, time = ''] = /^ +([\d:.]+) {2}> VI_1: BACKUP -> MASTER/m.exec(summary) ?? [];
  const command = ['--until', time, '--machine', 'VI_1'];
  const explained = replay(two, recording, ...command);
  console.log(`$ vipkeeper replay ${two.name}-night.recording\n${summary}`);
  console.log(`$ vipkeeper replay ${two.name}-night.recording ${command.join(' ')}\n${explained}`);
  assert.match(explained, /^ {2}state +MASTER for 0 s: no advert from 10\.0\.0\.1 for 3\.\d+ s$/m);
  assert.match(explained, / timer advert +in \d+\.\d ms, at /);
  assert.match(explained, /> advert sent from 10\.0\.0\.2/);
});

story.run();
