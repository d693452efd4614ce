import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { run } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/** One configuration of routes and rules, and two directors: the kernel's tables look the same under both daemons. */
await enclose();

const VIP = '10.0.0.100';
const VIP6 = 'fd00::100';

/** Every form of a line that the kernel takes and Debian's keepalived reads. */
const ROUTES = [
  `192.0.2.0/24 via 10.0.0.7 dev lan src ${VIP}`,
  '10.20.0.0/16 dev lan scope link metric 9',
  '10.21.0.0/16 via 10.0.0.7 table 200 tos 0x10',
  '10.22.0.0/16 via 10.0.0.7 mtu lock 1400 advmss 1300 rtt 300ms rttvar 400ms rto_min 300ms window 4096',
  '10.23.0.0/16 via 10.0.0.7 hoplimit 9 initcwnd 20 initrwnd 30 quickack 1 features ecn congctl lock reno',
  '10.24.0.0/16 via 10.0.0.7 cwnd lock 50 ssthresh 60 reordering 5 fastopen_no_cookie 1',
  '10.25.0.0/16 nexthop via 10.0.0.7 dev lan weight 3 nexthop via 10.0.0.8 dev lan onlink',
  '10.26.0.0/16 via 172.16.0.1 dev lan onlink',
  'blackhole 10.27.0.0/16',
  'unreachable 10.28.0.0/16 metric 70',
  'prohibit 10.29.0.0/16 table 1000',
  'throw 10.30.0.0/16 table 200',
  'local 10.31.0.0/16 dev lan scope host table 200',
  '10.32.0.0/16 via 10.0.0.7 no_track protocol static',
  '10.33.0.0/16 via 10.0.0.7 table 200 append',
  '10.33.0.0/16 via 10.0.0.8 table 200 append',
  'default via 10.0.0.7 table 201',
  'fd20::/64 via fd00::7 dev lan pref high mtu 1400',
  'fd21::/64 dev lan metric 5 table 200',
  'fd22::/64 nexthop via fd00::7 dev lan weight 2 nexthop via fd00::8 dev lan',
  'unreachable fd23::/64',
];
const RULES = [
  'from 192.0.2.0/24 table 200 priority 500',
  'to 10.21.0.0/16 lookup 200 preference 501',
  'not from 192.0.2.0/24 table 201 order 502',
  'from all fwmark 0x7/0xff iif lan table 200 priority 503',
  'from 10.0.0.0/8 to 10.20.0.0/16 tos 0x10 oif lan table 200 priority 504',
  'from 10.0.0.0/8 table 200 suppress_prefixlength 0 priority 505',
  'from 10.0.0.0/8 table 200 sup_group 3 priority 506',
  'uidrange 100-200 table 200 priority 507',
  'ipproto tcp sport 1000-2000 dport 80-81 table 200 priority 508',
  'to 10.66.0.0/16 blackhole priority 509',
  'to 10.67.0.0/16 unreachable priority 510',
  'to 10.68.0.0/16 prohibit priority 511',
  'goto 600 priority 512',
  'nop priority 600',
  'from fd20::/64 table 200 priority 700',
  'from 10.70.0.0/16 table 200',
];

const configuration = (priority: number): string => `vrrp_instance pair {
  state BACKUP
  interface lan
  virtual_router_id 7
  version 3
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    ${VIP}/24
  }
  virtual_ipaddress_excluded {
    ${VIP6}/64
  }
  virtual_routes {
    ${ROUTES.join('\n    ')}
  }
  virtual_rules {
    ${RULES.join('\n    ')}
  }
}
static_routes {
  10.80.0.0/16 via 10.0.0.7 dev lan metric 80
}
static_rules {
  from 10.80.0.0/16 table 80 priority 80
}
`;

const DAEMONS = {
  vipkeeper: (host: Host, text: string) => vipkeeper(host, text, '-P'),
  keepalived: (host: Host, text: string) => keepalived(host, text, '-P', '-G'),
};

/** What the kernel has of a host's routes and rules, without what it made itself. */
function tables(host: Host): string[] {
  const show = (...words: string[]): string[] => run(['ip', '-n', host.name, '-d', ...words]).split('\n');
  return ['-4', '-6']
    .flatMap((family) => [...show(family, 'route', 'show', 'table', 'all'), ...show(family, 'rule', 'show')])
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/proto (kernel|ra)|from all lookup (local|main|default)/.test(line));
}

for (const [better, lesser] of [
  ['vipkeeper', 'keepalived'],
  ['keepalived', 'vipkeeper'],
] as const) {
  const test = suite(`routes and rules: ${better} before ${lesser}`);
  let scene: Scene | undefined;
  test.after(() => scene?.close());
  test('whichever is master, the tables look the same', async () => {
    const stage = new Scene();
    scene = stage;
    const lan = stage.link('lan');
    const [first, second] = [1, 2].map((n) =>
      stage.host(`host${n}`).on(lan, `10.0.0.${n}/24`, `fd00::${n}/64`),
    );
    assert.ok(first !== undefined && second !== undefined);
    const settled = async (what: string, holder: Host, other: Host): Promise<string[]> => {
      let before = '';
      // keepalived adds one after the other: until nothing is added any more.
      await stage.until(what, () => {
        const now = [holder, other].map((host) => tables(host).join('\n')).join('\n\n');
        const same = now === before;
        before = now;
        return same && holder.has(VIP) && !other.has(VIP) && tables(holder).length > 10;
      });
      return tables(holder);
    };
    DAEMONS[lesser](second, configuration(100));
    const lone = await settled('the lesser one is alone', second, first);
    const program = DAEMONS[better](first, configuration(150));
    const taken = await settled('the better one takes over', first, second);
    assert.equal(taken, lone);
    assert.equal(lone.filter((line) => line.includes('10.80.0.0/16')).length, 2, 'with the static ones');
    for (const line of ROUTES) {
      const [destination = ''] = line.match(/\S+\/\d+|default/) ?? [];
      assert.ok(
        lone.some((shown) => shown.includes(destination)),
        `${line} is there`,
      );
    }
    for (const line of RULES) {
      const [, priority = '16384'] = line.match(/(?:priority|preference|order) (\d+)/) ?? [];
      assert.ok(
        lone.some((shown) => shown.startsWith(`${priority}:`)),
        `${line} is there`,
      );
    }
    assert.equal(
      tables(second).filter((line) => !line.includes('10.80.0.0/16')),
      [],
      'the other one has none',
    );
    await program.stop();
    assert.equal(tables(first), [], 'nor has one that ended');
    assert.equal(await settled('the lesser one takes over again', second, first), lone);
  });
  test.run();
}
