import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import type { Console } from './handbook/console.ts';
import { modules, open } from './handbook/opening.ts';
import { natStage, VIP6 } from './scene/stages.ts';
import type { Client } from './scene/traffic.ts';

/**
 * A handbook's persistence: a user stays with a server on one port, on all ports, on the ports of a firewall mark; or
 * a network of users does.
 */
export const needs = 'kernel';

const TELNET = 23;
const WEB = 80;
const [ANN, BOB, FAR] = ['10.0.0.31', '10.0.0.32', '10.0.1.31'] as const;
const [ANN6, BOB6, FAR6] = ['fd00::31', 'fd00::32', 'fd00:0:0:1::31'] as const;
/** A VIP of its own for each story, so that each finds only its own templates. */
const vip = (n: number): string => `10.0.0.10${n}`;
/** Long enough for every story to find its templates. */
const SECONDS = 600;

const story = suite('persistence');
const stage = natStage(2);
story.after(() => stage.scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  modules('iptable_mangle', 'xt_mark');
  for (const address of [ANN, BOB]) stage.user.address('lan', `${address}/32`);
  for (const address of [ANN6, BOB6]) stage.user.address('lan', `${address}/128`);
  stage.user.address('lan', `${FAR}/24`).address('lan', `${FAR6}/64`);
  for (const n of [1, 2, 3, 4]) stage.director.address('lan', `${vip(n)}/32`);
  ({ client, console: director } = await open(stage, TELNET, WEB));
  await director.type(`
    ip address add ${VIP6}/128 dev lan nodad
    ip route add 10.0.1.0/24 dev lan
    ip route add fd00:0:0:1::/64 dev lan
  `);
});
story.before.each(() => director.type('lvsadm -C').then(() => undefined));

/** Where the user's telnet and then the user's web land, twice. */
async function visit(from: string, vip: string): Promise<string> {
  const servers: string[] = [];
  const host = vip.includes(':') ? `[${vip}]` : vip;
  for (let n = 0; n < 2; n++) {
    const call = await client.dial(vip, TELNET, { from });
    await call.hangUp();
    servers.push(call.server, await client.get(`http://${host}/`, 20_000, from));
  }
  return servers.join(' ');
}

/** The templates of `-L -c`, without the time that they have left: client, virtual server, real server. */
async function templates(virtual: string): Promise<string[]> {
  const rows = await director.list('-L -n -c');
  const found = rows.map((row) => /^(\S+ )\S+ \S+ (\S+:0 .*)$/.exec(row)?.slice(1).join('') ?? '');
  return found.filter((row) => row.includes(` ${virtual}`)).sort();
}

/** The column `PersistConn` of each server. */
async function persistentUsers(): Promise<number[]> {
  const rows = await director.list('-L -n --persistent-conn');
  return rows.filter((row) => /^-> \S*\d/.test(row)).map((row) => Number(row.split(' ')[3]));
}

story('per port: a user has a server for each', async () => {
  for (const port of [TELNET, WEB]) {
    await director.type(`
      lvsadm -A -t ${vip(1)}:${port} -s rr -p ${SECONDS}
      lvsadm -a -t ${vip(1)}:${port} -r 192.168.1.11 -m
      lvsadm -a -t ${vip(1)}:${port} -r 192.168.1.12 -m
    `);
  }
  // The first turn at the web is another user's.
  assert.is(await client.get(`http://${vip(1)}/`, 20_000, BOB), 'rs2');
  assert.is(await visit(ANN, vip(1)), 'rs2 rs1 rs2 rs1');
  assert.is(await visit(BOB, vip(1)), 'rs1 rs2 rs1 rs2');
  assert.equal(await templates(vip(1)), [
    `TCP ${ANN}:0 ${vip(1)}:${TELNET} 192.168.1.12:${TELNET}`,
    `TCP ${ANN}:0 ${vip(1)}:${WEB} 192.168.1.11:${WEB}`,
    `TCP ${BOB}:0 ${vip(1)}:${TELNET} 192.168.1.11:${TELNET}`,
    `TCP ${BOB}:0 ${vip(1)}:${WEB} 192.168.1.12:${WEB}`,
  ]);
  assert.equal(await persistentUsers(), [1, 1, 1, 1]);
});

