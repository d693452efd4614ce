import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { tableOf } from './balance/tables.ts';
import { file, operator, pidOf, shows, statusOf, vipkeeper } from './scene/director.ts';
import type { Program } from './scene/program.ts';
import { pause } from './scene/scene.ts';
import { natStage, VIP } from './scene/stages.ts';
import { Client, ECHO_PORT, HTTP_PORT, realServer } from './scene/traffic.ts';

/**
 * What the table keeps: connections and counters through reloads, crashes and restarts of the daemon; what others made
 * in it; and what it drops: services that went out of the configuration while nobody looked.
 */
export const needs = 'kernel';

const AWAY = '10.0.0.200';
const BY_HAND = '-A -t 10.0.0.99:9 -s rr';
const story = suite('what the table keeps');
const { scene, director, user, servers } = natStage(2);
director.address('lan', `${VIP}/32`);
story.after(() => scene.close());

const real = (n: number, port: number, check = ''): string =>
  `real_server 192.168.1.${10 + n} ${port} {\n    ${check}\n  }`;
const CHECK = 'TCP_CHECK {\n connect_timeout 1\n retry 0\n delay_loop 1\n }';
const service = (header: string, ...lines: readonly string[]): string =>
  `virtual_server ${header} {\n  lb_algo rr\n  lb_kind NAT\n  protocol TCP\n  ${lines.join('\n  ')}\n}\n`;
const web = (...extra: readonly string[]): string =>
  service(`${VIP} ${ECHO_PORT}`, real(1, ECHO_PORT), real(2, ECHO_PORT), ...extra);
const page = service(`${VIP} ${HTTP_PORT}`, real(1, HTTP_PORT));
const away = service(`${AWAY} 80`, 'ha_suspend', 'warmup 0', real(9, 80, CHECK), real(1, HTTP_PORT, CHECK));

/** Lines of services, `-A ...`. */
const services = (): string[] => tableOf(director).filter((line) => line.startsWith('-A'));
const holds = (what: string, ...ports: readonly string[]): Promise<number> =>
  scene.until(
    what,
    () => services().join() === [BY_HAND, ...ports.map((at) => `-A -t ${at} -s rr`)].sort().join(),
  );
const ECHO = `${VIP}:${ECHO_PORT}`;
const PAGE = `${VIP}:${HTTP_PORT}`;

/** Connections that the kernel has counted for the echo service. */
function counted(): number {
  const line = director.run('ipvsadm', '-Ln', '--stats', '--exact', '-t', ECHO).match(/^TCP\s+\S+\s+(\d+)/m);
  return Number(line?.[1]);
}
const reload = (text: string): void => {
  file(director, 'vipkeeper.conf', text);
  daemon.signal('SIGHUP');
};

let daemon: Program;
let client: Client;

/** Every connection lives, and the counters have not begun anew. */
async function goesOn(): Promise<void> {
  const { open, broken, corrupt } = await client.everyConnectionAnswers();
  assert.equal([open, broken, corrupt], [8, 0, 0]);
  assert.is(counted(), 8);
}

story('a service made by hand stays, and the status shows it as foreign', async () => {
  for (const server of servers) await realServer(server);
  director.run('ipvsadm', '-A', '-t', '10.0.0.99:9', '-s', 'rr');
  daemon = vipkeeper(director, web() + page);
  await holds('ours beside it', ECHO, PAGE);
  client = await Client.start(user);
  await client.open(8, VIP);
  await scene.until('the status knows it', async () => (await statusOf(director))?.check?.foreignCount === 1);
  await shows(director, /Foreign services.*\n.*\n\s+tcp 10\.0\.0\.99:9\s+rr/);
  const { foreign } = JSON.parse(operator(director, 'status', '--json')).check;
  assert.equal(foreign, [{ name: 'tcp 10.0.0.99:9', scheduler: 'rr' }]);
});

story('a reload touches only what changed: connections and counters stay', async () => {
  reload(web());
  await holds('one service less', ECHO);
  reload(web('quorum 1', real(3, ECHO_PORT)) + page);
  await holds('one more', ECHO, PAGE);
  await scene.until('a third server', () => tableOf(director).some((line) => line.includes('192.168.1.13')));
  await goesOn();
});

story('what a reload drops while the check process is dead goes when it is back', async () => {
  const pid = pidOf(director, 'check');
  process.kill(pid, 'SIGKILL');
  reload(web());
  await holds('the dropped service is gone', ECHO);
  assert.match(daemon.log, 'the check process is gone');
  assert.is.not(pidOf(director, 'check'), pid);
  await goesOn();
});

story('killed whole and started with less, it adopts the table and drops what is not wanted', async () => {
  reload(web() + page);
  await holds('two services', ECHO, PAGE);
  director.kill();
  await scene.until('its processes are gone', () => director.processes().length === 0);
  assert.equal(services().length, 3, 'the table stays');
  daemon = vipkeeper(director, web());
  await holds('the dropped service is gone', ECHO);
  await goesOn();
});

story('a scheduler that the kernel has not: said with what to do, and the rest runs', async () => {
  reload(web() + page.replace('lb_algo rr', 'lb_algo twos'));
  const said = `cannot add service tcp ${PAGE} (twos): the kernel has no scheduler twos; try: modprobe ip_vs_twos`;
  await scene.until('the log says it', () => daemon.log.includes(said));
  assert.equal(services(), [BY_HAND, `-A -t ${ECHO} -s rr`].sort());
  await scene.until('the status, too', () => operator(director, 'status').includes(said));
  reload(web() + page);
  await holds('mended', ECHO, PAGE);
  await scene.until('nothing is wrong', async () => (await statusOf(director))?.check?.problems.length === 0);
  await goesOn();
});

story('ha_suspend: a dead server stays as long as the address is elsewhere', async () => {
  const dead = (): boolean => !tableOf(director).some((line) => line.includes('192.168.1.19:80'));
  reload(web() + away);
  await holds('the third service', ECHO, `${AWAY}:80`);
  await pause(3000);
  assert.not.ok(dead());
  await shows(director, /not checked: this director does not have its address/);
  director.address('lan', `${AWAY}/32`);
  await scene.until('it is found dead', dead);
  assert.not.match(operator(director, 'status'), /not checked:/);
});

story('a stop without release leaves the table, and the next start knows what is ours', async () => {
  director.kill('SIGKILL');
  await scene.until('its processes are gone', () => director.processes().length === 0);
  daemon = vipkeeper(director, web(), '-I');
  await holds('what went is gone', ECHO);
  assert.is(await daemon.stop(), 'exit status 0');
  assert.equal(services(), [BY_HAND, `-A -t ${ECHO} -s rr`].sort());
  daemon = vipkeeper(director, page);
  await holds('another service', PAGE);
});

story('lvs_flush and lvs_flush_on_stop: then also what others made goes', async () => {
  assert.is(await daemon.stop(), 'exit status 0');
  assert.equal(services(), [BY_HAND]);
  daemon = vipkeeper(director, `global_defs {\n  lvs_flush\n  lvs_flush_on_stop\n}\n${web()}`);
  await scene.until('ours alone', () => services().join() === `-A -t ${ECHO} -s rr`);
  director.run('ipvsadm', '-A', '-t', '10.0.0.99:9', '-s', 'rr');
  assert.is(await daemon.stop(), 'exit status 0');
  assert.equal(tableOf(director), []);
});

story.run();
