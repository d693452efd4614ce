import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { type Console, figuresOf } from './handbook/console.ts';
import { open } from './handbook/opening.ts';
import type { Host } from './scene/host.ts';
import { drStage, VIP, VIP6 } from './scene/stages.ts';
import { type Client, ECHO_PORT, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * A handbook's LVS-DR: real servers that hold the VIP hide it, on IPv4 and IPv6; where they do not, they answer for
 * it. UDP is scheduled by socket or by packet; the director itself can be a real server.
 */
export const needs = 'kernel';

const story = suite('LVS-DR');
const stage = drStage(2);
const { lan, user, servers } = stage;
story.after(() => stage.scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  ({ client, console: director } = await open(stage));
});

const hardware = (host: Host): string => host.run('cat', '/sys/class/net/lan/address').trim();

/** The user asks some times who has the address. Gives when, in seconds: what a capture is then searched for. */
function ask(address: string): readonly [number, number] {
  const begin = Date.now();
  for (let n = 0; n < 3; n++) {
    user.run('ip', 'neigh', 'flush', 'all');
    user.succeeds('ping', '-c', '1', '-W', '1', address);
  }
  return [begin / 1000, Date.now() / 1000];
}

story('hidden on the real servers, the VIP is answered for by the director alone', async () => {
  const capture = await lan.capture();
  await director.type(`
    ip address add ${VIP}/32 dev lan
    ip address add ${VIP6}/128 dev lan nodad
  `);
  for (const server of servers) server.run('ip', 'address', 'add', `${VIP}/32`, 'dev', 'lo');
  const open = ask(VIP);
  for (const server of servers) {
    const state = join(stage.scene.folder, server.name);
    server.run(join(ROOT, 'bin/vipkeeper'), 'realserver', '--state-dir', state, 'prepare', VIP, VIP6);
  }
  const [hidden, six] = [ask(VIP), ask(VIP6)];
  await capture.stop();
  const answers = capture.fields(
    `(arp.opcode == 2 && arp.src.proto_ipv4 == ${VIP}) || icmpv6.nd.na.target_address == ${VIP6}`,
    'frame.time_epoch',
    'eth.src',
  );
  const whoAnswered = ([begin, end]: readonly [number, number]): string[] => {
    const then = answers.filter(([time]) => Number(time) >= begin && Number(time) <= end);
    return [...new Set(then.map(([, source = '']) => source))].sort();
  };
  assert.equal(whoAnswered(open), [stage.director, ...servers].map(hardware).sort());
  assert.equal(whoAnswered(hidden), [hardware(stage.director)]);
  assert.equal(whoAnswered(six), [hardware(stage.director)]);
});

story('requests pass the director, and answers do not', async () => {
  await director.type(`
    lvsadm -A -t ${VIP}:${HTTP_PORT} -s wrr
    lvsadm -a -t ${VIP}:${HTTP_PORT} -r 10.0.0.21 -g
    lvsadm -a -t ${VIP}:${HTTP_PORT} -r 10.0.0.22 -g
  `);
  const pages: string[] = [];
  for (let n = 0; n < 4; n++) pages.push(await client.get(`http://${VIP}:${HTTP_PORT}/`));
  assert.equal(pages.sort(), ['rs1', 'rs1', 'rs2', 'rs2']);
  const list = `-L -n --stats --exact -t ${VIP}:${HTTP_PORT}`;
  await director.shows(list, (rows) => figuresOf(rows).map(([connections]) => connections), [4, 2, 2]);
  const figures = figuresOf(await director.list(list));
  assert.equal(
    figures.map(([, , outPackets, , outBytes]) => [outPackets, outBytes]),
    Array(3).fill([0, 0]),
  );
  assert.ok((await director.list()).includes(`-> 10.0.0.21:${HTTP_PORT} Route 1 0 2`));
});

story('the same over IPv6', async () => {
  await director.type(`
    lvsadm -A -t [${VIP6}]:${HTTP_PORT} -s rr
    lvsadm -a -t [${VIP6}]:${HTTP_PORT} -r [fd00::21]:${HTTP_PORT} -g
    lvsadm -a -t [${VIP6}]:${HTTP_PORT} -r [fd00::22]:${HTTP_PORT} -g
  `);
  const pages = [1, 2].map(() => client.get(`http://[${VIP6}]:${HTTP_PORT}/`));
  assert.equal((await Promise.all(pages)).sort(), ['rs1', 'rs2']);
});

story(
  'a name service by UDP: a socket stays with a server; with -o each of its datagrams is scheduled',
  async () => {
    // What the servers say for themselves they say as the VIP.
    for (const server of servers) {
      server.run('ip', 'route', 'change', '10.0.0.0/24', 'dev', 'lan', 'src', VIP);
    }
    await director.type(`
    lvsadm -A -u ${VIP}:${ECHO_PORT} -s rr
    lvsadm -a -u ${VIP}:${ECHO_PORT} -r 10.0.0.21 -g
    lvsadm -a -u ${VIP}:${ECHO_PORT} -r 10.0.0.22 -g
  `);
    const answers = async (): Promise<string[]> => {
      const call = await client.dial(VIP, ECHO_PORT, { transport: 'udp' });
      return [call.server, await call.say('?'), await call.say('?'), await call.say('?')];
    };
    assert.equal(await answers(), ['rs2', 'rs2', 'rs2', 'rs2']);
    await director.type(`lvsadm -E -u ${VIP}:${ECHO_PORT} -s rr -o`);
    assert.equal(await answers(), ['rs1', 'rs2', 'rs1', 'rs2']);
    assert.ok((await director.list()).includes(`UDP ${VIP}:${ECHO_PORT} rr ops`));
    const packets = (rows: string[]): number[][] => figuresOf(rows).map((row) => row.slice(0, 3));
    // One connection of four datagrams, then four of one.
    await director.shows(`-L -n --stats --exact -u ${VIP}:${ECHO_PORT}`, packets, [
      [5, 8, 0],
      [2, 2, 0],
      [3, 6, 0],
    ]);
  },
);

story('local node: the director is a real server, too', async () => {
  await realServer(stage.director);
  await director.type(`
    lvsadm -A -t ${VIP}:${ECHO_PORT} -s rr
    lvsadm -a -t ${VIP}:${ECHO_PORT} -r 10.0.0.21 -g
    lvsadm -a -t ${VIP}:${ECHO_PORT} -r 127.0.0.1 -g
  `);
  const calls = [await client.dial(VIP, ECHO_PORT), await client.dial(VIP, ECHO_PORT)];
  assert.equal(
    calls.map(({ server }) => server),
    ['director', 'rs1'],
  );
  assert.is(await calls[0]?.say('here'), 'here');
});

story.run();
