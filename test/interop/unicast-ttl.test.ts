import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { file, keepalived, operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * Unicast across a router, with keepalived as the other director: `unicast_ttl`, and `min_ttl` and `max_ttl` of a peer,
 * over IPv4 and IPv6. An advert that has taken another way than it should is ignored.
 */
await enclose();

interface Kind {
  readonly name: string;
  readonly ends: readonly [string, string];
  /** The router, on either side. */
  readonly gates: readonly [string, string];
  readonly length: number;
  readonly vip: string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'IPv4',
    ends: ['10.1.0.1', '10.2.0.1'],
    gates: ['10.1.0.9', '10.2.0.9'],
    length: 24,
    vip: '10.9.0.100/32',
  },
  {
    name: 'IPv6',
    ends: ['fd01::1', 'fd02::1'],
    gates: ['fd01::9', 'fd02::9'],
    length: 64,
    vip: 'fe80::100/64',
  },
];
/** What is left of 255 after one router. */
const ARRIVES = 254;

interface Settings {
  readonly priority: number;
  /** What is sent with, and the least that is taken. */
  readonly ttl?: number;
  readonly least?: number;
}

/** Of the end on the left or on the right of the router; interfaces are named by their side. */
function configuration(kind: Kind, side: 0 | 1, { priority, ttl = 255, least = ARRIVES }: Settings): string {
  return `vrrp_instance pair {
  state BACKUP
  interface ${side === 0 ? 'left' : 'right'}
  virtual_router_id 7
  version 3
  priority ${priority}
  advert_int 0.2
  unicast_src_ip ${kind.ends[side]}
  unicast_ttl ${ttl}
  unicast_peer {
    ${kind.ends[1 - side]} min_ttl ${least} max_ttl 255
  }
  virtual_ipaddress {
    ${kind.vip}
  }
}
`;
}

for (const kind of KINDS) {
  const test = suite(`unicast across a router: ${kind.name}`);
  let scene: Scene | undefined;
  test.after(() => scene?.close());

  test('adverts count as long as their TTL is within the bounds', async () => {
    const stage = new Scene();
    scene = stage;
    const sides = ['left', 'right'].map((name) => stage.link(name));
    const way = stage.host('way').forwarding();
    const [ours, theirs] = sides.map((link, i) => {
      const [own = '', gate = '', far = ''] = [kind.ends[i], kind.gates[i], kind.ends[1 - i]];
      way.on(link, `${gate}/${kind.length}`);
      return stage
        .host(i === 0 ? 'ours' : 'theirs')
        .on(link, `${own}/${kind.length}`)
        .via(gate, far);
    });
    assert.ok(ours !== undefined && theirs !== undefined);
    const vip = kind.vip.replace(/\/.*/, '');
    const heldBy = (what: string, ...holders: readonly Host[]): Promise<number> =>
      stage.until(what, () => [ours, theirs].every((host) => host.has(vip) === holders.includes(host)));
    const reload = (settings: Settings): void => {
      file(ours, 'vipkeeper.conf', configuration(kind, 0, settings));
      operator(ours, 'reload');
    };
    vipkeeper(ours, configuration(kind, 0, { priority: 100 }), '-P');
    await heldBy('we are alone', ours);
    const peer = keepalived(theirs, configuration(kind, 1, { priority: 150 }), '-P', '-G');
    await heldBy('keepalived is better', theirs);
    reload({ priority: 100, least: 255 });
    await heldBy('its adverts have come too far', ours, theirs);
    const [router] = (await statusOf(ours))?.vrrp?.instances ?? [];
    await stage.until('they are counted', async () => {
      const [now] = (await statusOf(ours))?.vrrp?.instances ?? [];
      return (now?.statistics.rejected.ttl ?? 0) > (router?.statistics.rejected.ttl ?? 0);
    });
    reload({ priority: 100 });
    await heldBy('they count again', theirs);
    reload({ priority: 200 });
    await heldBy('we are better', ours);
    reload({ priority: 200, ttl: 100 });
    await heldBy('ours have come too far', ours, theirs);
    await stage.until('keepalived says why', () => /TTL/.test(peer.log));
    reload({ priority: 200 });
    await heldBy('ours count again', ours);
  });
  test.run();
}
