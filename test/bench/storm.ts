import { file } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { clock, type Milliseconds, type Observations } from '../lab/scene/observation.ts';
import { pause } from '../lab/scene/scene.ts';
import { INTERFACE, vip } from './configuration.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import type { Section, Target } from './result.ts';
import { percentile } from './statistics.ts';

const ROUTERS = 1000;
const ADDRESSES_EACH = 4;
/** As many VRIDs as a segment has room for, in round figures. */
const ROUTERS_OF_SEGMENT = 250;
const SEGMENTS = ROUTERS / ROUTERS_OF_SEGMENT;
/** The second burst of announcements (`garp_master_delay` 5 s) of a thousand routers is over then. */
const SETTLED_MILLISECONDS = 12_000;
/** What the storm left to do is done. */
const AFTERMATH_MILLISECONDS = 2000;

/** Longest silence of a router against keepalived's, on the same machine in the same minute. */
const QUIET_AS_KEEPALIVED: Target = {
  text: '< 1.2 x',
  met: (vipkeeper, keepalived) => vipkeeper < 1.2 * keepalived,
};

/** What happens around a director that does not concern its adverts. */
interface Weather {
  readonly name: string;
  /** The program that makes it, from beginning to end, and where: at the master unless said. */
  readonly program: (host: Host) => readonly string[];
  readonly from?: 'master' | 'backup';
}

/** Commands of ip(8), in order. */
const batch =
  (lines: () => string[]) =>
  (host: Host): string[] => ['ip', '-batch', file(host, 'storm.batch', `${lines().join('\n')}\n`)];

/** An interface that no router uses. */
const FAR = ['link add storm type veth peer name mrots', 'link set storm up', 'link set mrots up'];

const LINKS: Weather = {
  name: '200 veth pairs made and removed',
  program: batch(() => [
    ...times(200, (n) => `link add storm${n} type veth peer name mrots${n}`),
    ...times(200, (n) => `link del storm${n}`),
  ]),
};
const ADDRESSES: Weather = {
  name: '4,000 addresses added and removed elsewhere',
  program: batch(() => [
    ...FAR,
    ...times(4000, (n) => `address add 172.16.${n >> 8}.${n & 255}/32 dev storm`),
    ...times(4000, (n) => `address del 172.16.${n >> 8}.${n & 255}/32 dev storm`),
    'link del storm',
  ]),
};
const ROUTES: Weather = {
  name: '2,000 routes added and removed elsewhere',
  program: batch(() => [
    ...FAR,
    'address add 172.16.0.1/16 dev storm',
    ...times(2000, (n) => `route add 172.20.${n >> 8}.${n & 255}/32 via 172.16.0.2`),
    ...times(2000, (n) => `route del 172.20.${n >> 8}.${n & 255}/32`),
    'link del storm',
  ]),
};
/** A neighbour that goes up and down with each packet: BFD control packets (RFC 5880, 4.1) of 24 bytes. */
const BFD: Weather = {
  name: '500 BFD packets a second',
  from: 'backup',
  program: () => [
    process.execPath,
    '-e',
    `const socket = require('node:dgram').createSocket('udp4');
     socket.bind(50000, () => {
       socket.setTTL(255);
       let left = 2000;
       const timer = setInterval(() => {
         for (let i = 0; i < 5; i++) {
           const state = left-- % 2 === 0 ? 1 : 3;
           const packet = Buffer.from([0x20, state << 6, 3, 24, 0, 0, 0, 7, ...Array(4).fill(0),
             ...[0, 1, 0, 0], ...[0, 1, 0, 0], ...Array(4).fill(0)]);
           socket.send(packet, 3784, '10.0.0.1');
         }
         if (left <= 0) { clearInterval(timer); setTimeout(() => socket.close(), 50); }
       }, 10);
     });`,
  ],
};
const times = (count: number, line: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => line(n));

/** Whether news of the kernel that concerns no virtual router keeps them from advertising. */
export const storm: Benchmark = {
  name: 'storm',
  about: `adverts of ${ROUTERS} instances while interfaces, addresses and routes come and go`,
  run: async (bench) => {
    bench.stage.widen(SEGMENTS);
    const sections: Section[] = [];
    for (const weather of [LINKS, ADDRESSES, ROUTES, BFD]) sections.push(await under(bench, weather));
    return sections;
  },
};

