import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { pidOf, vipkeeper } from './scene/director.ts';
import type { Program } from './scene/program.ts';
import { natStage, VIP } from './scene/stages.ts';
import { Client, ECHO_PORT, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * The check process on the real IPVS: a dead real server leaves the table, or gets weight 0, and comes back;
 * what others change is put back; a restart cuts no connection; a stop leaves what was made by hand.
 */
export const needs = 'kernel';

const story = suite('tcp checks on the real IPVS');
const { scene, rack, director, user, servers } = natStage(2);
director.address('lan', `${VIP}/32`);
story.after(() => scene.close());
const [rs1, rs2] = servers;
if (rs1 === undefined || rs2 === undefined) throw new Error('no real servers');

/** The director's table: `SERVICE SERVER WEIGHT` of each destination, sorted. */
function table(): string[] {
  const rules = director.run('ipvsadm', '-Sn').split('\n');
  return rules
    .map((rule) => /^-a -\w (\S+) -r (\S+) .*-w (\d+)/.exec(rule)?.slice(1, 4).join(' ') ?? '')
    .filter((line) => line !== '')
    .sort();
}

const web = (n: number, weight = 1): string =>
  `${VIP}:${ECHO_PORT} 192.168.1.${10 + n}:${ECHO_PORT} ${weight}`;
const page = (n: number, weight = 1): string =>
  `${VIP}:${HTTP_PORT} 192.168.1.${10 + n}:${HTTP_PORT} ${weight}`;
const BY_HAND = '10.0.0.99:9 192.168.1.99:9 5';

const holds = (...lines: string[]) =>
  scene.until(`the table holds ${lines.join(', ')}`, () => table().join() === lines.sort().join());

/** Somebody gives a real server another weight. */
function editByHand(): void {
  const at = ['-t', `${VIP}:${ECHO_PORT}`, '-r', `192.168.1.11:${ECHO_PORT}`];
  director.run('ipvsadm', '-e', ...at, '-m', '-w', '9');
}

const configuration = [ECHO_PORT, HTTP_PORT]
  .map(
    (port) => `virtual_server ${VIP} ${port} {
      delay_loop 1
      lb_algo rr
      lb_kind NAT
      protocol TCP
      ${port === HTTP_PORT ? 'inhibit_on_failure' : ''}
      ${[1, 2]
        .map(
          (n) => `real_server 192.168.1.${10 + n} ${port} {
            TCP_CHECK {
              connect_timeout 2
              retry 1
              delay_before_retry 1
            }
          }`,
        )
        .join('\n')}
    }`,
  )
  .join('\n');

let daemon: Program;

story('the virtual servers appear beside what was made by hand, and carry connections', async () => {
  director.run('ipvsadm', '-A', '-t', '10.0.0.99:9', '-s', 'rr');
  director.run('ipvsadm', '-a', '-t', '10.0.0.99:9', '-r', '192.168.1.99:9', '-m', '-w', '5');
  for (const server of servers) await realServer(server);
  daemon = vipkeeper(director, configuration);
  await holds(BY_HAND, web(1), web(2), page(1), page(2));
  const client = await Client.start(user);
  assert.equal((await client.open(10, VIP)).servers, { rs1: 5, rs2: 5 });
  await client.close();
});

story('a dead real server leaves the table, or stays with weight 0, and the log says why', async () => {
  rs1.kill();
  await holds(BY_HAND, web(2), page(1, 0), page(2));
  const dead = `192.168.1.11:${ECHO_PORT}`;
  const said = `real server ${dead} is down: tcp check of ${dead}: connection refused`;
  await scene.until('the log says why', () => daemon.log.includes(said));
  const client = await Client.start(user);
  assert.equal((await client.open(4, VIP)).servers, { rs2: 4 });
  await client.close();
});

story('it comes back when it answers', async () => {
  await realServer(rs1);
  await holds(BY_HAND, web(1), web(2), page(1), page(2));
});

story('a real server that is cut off is found by the timeout', async () => {
  rack.cut(rs2);
  await holds(BY_HAND, web(1), page(1), page(2, 0));
  rack.mend(rs2);
  await holds(BY_HAND, web(1), web(2), page(1), page(2));
});

story('what others remove or change is put back', async () => {
  director.run('ipvsadm', '-D', '-t', `${VIP}:${HTTP_PORT}`);
  editByHand();
  await holds(BY_HAND, web(1), web(2), page(1), page(2));
});

story('when the check process dies the table stays, and its successor adopts it', async () => {
  const client = await Client.start(user);
  await client.open(10, VIP);
  const before = pidOf(director, 'check');
  process.kill(before, 'SIGKILL');
  assert.equal(table(), [BY_HAND, web(1), web(2), page(1), page(2)].sort());
  await scene.until('it has a successor', () => pidOf(director, 'check') !== before);
  // What it puts back shows that it works.
  editByHand();
  await holds(BY_HAND, web(1), web(2), page(1), page(2));
  const report = await client.everyConnectionAnswers();
  assert.equal([report.open, report.broken, report.corrupt], [10, 0, 0]);
  await client.close();
});

story('a stop takes out what is ours and leaves the rest', async () => {
  assert.is(await daemon.stop(), 'exit status 0');
  assert.equal(table(), [BY_HAND]);
});

story.run();
