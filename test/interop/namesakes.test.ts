import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * Two virtual routers with one VRID on one interface, each with peers of its own: keepalived runs so, and so do we.
 * Each director is the better one of one pair, so each has one of the addresses, as long as adverts reach whom they are
 * for.
 */
await enclose();

const LENGTH = 24;
/** Of each pair: the addresses of both directors, and the virtual one. */
const PAIRS = [
  { ends: ['10.1.0.1', '10.1.0.2'], vip: '10.1.0.100' },
  { ends: ['10.2.0.1', '10.2.0.2'], vip: '10.2.0.100' },
] as const;

const configuration = (director: 0 | 1): string =>
  PAIRS.map(
    ({ ends, vip }, pair) => `vrrp_instance pair${pair} {
  state BACKUP
  interface lan
  virtual_router_id 7
  version 3
  priority ${pair === director ? 200 : 100}
  advert_int 0.2
  unicast_src_ip ${ends[director]}
  unicast_peer {
    ${ends[director === 0 ? 1 : 0]}
  }
  virtual_ipaddress {
    ${vip}/${LENGTH}
  }
}
`,
  ).join('');

const test = suite('one VRID twice on an interface, with other peers');

for (const other of ['vipkeeper', 'keepalived'] as const) {
  test(`vipkeeper and ${other}: each has the address of its pair, and both of a pair when it is alone`, async () => {
    const scene = new Scene();
    try {
      const link = scene.link('lan');
      const hosts = ([0, 1] as const).map((director) => {
        const name = `host${director}`;
        const host = scene.host(name).on(link);
        ip(name, 'address flush dev lan');
        for (const { ends } of PAIRS) host.address('lan', `${ends[director]}/${LENGTH}`);
        return host;
      });
      const [first, second] = hosts;
      if (first === undefined || second === undefined) return;
      vipkeeper(first, configuration(0), '-P');
      await scene.until('the first has both', () => PAIRS.every(({ vip }) => first.has(vip)));
      const program =
        other === 'vipkeeper'
          ? vipkeeper(second, configuration(1), '-P')
          : keepalived(second, configuration(1), '-P', '-G');
      await scene.until('each has its own', () =>
        PAIRS.every(({ vip }, pair) => hosts.every((host, i) => host.has(vip) === (i === pair))),
      );
      await program.stop();
      await scene.until('the first has both again', () => PAIRS.every(({ vip }) => first.has(vip)));
    } finally {
      scene.close();
    }
  });
}

test.run();
