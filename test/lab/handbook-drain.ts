import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import type { Console } from './handbook/console.ts';
import { open } from './handbook/opening.ts';
import { drStage } from './scene/stages.ts';
import { type Call, type Client, ECHO_PORT } from './scene/traffic.ts';

/**
 * A handbook's maintenance: weight 0 drains a server, and its old connections go on; a server at its upper threshold
 * gets no new ones until it is below its lower one.
 */
export const needs = 'kernel';

const [RS1, RS2] = ['10.0.0.21', '10.0.0.22'] as const;
/** A service of its own for each story. */
const service = (n: number): string => `-t 10.0.0.10${n}:${ECHO_PORT}`;
const vip = (n: number): string => `10.0.0.10${n}`;

const story = suite('maintenance');
const stage = drStage(2);
story.after(() => stage.scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  for (const n of [0, 1, 2, 3]) {
    stage.director.address('lan', `${vip(n)}/32`);
    for (const server of stage.servers) server.holdsQuietly(vip(n));
  }
  ({ client, console: director } = await open(stage));
  // Ended connections are forgotten after a second instead of two minutes.
  await director.type('lvsadm --set 0 1 0');
});

async function calls(n: number, count: number): Promise<Call[]> {
  const made: Call[] = [];
  for (let each = 0; each < count; each++) made.push(await client.dial(vip(n), ECHO_PORT));
  return made;
}

const servers = (made: readonly Call[]): string => made.map(({ server }) => server).join(' ');

const typeService = (n: number, options = '', each = ''): Promise<string> =>
  director.type(`
    lvsadm -A ${service(n)} -s rr ${options}
    lvsadm -a ${service(n)} -r ${RS1} -g ${each}
    lvsadm -a ${service(n)} -r ${RS2} -g ${each}
  `);

const rowOf = (server: string) => (rows: string[]) =>
  rows.find((row) => row.startsWith(`-> ${server}:${ECHO_PORT} `))?.replace(/^-> \S+ /, '');

story('weight 0: old connections go on, new ones go elsewhere, and it can be taken out', async () => {
  await typeService(0);
  const [one, two] = await calls(0, 2);
  assert.equal([one?.server, two?.server], ['rs2', 'rs1']);
  await director.type(`lvsadm -e ${service(0)} -r ${RS1} -g -w 0`);
  const more = await calls(0, 4);
  assert.is(servers(more), 'rs2 rs2 rs2 rs2');
  assert.is(await two?.say('still there'), 'still there');
  await director.shows(`-L -n ${service(0)}`, rowOf(RS1), 'Route 0 1 0');
  await two?.hangUp();
  await director.shows(`-L -n ${service(0)}`, rowOf(RS1), 'Route 0 0 0');
  await director.type(`lvsadm -d ${service(0)} -r ${RS1}`);
  for (const call of [one, ...more]) assert.is(await call?.say('and I'), 'and I');
  await director.type(`lvsadm -a ${service(0)} -r ${RS1} -g`);
  assert.ok(servers(await calls(0, 2)).includes('rs1'));
});

story('weight 0 and persistence: a user comes back, unless quiescent templates expire', async () => {
  await typeService(1, '-p 600');
  assert.is(servers(await calls(1, 2)), 'rs2 rs2');
  await director.type(`lvsadm -e ${service(1)} -r ${RS2} -g -w 0`);
  assert.is(servers(await calls(1, 1)), 'rs2');
  await director.type('sysctl -qw net.ipv4.vs.expire_quiescent_template=1');
  assert.is(servers(await calls(1, 1)), 'rs1');
});

story('thresholds: no new connections at the upper one, again below the lower one', async () => {
  await typeService(2, '', '-x 3 -y 2');
  const made = await calls(2, 6);
  assert.is(servers(made), 'rs2 rs1 rs2 rs1 rs2 rs1');
  const thresholds = (await director.list(`-L -n --thresholds ${service(2)}`)).slice(-2);
  assert.equal(thresholds, [`-> ${RS1}:${ECHO_PORT} 3 2 3 0`, `-> ${RS2}:${ECHO_PORT} 3 2 3 0`]);
  assert.is(servers(await calls(2, 1)), 'ECONNREFUSED');
  const ofRs1 = made.filter(({ server }) => server === 'rs1');
  await ofRs1[0]?.hangUp();
  await director.shows(`-L -n ${service(2)}`, rowOf(RS1), 'Route 1 2 0');
  assert.is(servers(await calls(2, 1)), 'ECONNREFUSED');
  await ofRs1[1]?.hangUp();
  await director.shows(`-L -n ${service(2)}`, rowOf(RS1), 'Route 1 1 0');
  assert.is(servers(await calls(2, 3)), 'rs1 rs1 ECONNREFUSED');
  assert.is(await ofRs1[2]?.say('all the time'), 'all the time');
});

story('a server that is deleted cuts its connections, if the kernel is asked for it', async () => {
  await typeService(3);
  const [, call] = await calls(3, 2);
  await director.type(`
    sysctl -qw net.ipv4.vs.expire_nodest_conn=1
    lvsadm -d ${service(3)} -r ${RS1}
  `);
  assert.is(call?.server, 'rs1');
  // The packet is dropped and the connection forgotten; the next one finds no connection, and a director that says so.
  assert.is(await call?.say('is anybody there'), 'ECONNRESET');
});

story.run();
