import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { keepalived } from './scene/director.ts';
import { natStage, VIP } from './scene/stages.ts';
import { Client, ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * The lab itself on the real IPVS, with Debian's programs: NAT forwards traffic, a check removes a dead real
 * server.
 */
export const needs = 'kernel';

const story = suite('ipvsadm and keepalived on the real IPVS');
const { scene, director, user, servers } = natStage(2);
director.address('lan', `${VIP}/32`);
story.after(() => scene.close());

story('a NAT virtual server made by ipvsadm carries connections to both real servers', async () => {
  for (const server of servers) await realServer(server);
  director.run('ipvsadm', '-A', '-t', `${VIP}:${ECHO_PORT}`, '-s', 'rr');
  for (const n of [1, 2]) {
    director.run(
      'ipvsadm',
      '-a',
      '-t',
      `${VIP}:${ECHO_PORT}`,
      '-r',
      `192.168.1.${10 + n}:${ECHO_PORT}`,
      '-m',
    );
  }
  const client = await Client.start(user);
  await client.open(10, VIP);
  const report = await client.everyConnectionAnswers();
  assert.equal(report.servers, { rs1: 5, rs2: 5 });
  assert.equal([report.open, report.broken, report.corrupt], [10, 0, 0]);
  assert.match(director.run('ipvsadm', '-Lnc'), 'ESTABLISHED');
  await client.close();
  director.run('ipvsadm', '-C');
});

story('keepalived takes a dead real server out of the pool, and traffic goes on', async () => {
  keepalived(director, poolOf('192.168.1.11', '192.168.1.12'));
  const real = (): string[] => director.run('ipvsadm', '-Ln').match(/-> 192\.168\.1\.1\d/g) ?? [];
  await scene.until('both real servers are in the pool', () => real().length === 2);
  servers[0]?.kill();
  await scene.until('the dead one has left the pool', () => real().join() === '-> 192.168.1.12');
  const client = await Client.start(user);
  const report = await client.open(4, VIP);
  assert.equal([report.servers, report.open], [{ rs2: 4 }, 4]);
});

/** A virtual server whose real servers are checked each second. */
function poolOf(...addresses: string[]): string {
  const real = addresses.map(
    (address) => `real_server ${address} ${ECHO_PORT} {
      TCP_CHECK {
        connect_timeout 2
        retry 0
      }
    }`,
  );
  return `virtual_server ${VIP} ${ECHO_PORT} {
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    ${real.join('\n')}
  }`;
}

story.run();
