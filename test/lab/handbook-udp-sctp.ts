import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { type Console, figuresOf } from './handbook/console.ts';
import { modules, open } from './handbook/opening.ts';
import { inner, natStage, VIP, VIP6 } from './scene/stages.ts';
import { type Client, ECHO_PORT } from './scene/traffic.ts';

/**
 * A handbook's other protocols by NAT: UDP over IPv4 and IPv6, counted to the byte, and SCTP.
 */
export const needs = 'kernel';

const DNS = 53;
const SGSAP = 29118;
/** What `dial` asks by UDP, and the real servers' answer. */
const QUESTION = 'who?'.length;
const ANSWER = 'rs1'.length;
const UDP_HEADER = 8;
const HEADERS = { ipv4: 20 + UDP_HEADER, ipv6: 40 + UDP_HEADER } as const;

const story = suite('UDP and SCTP');
const stage = natStage(2);
const { scene, user, servers } = stage;
story.after(() => scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  ({ client, console: director } = await open(stage));
  await director.type(`
    ip address add ${VIP}/32 dev lan
    ip address add ${VIP6}/128 dev lan nodad
  `);
});

for (const [family, vip, reals] of [
  ['ipv4', VIP, [inner(1), inner(2)]],
  ['ipv6', `[${VIP6}]`, ['[fd01::11]', '[fd01::12]']],
] as const) {
  story(`UDP over ${family}: all datagrams of a socket go to one server, and each is counted`, async () => {
    const service = `-u ${vip}:${DNS}`;
    await director.type(`
      lvsadm -A ${service} -s rr
      lvsadm -a ${service} -r ${reals[0]}:${ECHO_PORT} -m
      lvsadm -a ${service} -r ${reals[1]}:${ECHO_PORT} -m
    `);
    const host = vip.replace(/[[\]]/g, '');
    for (const name of ['rs2', 'rs1']) {
      const call = await client.dial(host, DNS, { transport: 'udp' });
      assert.equal([call.server, await call.say('x'), await call.say('xyz')], [name, name, name]);
      await call.hangUp();
    }
    const bytes = (...payloads: number[]): number =>
      payloads.reduce((sum, payload) => sum + HEADERS[family] + payload, 0);
    const each = [1, 3, 3, bytes(QUESTION, 1, 3), bytes(ANSWER, ANSWER, ANSWER)];
    const both = each.map((figure) => 2 * figure);
    await director.shows(`-L -n --stats --exact ${service}`, figuresOf, [both, each, each]);
  });
}

story('SCTP: two associations, two servers', async () => {
  modules('sctp');
  const program = join(ROOT, 'test/lab/programs/sctp.py');
  for (const [index, server] of servers.entries()) {
    const serving = server.start('sctp', [
      '/usr/bin/python3',
      program,
      'serve',
      server.name,
      inner(index + 1),
      `${SGSAP}`,
    ]);
    await scene.until(`${server.name} listens`, () => serving.log.includes('listens'));
  }
  await director.type(`
    lvsadm -A --sctp-service ${VIP}:${SGSAP} -s rr
    lvsadm -a --sctp-service ${VIP}:${SGSAP} -r ${inner(1)} -m
    lvsadm -a --sctp-service ${VIP}:${SGSAP} -r ${inner(2)} -m
  `);
  const call = (): string =>
    user.run('/usr/bin/python3', program, 'call', VIP, `${SGSAP}`, '10.0.0.10', 'one', 'two');
  assert.equal([call(), call()], ['rs2\none\ntwo\n', 'rs1\none\ntwo\n']);
  const connections = (rows: string[]): (number | undefined)[] => figuresOf(rows).map(([count]) => count);
  await director.shows(`-L -n --stats --exact --sctp-service ${VIP}:${SGSAP}`, connections, [2, 1, 1]);
});

story.run();
