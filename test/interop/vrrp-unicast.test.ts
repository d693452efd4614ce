import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/** Adverts to a peer instead of a group: vipkeeper and keepalived elect, hand over and come back. */
await enclose();

type DaemonName = 'vipkeeper' | 'keepalived';

interface Kind {
  readonly name: string;
  readonly version: 2 | 3;
  readonly advert: number;
  readonly addresses: readonly [string, string];
  readonly length: number;
  readonly vip: string;
}

const KINDS: readonly Kind[] = [
  { name: 'v2', version: 2, advert: 1, addresses: ['10.0.0.1', '10.0.0.2'], length: 24, vip: '10.0.0.100' },
  { name: 'v3', version: 3, advert: 0.2, addresses: ['10.0.0.1', '10.0.0.2'], length: 24, vip: '10.0.0.100' },
  { name: 'IPv6', version: 3, advert: 0.2, addresses: ['fd00::1', 'fd00::2'], length: 64, vip: 'fe80::100' },
];

function configuration(kind: Kind, own: string, peer: string, priority: number): string {
  return `vrrp_instance pair {
  state BACKUP
  interface lan
  virtual_router_id 7
  version ${kind.version}
  priority ${priority}
  advert_int ${kind.advert}
  unicast_src_ip ${own}
  unicast_peer {
    ${peer}
  }
  virtual_ipaddress {
    ${kind.vip}/${kind.length}
  }
}
`;
}

/** Two hosts on a link, each with a daemon that knows the other. */
class Pair {
  readonly #scene = new Scene();
  readonly #kind: Kind;
  readonly #hosts: readonly Host[];

  constructor(kind: Kind) {
    this.#kind = kind;
    const link = this.#scene.link('lan');
    this.#hosts = kind.addresses.map((address, i) => {
      const name = `host${i}`;
      const host = this.#scene.host(name).on(link);
      ip(name, 'address flush dev lan');
      host.address('lan', `${address}/${kind.length}`);
      return host;
    });
  }

  start(index: 0 | 1, daemon: DaemonName, priority: number): Program {
    const { addresses } = this.#kind;
    const text = configuration(this.#kind, addresses[index], addresses[1 - index] ?? '', priority);
    const host = this.#hosts[index];
    assert.ok(host !== undefined);
    return daemon === 'vipkeeper' ? vipkeeper(host, text, '-P') : keepalived(host, text, '-P', '-G');
  }

  /** Waits until this one holds the address, and only this one. */
  async heldBy(index: 0 | 1, what: string): Promise<void> {
    const { vip } = this.#kind;
    await this.#scene.until(what, () => this.#hosts.every((host, i) => host.has(vip) === (i === index)));
  }

  close(): void {
    this.#scene.close();
  }
}

for (const kind of KINDS) {
  for (const [better, lesser] of [
    ['vipkeeper', 'keepalived'],
    ['keepalived', 'vipkeeper'],
  ] as const) {
    const test = suite(`unicast ${kind.name}: ${better} before ${lesser}`);
    let pair: Pair | undefined;
    test.after(() => pair?.close());
    test('the better one is elected, hands over and comes back', async () => {
      pair = new Pair(kind);
      pair.start(1, lesser, 100);
      await pair.heldBy(1, 'the lesser one is alone');
      const leader = pair.start(0, better, 150);
      await pair.heldBy(0, 'the better one preempts');
      await leader.stop();
      await pair.heldBy(1, 'it hands over');
      pair.start(0, better, 150);
      await pair.heldBy(0, 'it takes over again');
    });
    test.run();
  }
}