function under(bench: Bench, { name, program, from = 'master' }: Weather): Promise<Section> {
  const { stage, effort } = bench;
  const rounds = effort.quick ? 1 : 3;
  return measure(bench, {
    title: `${ROUTERS} instances with ${ADDRESSES_EACH} addresses each, VRRPv2, advert 1 s; ${name}`,
    note: `gaps between the adverts of an instance, as fast as the storm can blow; n = ${rounds}`,
    columns: [
      { label: 'longest advert gap', unit: 'ms', target: QUIET_AS_KEEPALIVED },
      { label: 'advert gap, p99', unit: 'ms' },
      { label: 'longest advert gap before', unit: 'ms' },
      { label: 'addresses that left', unit: '' },
      { label: 'duration of the storm', unit: 'ms' },
    ],
    rounds,
    once: async (daemon) => {
      const { master, backup } = stage;
      await stage.forget();
      master.run(daemon, configurationOf());
      await stage.until(
        'the master has the virtual addresses',
        async () => (await master.watcher.summary()).held >= ROUTERS * ADDRESSES_EACH,
        90,
      );
      await pause(SETTLED_MILLISECONDS);
      await stage.forget();
      await pause(5000);
      const calm = gapsOf(await backup.watcher.observations(), clock());
      await stage.forget();
      await pause(1500);
      const duration = await blow(stage[from].host, program);
      await pause(AFTERMATH_MILLISECONDS);
      const gaps = gapsOf(await backup.watcher.observations(), clock());
      const { changes } = await master.watcher.observations();
      return {
        'longest advert gap': Math.max(...gaps),
        'advert gap, p99': percentile(gaps, 0.99),
        'longest advert gap before': Math.max(...calm),
        'addresses that left': changes.filter(({ present, address }) => !present && address.startsWith('10.'))
          .length,
        'duration of the storm': duration,
      };
    },
  });
}

/** Runs the commands in the host; how long that took, ms. */
async function blow(host: Host, program: Weather['program']): Promise<number> {
  const argv = program(host);
  const began = performance.now();
  const running = host.start('storm', argv);
  while (running.running) await pause(20);
  if (running.log.trim() !== '') throw new Error(`the storm: ${running.log.trim().split('\n')[0]}`);
  return performance.now() - began;
}

/** Between the adverts of each instance, told apart by where they come from, and from the last one until `end`. */
function gapsOf({ adverts }: Observations, end: Milliseconds): number[] {
  const last = new Map<string, number>();
  const gaps: number[] = [];
  for (const { source, vrid, at } of adverts) {
    const key = `${source} ${vrid}`;
    const before = last.get(key);
    if (before !== undefined) gaps.push(at - before);
    last.set(key, at);
  }
  for (const at of last.values()) gaps.push(end - at);
  if (last.size !== ROUTERS) throw new Error(`${last.size} of ${ROUTERS} instances advertise`);
  return gaps;
}

function configurationOf(): string {
  const instances = times(ROUTERS, (n) => {
    const segment = Math.floor(n / ROUTERS_OF_SEGMENT);
    const device = segment === 0 ? INTERFACE : `${INTERFACE}${segment}`;
    const addresses = times(ADDRESSES_EACH, (i) => `${vip(n * ADDRESSES_EACH + i)}/32 dev ${device}`);
    return `vrrp_instance storm${n} {
  state MASTER
  interface ${device}
  virtual_router_id ${(n % ROUTERS_OF_SEGMENT) + 1}
  priority 200
  advert_int 1
  virtual_ipaddress {
    ${addresses.join('\n    ')}
  }
}
`;
  });
  const neighbour = 'bfd_instance beside {\n  neighbor_ip 10.0.0.2\n  min_rx 100\n  min_tx 100\n}\n';
  return ['global_defs {\n  router_id storm\n  vrrp_version 2\n}\n', neighbour, ...instances].join('');
}