story('per client: a user has one server for all ports', async () => {
  await director.type(`
    lvsadm -A -t ${vip(2)}:0 -s rr -p ${SECONDS}
    lvsadm -a -t ${vip(2)}:0 -r 192.168.1.11 -m
    lvsadm -a -t ${vip(2)}:0 -r 192.168.1.12 -m
  `);
  assert.is(await visit(ANN, vip(2)), 'rs2 rs2 rs2 rs2');
  assert.is(await visit(BOB, vip(2)), 'rs1 rs1 rs1 rs1');
  assert.equal(await templates(vip(2)), [
    `TCP ${ANN}:0 ${vip(2)}:0 192.168.1.12:0`,
    `TCP ${BOB}:0 ${vip(2)}:0 192.168.1.11:0`,
  ]);
  assert.equal(await persistentUsers(), [1, 1]);
});

story('by firewall mark: a user has one server for web and telnet, and for nothing else', async () => {
  await director.type(`
    iptables-legacy -t mangle -A PREROUTING -d ${vip(3)} -p tcp --dport ${WEB} -j MARK --set-mark 1
    iptables-legacy -t mangle -A PREROUTING -d ${vip(3)} -p tcp --dport ${TELNET} -j MARK --set-mark 1
    lvsadm -A -f 1 -s rr -p ${SECONDS}
    lvsadm -a -f 1 -r 192.168.1.11 -m
    lvsadm -a -f 1 -r 192.168.1.12 -m
  `);
  assert.is(await visit(ANN, vip(3)), 'rs2 rs2 rs2 rs2');
  assert.is(await visit(BOB, vip(3)), 'rs1 rs1 rs1 rs1');
  assert.is((await client.dial(vip(3), 25, { from: ANN })).server, 'ECONNREFUSED');
  // The mark stands where an address would.
  assert.equal(await templates('0.0.0.1'), [
    `IP ${ANN}:0 0.0.0.1:0 192.168.1.12:0`,
    `IP ${BOB}:0 0.0.0.1:0 192.168.1.11:0`,
  ]);
  assert.equal(await persistentUsers(), [1, 1]);
});

story('by netmask: a network of users has one server', async () => {
  await director.type(`
    lvsadm -A -t ${vip(4)}:0 -s rr -p ${SECONDS} -M 255.255.255.0
    lvsadm -a -t ${vip(4)}:0 -r 192.168.1.11 -m
    lvsadm -a -t ${vip(4)}:0 -r 192.168.1.12 -m
  `);
  assert.is(await visit(ANN, vip(4)), 'rs2 rs2 rs2 rs2');
  assert.is(await visit(BOB, vip(4)), 'rs2 rs2 rs2 rs2');
  assert.is(await visit(FAR, vip(4)), 'rs1 rs1 rs1 rs1');
  assert.equal(await templates(vip(4)), [
    `TCP 10.0.0.0:0 ${vip(4)}:0 192.168.1.12:0`,
    `TCP 10.0.1.0:0 ${vip(4)}:0 192.168.1.11:0`,
  ]);
  assert.equal(await persistentUsers(), [1, 1]);
});

story('by prefix: the same over IPv6', async () => {
  await director.type(`
    lvsadm -A -t [${VIP6}]:0 -s rr -p ${SECONDS} -M 64
    lvsadm -a -t [${VIP6}]:0 -r [fd01::11]:0 -m
    lvsadm -a -t [${VIP6}]:0 -r [fd01::12]:0 -m
  `);
  assert.is(await visit(ANN6, VIP6), 'rs2 rs2 rs2 rs2');
  assert.is(await visit(BOB6, VIP6), 'rs2 rs2 rs2 rs2');
  assert.is(await visit(FAR6, VIP6), 'rs1 rs1 rs1 rs1');
  assert.equal(await templates(`[${VIP6}]`), [
    `TCP [fd00:0:0:1::]:0 [${VIP6}]:0 [fd01::11]:0`,
    `TCP [fd00::]:0 [${VIP6}]:0 [fd01::12]:0`,
  ]);
  assert.equal(await persistentUsers(), [1, 1]);
});

story.run();
