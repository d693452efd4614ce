import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { PlacedStanding } from '../../src/app/supervisor/orders.ts';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { ask, file, operator, shows, vipkeeper } from './scene/director.ts';
import type { Program } from './scene/program.ts';
import { natStage, VIP } from './scene/stages.ts';
import { type Call, Client, ECHO_PORT, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * Operator's decisions on the real IPVS: a drained server keeps its connections until they are over or its time is, the
 * daemon's restart forgets nothing, slow start is seen in the table, and maintenance windows come and go.
 */
export const needs = 'kernel';
export const limitSeconds = 900;

const story = suite('draining, weights and maintenance windows');
const { scene, director, user, servers } = natStage(2);
director.address('lan', `${VIP}/32`);
story.after(() => scene.close());

const FULL = 20;
const RS1 = `192.168.1.11:${ECHO_PORT}`;
const PAGES = '192.168.1.12';

/** The weight of a real server in the kernel's table; undefined when it is not there. */
function weightOf(server: string): number | undefined {
  const found = new RegExp(`^-a -t \\S+ -r ${server} .*-w (\\d+)`, 'm').exec(director.run('ipvsadm', '-Sn'));
  return found === null ? undefined : Number(found[1]);
}
const weighs = (server: string, weight: number | undefined): Promise<number> =>
  scene.until(`${server} has weight ${weight}`, () => weightOf(server) === weight);

async function standing(server: string): Promise<PlacedStanding | undefined> {
  const all = (await ask(director, { verb: 'servers' }).catch(() => [])) as PlacedStanding[];
  return all.find(({ name }) => name === server);
}
const drains = (server: string, phase: string | undefined, connections?: number): Promise<number> =>
  scene.until(`${server} is ${phase} with ${connections}`, async () => {
    const { drain } = (await standing(server)) ?? {};
    return drain?.phase === phase && (connections === undefined || drain?.connections === connections);
  });

const service = (port: number, more: string, windows = ''): string => `virtual_server ${VIP} ${port} {
  lb_algo wrr
  lb_kind NAT
  protocol TCP
  delay_loop 1
  weight ${FULL}
  ${more}
  ${[1, 2]
    .map(
      (n) => `real_server 192.168.1.1${n} ${port} {
    ${n === 2 ? windows : ''}
    TCP_CHECK {
      connect_timeout 2
      retry 0
    }
  }`,
    )
    .join('\n')}
}`;
const WINDOW = 'maintenance "*/10 * * * * *" 4s';
const configuration = (windows: string): string =>
  [service(ECHO_PORT, 'slow_start 10'), service(HTTP_PORT, '', windows)].join('\n');

let daemon: Program;
let client: Client;
let calls: Call[] = [];

/** The program as it runs in a terminal of the operator's. */
const watch = (...words: string[]): Program =>
  director.start('vipkeeper', [
    join(ROOT, 'bin/vipkeeper'),
    ...words,
    '--run-dir',
    join(scene.folder, director.name, 'run'),
  ]);
/** Connections to the first server. */
const ofFirst = (): Call[] => calls.filter(({ server }) => server === 'rs1');

async function dial(count: number): Promise<Call[]> {
  const made: Call[] = [];
  for (let each = 0; each < count; each++) made.push(await client.dial(VIP, ECHO_PORT));
  return made;
}

story('at the start nothing ramps up', async () => {
  for (const server of servers) await realServer(server);
  daemon = vipkeeper(director, configuration(''));
  await weighs(RS1, FULL);
  client = await Client.start(user);
  await scene.until('the status says so', async () => (await standing(RS1))?.ramp === undefined);
});

story('a drained server takes no new connections, and those that it has go on', async () => {
  calls = await dial(4);
  assert.is(ofFirst().length, 2);
  const watching = watch('drain', RS1);
  await drains(RS1, 'draining', 2);
  assert.is(weightOf(RS1), 0);
  assert.equal(new Set((await dial(2)).map(({ server }) => server)), new Set(['rs2']));
  assert.is(await ofFirst()[0]?.say('still here'), 'still here');
  await scene.until('it shows them', () => watching.log.includes('2 active connections left'));
  await ofFirst()[0]?.hangUp();
  await scene.until('it shows one', () => watching.log.includes('1 active connection left'));
  watching.signal('SIGINT');
  await scene.until('it says that the drain goes on', () => watching.log.includes('goes on in the daemon'));
  const said = /192\.168\.1\.11:7000 +draining +0 +1 +\d+ +draining by the operator, 1 active/;
  await scene.until('the status says so', () => said.test(operator(director, 'status')));
});

story('a restart in the middle forgets nothing and cuts nothing', async () => {
  director.kill('SIGKILL');
  await scene.until('the daemon is gone', () => !daemon.running);
  for (const server of servers) if (server.processes().length === 0) await realServer(server);
  daemon = vipkeeper(director, configuration(''));
  await drains(RS1, 'draining', 1);
  assert.is(weightOf(RS1), 0);
  const [, left] = ofFirst();
  assert.is(await left?.say('after the restart'), 'after the restart');
  const watching = watch('drain', RS1, '--json');
  await left?.hangUp();
  await scene.until('the program has ended', () => !watching.running);
  assert.is(watching.state, 'exit status 0');
  const last = JSON.parse(watching.log.trimEnd().split('\n').at(-1) ?? '');
  assert.equal([last.server, last.phase, last.connections], [RS1, 'drained', 0]);
  await weighs(RS1, undefined);
});

story('it comes back by steps, to its full weight', async () => {
  const before = daemon.log.length;
  operator(director, 'undrain', '192.168.1.11', '--service', `${VIP}:${ECHO_PORT}`);
  // To look at the table again and again is too slow for a busy machine.
  const set = new RegExp(`destination ${RS1} weight (\\d+) of .*: done`, 'g');
  let steps: number[] = [];
  await scene.until('it has its full weight', () => {
    steps = Array.from(daemon.log.slice(before).matchAll(set), ([, weight]) => Number(weight));
    return steps.at(-1) === FULL;
  });
  assert.is(weightOf(RS1), FULL);
  assert.equal(
    steps,
    steps.toSorted((a, b) => a - b),
  );
  assert.ok(steps.length > 2 && (steps[0] ?? FULL) < FULL / 2, steps.join());
  await scene.until('the status says so', async () => (await standing(RS1))?.ramp === undefined);
});

story('at its deadline it goes with the connections that it has', async () => {
  calls = await dial(2);
  const watching = watch('drain', RS1, '--timeout', '3s');
  await scene.until('the program has ended', () => !watching.running);
  assert.match(
    watching.log,
    /draining by the operator, 1 active connection left, removed in \d s at the latest/,
  );
  assert.match(watching.log, /drained by the operator/);
  await weighs(RS1, undefined);
  assert.ok(daemon.log.includes('is drained: its time is over; active connections that it still had: 1'));
  operator(director, 'undrain', RS1);
  await weighs(RS1, FULL);
});

story("an operator's weight replaces the configured one, until it is taken back", async () => {
  operator(director, 'weight', RS1, '7');
  await weighs(RS1, 7);
  await shows(director, /weight 7 by the operator/, 'explain', RS1);
  operator(director, 'weight', RS1, 'default');
  await weighs(RS1, FULL);
});

story('a name that nobody has gets the nearest one', () => {
  assert.throws(
    () => operator(director, 'drain', '192.168.1.13:7000'),
    /did you mean 192\.168\.1\.1[12]:7000\?/,
  );
});

story('a maintenance window drains a server and brings it back', async () => {
  const page = `${PAGES}:${HTTP_PORT}`;
  await weighs(page, FULL);
  file(director, 'vipkeeper.conf', configuration(WINDOW));
  operator(director, 'reload');
  await weighs(page, undefined);
  await scene.until('drained by the schedule', async () => {
    const { drain } = (await standing(page)) ?? {};
    return drain?.phase === 'drained' && drain.by === 'schedule';
  });
  await weighs(page, FULL);
  file(director, 'vipkeeper.conf', configuration(WINDOW.concat(' weight 3')));
  operator(director, 'reload');
  await weighs(page, 3);
  await scene.until('by the schedule', async () => (await standing(page))?.by === 'schedule');
  await weighs(page, FULL);
});

story('a reload that drops the server forgets its drain, and says so', async () => {
  const page = `192.168.1.11:${HTTP_PORT}`;
  operator(director, 'drain', page, '--no-wait');
  await weighs(page, undefined);
  file(
    director,
    'vipkeeper.conf',
    configuration('').replaceAll(`192.168.1.11 ${HTTP_PORT}`, `192.168.1.21 ${HTTP_PORT}`),
  );
  operator(director, 'reload');
  await scene.until('the log says so', () =>
    daemon.log.includes(`no real server ${page} any more: its drain is forgotten`),
  );
  file(director, 'vipkeeper.conf', configuration(''));
  operator(director, 'reload');
  await weighs(page, FULL);
});

story.run();
