import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/** Two segments, a virtual router on each, and a sync group: with keepalived as the other director. */
await enclose();

const LINKS = ['front', 'back'] as const;
const vipOf = (link: number): string => `10.0.${link}.100`;

const configuration = (priority: number): string => `vrrp_sync_group both {
  group {
    ${LINKS.join('\n    ')}
  }
}
${LINKS.map(
  (link, i) => `vrrp_instance ${link} {
  state BACKUP
  interface ${link}
  virtual_router_id ${10 + i}
  version 3
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    ${vipOf(i)}/24
  }
}
`,
).join('')}`;

const DAEMONS = {
  vipkeeper: (host: Host, text: string) => vipkeeper(host, text, '-P'),
  keepalived: (host: Host, text: string) => keepalived(host, text, '-P', '-G'),
};

for (const [better, lesser] of [
  ['vipkeeper', 'keepalived'],
  ['keepalived', 'vipkeeper'],
] as const) {
  const test = suite(`sync group: ${better} before ${lesser}`);
  let scene: Scene | undefined;
  test.after(() => scene?.close());
  test('one segment lost moves both, and both come back', async () => {
    const stage = new Scene();
    scene = stage;
    const links = LINKS.map((name) => stage.link(name));
    const hosts = ['first', 'second'].map((name, h) => {
      const host = stage.host(name);
      for (const [i, link] of links.entries()) {
        host.on(link);
        host.address(LINKS[i] ?? '', `10.0.${i}.${h + 1}/24`);
      }
      return host;
    });
    const [first, second] = hosts;
    assert.ok(first !== undefined && second !== undefined);
    const heldBy = (holder: Host, what: string): Promise<unknown> =>
      stage.until(
        what,
        () => hosts.every((host) => LINKS.every((_, i) => host.has(vipOf(i)) === (host === holder))),
        40,
      );
    DAEMONS[lesser](second, configuration(100));
    await heldBy(second, 'the lesser one is alone');
    DAEMONS[better](first, configuration(150));
    await heldBy(first, 'the better one takes both');
    ip('first', 'link set back down');
    await heldBy(second, 'one link of the better one is down: both move');
    ip('first', 'link set back up');
    await heldBy(first, 'both come back');
  });
  test.run();
}
