import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Console, figuresOf } from './handbook/console.ts';
import { modules } from './handbook/opening.ts';
import { Scene } from './scene/scene.ts';
import { VIP } from './scene/stages.ts';
import { Client, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * A handbook's LVS-TUN: the real servers are in another network, behind a router; one is reached through ipip, one
 * through gre, one through gue; they answer the user themselves.
 */
export const needs = 'kernel';

const story = suite('LVS-TUN');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const far = scene.link('far');
const PROTOCOL = { ipip: 4, gre: 47, udp: 17 } as const;
const GATEWAY = '10.0.0.254';
const host = scene.host('director').on(lan, '10.0.0.2/24').via(GATEWAY);
const user = scene.host('user').on(lan, '10.0.0.10/24').via(GATEWAY);
scene.host('router').on(lan, `${GATEWAY}/24`).on(far, '172.16.0.254/24').forwarding();
const servers = [1, 2, 3].map((n) => scene.host(`rs${n}`).on(far, `172.16.0.1${n}/24`).via('172.16.0.254'));

/** What is typed at each real server: the VIP on a tunnel's end, nobody told about it. */
const AT_THE_SERVERS = [
  `ip link set tunl0 up
   ip address add ${VIP}/32 dev tunl0`,
  `ip link add lvs type gre local 172.16.0.12 remote 0.0.0.0
   ip link set lvs up
   ip address add ${VIP}/32 dev lvs`,
  `ip fou add port 6080 gue
   ip link set tunl0 up
   ip address add ${VIP}/32 dev tunl0`,
];

story('one service through three kinds of tunnel', async () => {
  modules('ipip', 'ip_gre', 'fou');
  for (const [index, server] of servers.entries()) {
    const typed = `${AT_THE_SERVERS[index]}
      sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2`;
    server.run('sh', '-ec', typed);
    await realServer(server);
  }
  const director = await Console.at(host);
  await director.type(`
    ip address add ${VIP}/32 dev lan
    lvsadm -A -t ${VIP}:${HTTP_PORT} -s rr
    lvsadm -a -t ${VIP}:${HTTP_PORT} -r 172.16.0.11 -i
    lvsadm -a -t ${VIP}:${HTTP_PORT} -r 172.16.0.12 -i --tun-type gre
    lvsadm -a -t ${VIP}:${HTTP_PORT} -r 172.16.0.13 -i --tun-type gue --tun-port 6080
  `);
  const client = await Client.start(user);
  const tunnels = await far.capture();
  const pages: string[] = [];
  for (let n = 0; n < 6; n++) pages.push(await client.get(`http://${VIP}:${HTTP_PORT}/`));
  await tunnels.stop();
  assert.equal(pages.sort(), ['rs1', 'rs1', 'rs2', 'rs2', 'rs3', 'rs3']);

  // Each packet towards a server passed in its tunnel, and no answer came back through the director.
  const carried = tunnels.fields('ip.src == 10.0.0.2', 'ip.dst', 'ip.proto');
  const by = (protocol: number, server: string): number =>
    carried.filter(([to = '', kinds = '']) => to.startsWith(server) && kinds.startsWith(`${protocol}`))
      .length;
  const inTunnel = [
    by(PROTOCOL.ipip, '172.16.0.11'),
    by(PROTOCOL.gre, '172.16.0.12'),
    by(PROTOCOL.udp, '172.16.0.13'),
  ];
  assert.is(
    carried.length,
    inTunnel.reduce((sum, each) => sum + each),
  );
  const counts = (rows: string[]): number[][] =>
    figuresOf(rows)
      .slice(1)
      .map((row) => row.slice(0, 3));
  const expected = inTunnel.map((packets) => [2, packets, 0]);
  await director.shows('-L -n --stats --exact', counts, expected);
  assert.equal((await director.list('-L -n --tun-info')).slice(-3), [
    `-> 172.16.0.11:${HTTP_PORT} Tunnel ipip 1 0 2`,
    `-> 172.16.0.12:${HTTP_PORT} Tunnel gre:-c 1 0 2`,
    `-> 172.16.0.13:${HTTP_PORT} Tunnel gue:6080:-c 1 0 2`,
  ]);
});

story.run();
