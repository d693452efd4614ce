import * as assert from 'uvu/assert';
import { Prng } from '../../src/core/prng.ts';
import { suite } from '../suite.ts';
import type { Console } from './handbook/console.ts';
import { modules, open } from './handbook/opening.ts';
import { SCHEDULERS, type Scheduler, type Server, type Visit } from './handbook/schedulers.ts';
import { DIRECTOR, inner, natStage, VIP } from './scene/stages.ts';
import { type Call, type Client, ECHO_PORT } from './scene/traffic.ts';

/**
 * Every scheduler of the kernel gives each connection to the server that its definition names, while connections come
 * and go.
 */
export const needs = 'kernel';

const SEED = 20261;
const STEPS = 40;
/** More connections come than go. */
const COMING = 0.7;
const WEIGHTS = [3, 1, 2, 4];
const USERS = Array.from({ length: 8 }, (_, n) => `10.0.0.${30 + n}`);
const FIRST_PORT = 1000;
/** Schedulers that choose by destination, and a network that users want something of. */
const CACHED: Readonly<Record<string, string>> = {
  dh: '192.0.2',
  lblc: '198.51.100',
  lblcr: '203.0.113',
};

const story = suite('schedulers');
const stage = natStage(WEIGHTS.length);
story.after(() => stage.scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  modules('iptable_mangle', 'xt_mark');
  for (const address of USERS) stage.user.address('lan', `${address}/24`);
  stage.user.via(DIRECTOR);
  ({ client, console: director } = await open(stage));
  await director.type(`ip address add ${VIP}/32 dev lan`);
});

/** The servers as the kernel keeps them: the last one added is the first. */
const fresh = (): Server[] =>
  WEIGHTS.map((weight, n) => ({ name: `rs${n + 1}`, weight, active: 0, inactive: 0 })).reverse();

/** Connections come and go by chance; each must be where the model says. Gives where they were. */
async function play(
  schedule: Scheduler,
  servers: Server[],
  visits: readonly Visit[],
  port: number,
): Promise<string> {
  const prng = new Prng(SEED);
  const held: [Call, Server][] = [];
  const came: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (held.length === 0 || prng.chance(COMING)) {
      const visit = prng.pick(visits);
      const expected = schedule(servers, visit);
      const call = await client.dial(visit.to, port, { from: visit.from });
      came.push(call.server);
      assert.is(
        call.server,
        expected?.name ?? 'ECONNREFUSED',
        `${came.join(' ')}: connection ${came.length}`,
      );
      if (expected === undefined) continue;
      expected.active++;
      held.push([call, expected]);
    } else {
      const [[call, server] = []] = held.splice(prng.between(0, held.length - 1), 1);
      await call?.hangUp();
      if (server === undefined) continue;
      server.active--;
      server.inactive++;
    }
  }
  for (const [call] of held) await call.hangUp();
  return came.join(' ');
}

/** A service of its own for each scheduler: `-t VIP:1000` or `-f 1`; connections of one count for no other. */
function typeService(service: string, scheduler: string, port: number): Promise<string> {
  const servers = WEIGHTS.map(
    (weight, n) => `lvsadm -a ${service} -r ${inner(n + 1)}:${port} -m -w ${weight}`,
  );
  return director.type([`lvsadm -A ${service} -s ${scheduler}`, ...servers].join('\n'));
}

for (const [index, [name, create]] of Object.entries(SCHEDULERS).entries()) {
  const net = CACHED[name];
  if (net !== undefined) continue;
  story(`${name} gives every connection to the server of its definition`, async () => {
    const port = FIRST_PORT + index;
    await typeService(`-t ${VIP}:${port}`, name, ECHO_PORT);
    const visits = USERS.map((from) => ({ from, to: VIP }));
    await play(create(), fresh(), visits, port);
  });
}

const count = (names: readonly string[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(names)].sort().map((name) => [name, names.filter((one) => one === name).length]),
  );

/** The servers that so many connections in a row come to. */
async function serversOf(visits: readonly Visit[], port: number): Promise<string[]> {
  const names: string[] = [];
  for (const { from, to } of visits) {
    const call = await client.dial(to, port, { from });
    names.push(call.server);
    await call.hangUp();
  }
  return names;
}

story('in figures: rr is even, wrr is 3:1', async () => {
  const visits = Array.from({ length: 8 }, () => ({ from: '10.0.0.10', to: VIP }));
  for (const [port, scheduler] of [
    ['80', 'rr'],
    ['81', 'wrr'],
  ]) {
    await director.type(`
      lvsadm -A -t ${VIP}:${port} -s ${scheduler}
      lvsadm -a -t ${VIP}:${port} -r ${inner(1)}:${ECHO_PORT} -m -w 3
      lvsadm -a -t ${VIP}:${port} -r ${inner(2)}:${ECHO_PORT} -m -w 1
    `);
  }
  assert.equal(count(await serversOf(visits, 80)), { rs1: 4, rs2: 4 });
  assert.equal(count(await serversOf(visits, 81)), { rs1: 6, rs2: 2 });
});

story('fo: the next server by weight takes over when the first is drained', async () => {
  await typeService(`-t ${VIP}:82`, 'fo', ECHO_PORT);
  const visit = [{ from: '10.0.0.10', to: VIP }];
  const order: string[] = [];
  for (const n of [4, 1, 3, 2]) {
    order.push(...(await serversOf(visit, 82)));
    await director.type(`lvsadm -e -t ${VIP}:82 -r ${inner(n)}:${ECHO_PORT} -m -w 0`);
  }
  assert.equal(order, ['rs4', 'rs1', 'rs3', 'rs2']);
  assert.equal(await serversOf(visit, 82), ['ECONNREFUSED']);
});

story('mh: a user stays with a server, and keeps it when another one goes', async () => {
  await typeService(`-t ${VIP}:83`, 'mh', ECHO_PORT);
  const visits = USERS.map((from) => ({ from, to: VIP }));
  const before = await serversOf(visits, 83);
  assert.equal(await serversOf(visits, 83), before);
  const gone = before[0] ?? '';
  assert.ok(new Set(before).size > 1);
  await director.type(`lvsadm -d -t ${VIP}:83 -r ${inner(Number(gone.slice(2)))}:${ECHO_PORT}`);
  const after = await serversOf(visits, 83);
  assert.not.ok(after.includes(gone));
  assert.equal(
    after.filter((_, n) => before[n] !== gone),
    before.filter((name) => name !== gone),
  );
});

story('dh, lblc and lblcr: web caches, by the destination that the user wants', async () => {
  // Whatever goes to these networks is for the director itself, as far as the kernel's IPVS is asked.
  await director.type('ip route add local default dev lo table 100');
  const came: Record<string, string> = {};
  for (const [index, [name, net]] of Object.entries(CACHED).entries()) {
    const mark = index + 1;
    await director.type(`
      iptables-legacy -t mangle -A PREROUTING -d ${net}.0/24 -p tcp -j MARK --set-mark ${mark}
      ip rule add fwmark ${mark} lookup 100
    `);
    await typeService(`-f ${mark}`, name, 0);
    const visits = USERS.flatMap((from) => [1, 2, 3, 4].map((n) => ({ from, to: `${net}.${n}` })));
    came[name] = await play(SCHEDULERS[name]?.() ?? (() => undefined), fresh(), visits, ECHO_PORT);
  }
  assert.is.not(came.lblc, came.lblcr, 'what tells the two apart has happened');
});

story.run();
