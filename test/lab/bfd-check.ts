import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { operator, pidOf, shows, statusOf, vipkeeper } from './scene/director.ts';
import { Frr } from './scene/frr.ts';
import type { Program } from './scene/program.ts';
import { Scene } from './scene/scene.ts';

/**
 * BFD_CHECK on the real IPVS, without a virtual router: a real server leaves the table when its BFD session fails, and
 * comes back with it; when the process that speaks BFD dies, another one goes on. The real servers run FRR.
 */
export const needs = 'kernel';

const VIP = '10.0.0.100';
const story = suite('BFD checks on the real IPVS');
const scene = new Scene();
story.after(() => scene.close());

const rack = scene.link('rack');
const director = scene.host('director').on(rack, '192.168.1.1/24', `${VIP}/32`);
const servers = [1, 2].map((n) => scene.host(`rs${n}`).on(rack, `192.168.1.${10 + n}/24`));
const frrs: Frr[] = [];
const PEER = 'peer 192.168.1.1 interface rack';
const TRIES = 20;
const SPEAK = `bfd\n ${PEER}\n  receive-interval 500\n  transmit-interval 500\n !\n!\n`;

const configuration = [
  ...[1, 2].map(
    (n) => `bfd_instance rs${n} {
  neighbor_ip 192.168.1.${10 + n}
  min_rx 500
  min_tx 500
}`,
  ),
  `virtual_server ${VIP} 80 {
  lb_algo rr
  lb_kind DR
  protocol TCP
  ${[1, 2].map((n) => `real_server 192.168.1.${10 + n} 80 {\n BFD_CHECK {\n name rs${n}\n }\n }`).join('\n  ')}
}`,
].join('\n');

/** The last numbers of the real servers that are in the table, sorted. */
const table = (): string =>
  Array.from(director.run('ipvsadm', '-Sn').matchAll(/-r 192\.168\.1\.1(\d):80/g), ([, n]) => n)
    .sort()
    .join(' ');
const serves = (...wanted: readonly number[]) =>
  scene.until(`the table has ${wanted.join(' and ') || 'nobody'}`, () => table() === wanted.join(' '));

let daemon: Program;

story('real servers come when their sessions are up', async () => {
  daemon = vipkeeper(director, configuration);
  await serves();
  for (const server of servers) frrs.push(await Frr.start(server, 'bfdd', SPEAK));
  await serves(1, 2);
  await shows(director, /rs1 +Up +192\.168\.1\.11 .*both hear each other/);
  await shows(director, /192\.168\.1\.11:80 +up +1 +0 +0 +bfd check of rs1: BFD session is Up/);
});

story('one that is silent leaves, and comes back', async () => {
  servers[0]?.freeze();
  await serves(2);
  await scene.until('the log says why', () =>
    /192\.168\.1\.11:80 is down: bfd check of rs1: BFD session is Down: nothing heard/.test(daemon.log),
  );
  servers[0]?.thaw();
  await serves(1, 2);
});

story('one that ends its session by its own will stays', async () => {
  const sessionOf = async () =>
    ((await statusOf(director))?.vrrp?.bfd ?? []).find(
      ({ name, state }) => name === 'rs1' && state === 'Down',
    );
  // It says so once: where that comes after the detection time, it was silent. Then it says it again.
  for (let tries = 1; ; tries++) {
    frrs[0]?.configure('bfd', PEER, 'shutdown');
    await scene.until('its session is down', async () => (await sessionOf()) !== undefined);
    if (/AdminDown/.test((await sessionOf())?.cause ?? '')) break;
    assert.ok(tries < TRIES, 'its last packet is heard');
    frrs[0]?.configure('bfd', PEER, 'no shutdown');
    await serves(1, 2);
  }
  await scene.until('which the check says', () =>
    /bfd check of rs1: BFD session is Down: the neighbour is AdminDown/.test(operator(director, 'status')),
  );
  assert.equal(table(), '1 2');
  frrs[0]?.configure('bfd', PEER, 'no shutdown');
});

story('another process goes on when the one that speaks BFD dies', async () => {
  process.kill(pidOf(director, 'vrrp'), 'SIGKILL');
  await scene.until('another one runs', async () =>
    ((await statusOf(director))?.processes ?? []).some(({ restarts }) => restarts === 1),
  );
  await scene.until('its sessions are up', async () => {
    const sessions = (await statusOf(director))?.vrrp?.bfd ?? [];
    return sessions.length === 2 && sessions.every(({ state, wentUp }) => state === 'Up' && wentUp === 1);
  });
  await serves(1, 2);
});

story.run();
