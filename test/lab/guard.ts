import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { shows, vipkeeper } from './scene/director.ts';
import type { Host } from './scene/host.ts';
import type { Program } from './scene/program.ts';
import { Scene } from './scene/scene.ts';

/**
 * A director that loses the network of its real servers sees all of them fail at once: its pool is not emptied
 * (`min_up`), and the VIP moves to the director that still sees them (`track_quorum`).
 */
export const needs = 'kernel';

const VIP = '10.0.0.100';
const story = suite('a sick director leaves its real servers alone and gives the VIP away');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const rack = scene.link('rack');
const directors = [1, 2].map((n) =>
  scene.host(`d${n}`).on(lan, `10.0.0.${n}/24`).on(rack, `192.168.1.${n}/24`),
) as [Host, Host];
const [first, second] = directors;
const daemons: Program[] = [];

const configuration = (priority: number): string => `
vrrp_instance pair {
  interface lan
  virtual_router_id 7
  version 3
  advert_int 0.3
  priority ${priority}
  track_quorum {
    ${VIP} 80 weight -60
  }
  virtual_ipaddress {
    ${VIP}/24
  }
}
virtual_server ${VIP} 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  delay_loop 0.3
  min_up 50%
  ${[1, 2, 3, 4]
    .map(
      (n) => `real_server 192.168.1.${10 + n} 80 {
    TCP_CHECK {
      connect_timeout 0.5
      retry 0
    }
  }`,
    )
    .join('\n  ')}
}
`;

/** How many real servers are in a director's table. */
const serving = (director: Host): number =>
  director.run('ipvsadm', '-Sn').match(/-r 192\.168\.1\.1\d:80/g)?.length ?? 0;
const holds = (director: Host): Promise<number> =>
  scene.until(`${director.name} has the VIP`, () => director.has(VIP));

story.before(async () => {
  for (const n of [1, 2, 3, 4]) {
    const server = scene.host(`rs${n}`).on(rack, `192.168.1.${10 + n}/24`);
    server.start('web', ['python3', '-m', 'http.server', '80', '--bind', `192.168.1.${10 + n}`]);
  }
  for (const [i, director] of directors.entries()) {
    daemons.push(vipkeeper(director, configuration(150 - 20 * i)));
    await scene.until(`${director.name} sees all servers`, () => serving(director) === 4);
  }
  await holds(first);
});

story('cut off, it keeps half of them, says so, and the other one serves', async () => {
  rack.cut(first);
  await holds(second);
  await scene.until('half of them are left', () => serving(first) === 2);
  assert.is(serving(second), 4);
  assert.not.ok(first.has(VIP));
  assert.match(daemons[0]?.log ?? '', /min_up 50% keeps 192\.168\.1\.\d+:80, 192\.168\.1\.\d+:80 in service/);
  await shows(first, /192\.168\.1\.\d+:80 +kept/);
  assert.match(daemons[0]?.log ?? '', /effective priority 90/);
});

story('mended, it sees them again and takes the VIP back', async () => {
  rack.mend(first);
  await holds(first);
  await scene.until('all serve', () => serving(first) === 4);
  assert.match(daemons[0]?.log ?? '', /min_up 50% has nothing to keep any more/);
});

story.run();
