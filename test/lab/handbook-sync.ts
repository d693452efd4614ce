import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Console } from './handbook/console.ts';
import { open } from './handbook/opening.ts';
import { natStage, VIP } from './scene/stages.ts';
import { type Call, type Client, ECHO_PORT } from './scene/traffic.ts';

/**
 * A handbook's connection synchronization, by hand: the standby learns a connection of the master's and carries it on
 * when the addresses move there.
 */
export const needs = 'kernel';

const INNER_VIP = '192.168.1.254';
const story = suite('connection sync by hand');
const stage = natStage(2);
story.after(() => stage.scene.close());
let client: Client;
let master: Console;
let backup: Console;
let call: Call;
story.before(async () => {
  for (const server of stage.servers) server.run('ip', 'route', 'replace', 'default', 'via', INNER_VIP);
  ({ client, console: master } = await open(stage));
  const other = stage.scene
    .host('standby')
    .on(stage.lan, '10.0.0.3/24')
    .on(stage.rack, '192.168.1.2/24')
    .forwarding();
  backup = await Console.at(other);
});

const ADDRESSES = [`${VIP}/32 dev lan`, `${INNER_VIP}/32 dev rack`];
const move = (verb: 'add' | 'del'): string =>
  ADDRESSES.map((each) => `ip address ${verb} ${each}`).join('\n');

const established = (rows: string[]): string[] =>
  rows.filter((row) => row.includes('ESTABLISHED')).map((row) => row.split(' ').slice(3).join(' '));

story('the standby lists the connection that the master has', async () => {
  for (const director of [master, backup]) {
    await director.type(`
      lvsadm -A -t ${VIP}:${ECHO_PORT} -s rr
      lvsadm -a -t ${VIP}:${ECHO_PORT} -r 192.168.1.11 -m
      lvsadm -a -t ${VIP}:${ECHO_PORT} -r 192.168.1.12 -m
    `);
  }
  await master.type(`
    ${move('add')}
    lvsadm --start-daemon master --mcast-interface rack --syncid 7
  `);
  await backup.type('lvsadm --start-daemon backup --mcast-interface rack --syncid 7');
  const running = (state: string): string =>
    `${state} sync daemon (mcast=rack, syncid=7, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)`;
  assert.equal(await master.list('-L --daemon'), [running('master')]);
  assert.equal(await backup.list('-L --daemon'), [running('backup')]);
  call = await client.dial(VIP, ECHO_PORT);
  assert.is(await call.say('hello'), 'hello');
  const mine = established(await master.list('-L -n -c'));
  assert.is(mine.length, 1);
  await backup.shows('-L -n -c', established, mine);
});

story('the addresses move, and the connection goes on', async () => {
  await master.type(move('del'));
  await backup.type(move('add'));
  for (const host of [stage.user, ...stage.servers]) host.run('ip', 'neigh', 'flush', 'all');
  assert.is(await call.say('still'), 'still');
});

story('while the daemons are stopped nothing is learned; then the two change roles', async () => {
  await backup.type('lvsadm --stop-daemon backup');
  await master.type('lvsadm --stop-daemon master');
  assert.equal([await master.list('-L --daemon'), await backup.list('-L --daemon')], [[], []]);
  const talk = async (): Promise<string[]> => {
    const before = established(await backup.list('-L -n -c'));
    const made = await client.dial(VIP, ECHO_PORT);
    for (const text of ['one', 'two', 'three']) assert.is(await made.say(text), text);
    return established(await backup.list('-L -n -c')).filter((row) => !before.includes(row));
  };
  const [first = ''] = established(await master.list('-L -n -c'));
  await talk();
  await backup.type('lvsadm --start-daemon master --mcast-interface rack');
  await master.type('lvsadm --start-daemon backup --mcast-interface rack');
  const [last = ''] = await talk();
  await master.shows('-L -n -c', (rows) => established(rows).sort(), [first, last].sort());
  assert.is(established(await backup.list('-L -n -c')).length, 3);
});

story.run();
