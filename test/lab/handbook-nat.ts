import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { compiled } from './engine/root.ts';
import { type Console, figuresOf } from './handbook/console.ts';
import { modules, open } from './handbook/opening.ts';
import { natStage, VIP, VIP6 } from './scene/stages.ts';
import { type Call, type Client, ECHO_PORT, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * A handbook's LVS-NAT: ports are mapped, over IPv4 and IPv6, the counters add up to what passed on the wire,
 * and passive FTP finds its way.
 */
export const needs = 'kernel';

const FTP = 21;
const story = suite('LVS-NAT');
const stage = natStage(2);
const { lan } = stage;
story.after(() => stage.scene.close());
let client: Client;
let director: Console;
story.before(async () => {
  ({ client, console: director } = await open(stage));
});

story('web and telnet, each on another port of the real servers', async () => {
  await director.type(`
    sysctl -qw net.ipv4.ip_forward=1
    ip address add ${VIP}/24 dev lan
    lvsadm -C
    lvsadm -A -t ${VIP}:80 -s rr
    lvsadm -a -t ${VIP}:80 -r 192.168.1.11:${HTTP_PORT} -m
    lvsadm -a -t ${VIP}:80 -r 192.168.1.12:${HTTP_PORT} -m
    lvsadm -A -t ${VIP}:telnet -s wlc
    lvsadm -a -t ${VIP}:telnet -r 192.168.1.11:${ECHO_PORT} -m -w 2
    lvsadm -a -t ${VIP}:telnet -r 192.168.1.12:${ECHO_PORT} -m
  `);
  const pages = [await client.get(`http://${VIP}/`), await client.get(`http://${VIP}/`)];
  assert.equal(pages.sort(), ['rs1', 'rs2']);
  const calls = [await client.dial(VIP, 23), await client.dial(VIP, 23), await client.dial(VIP, 23)];
  for (const call of calls) assert.is(await call.say('login'), 'login');
  assert.equal(await director.list(), [
    'IP Virtual Server version 1.2.1 (size=4096)',
    'Prot LocalAddress:Port Scheduler Flags',
    '-> RemoteAddress:Port Forward Weight ActiveConn InActConn',
    `TCP ${VIP}:23 wlc`,
    `-> 192.168.1.11:${ECHO_PORT} Masq 2 2 0`,
    `-> 192.168.1.12:${ECHO_PORT} Masq 1 1 0`,
    `TCP ${VIP}:80 rr`,
    `-> 192.168.1.11:${HTTP_PORT} Masq 1 0 1`,
    `-> 192.168.1.12:${HTTP_PORT} Masq 1 0 1`,
  ]);
  for (const call of calls) await call.hangUp();
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

story('the counters add up to the packets on the wire', async () => {
  await director.type(`
    lvsadm -A -t ${VIP}:24 -s rr
    lvsadm -a -t ${VIP}:24 -r 192.168.1.11:${ECHO_PORT} -m
    lvsadm -a -t ${VIP}:24 -r 192.168.1.12:${ECHO_PORT} -m
  `);
  const capture = await lan.capture();
  const calls: Call[] = [];
  for (let n = 0; n < 6; n++) calls.push(await client.dial(VIP, 24));
  for (const [n, call] of calls.entries()) {
    const text = 'x'.repeat(100 * n + 1);
    assert.is(await call.say(text), text);
  }
  for (const call of calls) await call.hangUp();
  await capture.stop();
  const packets = capture.fields(`ip.addr == ${VIP} && tcp.port == 24`, 'ip.dst', 'ip.len');
  const lengths = (towardsVip: boolean): number[] =>
    packets.filter(([to]) => (to === VIP) === towardsVip).map(([, length]) => Number(length));
  const [requests, replies] = [lengths(true), lengths(false)];
  const counted = [6, requests.length, replies.length, sum(requests), sum(replies)];
  const list = `-L -n --stats --exact -t ${VIP}:24`;
  const service = (rows: string[]): number[] | undefined => figuresOf(rows)[0];
  await director.shows(list, service, counted);
  const servers = (rows: string[]): number[] =>
    counted.map((_, column) =>
      sum(
        figuresOf(rows)
          .slice(1)
          .map((row) => row[column] ?? 0),
      ),
    );
  await director.shows(list, servers, counted);
  await director.type(`lvsadm -Z -t ${VIP}:24`);
  await director.shows(list, figuresOf, Array(3).fill([0, 0, 0, 0, 0]));
});

story('the same over IPv6', async () => {
  await director.type(`
    sysctl -qw net.ipv6.conf.all.forwarding=1
    ip address add ${VIP6}/64 dev lan nodad
    lvsadm -A -t [${VIP6}]:80 -s rr
    lvsadm -a -t [${VIP6}]:80 -r [fd01::11]:${HTTP_PORT} -m
    lvsadm -a -t [${VIP6}]:80 -r [fd01::12]:${HTTP_PORT} -m
  `);
  const pages = [await client.get(`http://[${VIP6}]/`), await client.get(`http://[${VIP6}]/`)];
  assert.equal(pages.sort(), ['rs1', 'rs2']);
  assert.ok((await director.list()).includes(`-> [fd01::11]:${HTTP_PORT} Masq 1 0 1`));
});

story('saved, cleared and restored, it serves again', async () => {
  const saved = await director.type('lvsadm -S -n');
  await director.type('lvsadm -C');
  assert.match(await client.get(`http://${VIP}/`), 'error');
  await director.type(saved.replace(/^/gm, 'lvsadm '));
  assert.is(await director.type('lvsadm -S -n'), saved);
  assert.match(await client.get(`http://${VIP}/`), /^rs[12]$/);
});

story('a second network of real servers behind the director', async () => {
  const cage = stage.scene.link('cage');
  stage.director.on(cage, '192.168.2.1/24');
  await realServer(stage.scene.host('rs3').on(cage, '192.168.2.11/24').via('192.168.2.1'));
  await director.type(`lvsadm -a -t ${VIP}:80 -r 192.168.2.11:${HTTP_PORT} -m`);
  const pages: string[] = [];
  for (let n = 0; n < 3; n++) pages.push(await client.get(`http://${VIP}/`));
  assert.equal(pages.sort(), ['rs1', 'rs2', 'rs3']);
});

story('passive FTP: the kernel tells the user the VIP instead of the real server', async () => {
  modules('ip_vs_ftp');
  const program = compiled('test/lab/programs/ftp-server.ts');
  const [server] = stage.servers;
  const ftp = server?.start('ftp', [process.execPath, program, 'rs1', `${FTP}`]);
  await stage.scene.until('it listens', () => ftp?.log.includes('listens') ?? false);
  // The kernel looks into connections to port 21 only.
  for (const port of [FTP, FTP + 1]) {
    await director.type(`
      lvsadm -A -t ${VIP}:${port} -s rr
      lvsadm -a -t ${VIP}:${port} -r 192.168.1.11:${FTP} -m
    `);
  }
  const where = async (port: number): Promise<number[]> => {
    const control = await client.dial(VIP, port);
    assert.is(control.server, '220 rs1');
    return (await control.say('PASV\r'))
      .replace(/^227 .*\(|\).*$/g, '')
      .split(',')
      .map(Number);
  };
  const [a, b, c, d, high = 0, low = 0] = await where(FTP);
  assert.is([a, b, c, d].join('.'), VIP);
  assert.is((await client.dial(VIP, high * 256 + low)).server, 'rs1');
  assert.is((await where(FTP + 1)).slice(0, 4).join('.'), '192.168.1.11');
});

story.run();
