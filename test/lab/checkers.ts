import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { PlacedServer } from '../../src/core/status/find.ts';
import { apacheCommand, dnsmasqCommand, eximCommand } from '../io/real-servers.ts';
import { suite } from '../suite.ts';
import { operator, pidOf, shows, vipkeeper } from './scene/director.ts';
import type { Program } from './scene/program.ts';
import { pause, Scene } from './scene/scene.ts';

/**
 * Every kind of checker with a real server of its kind, on the real IPVS: what fails leaves the table and comes
 * back, scripts and files set weights, and explain says why. TCP_CHECK has tcp-check.ts, BFD_CHECK its own story.
 */
export const needs = 'kernel';

const VIP = '10.0.0.100';
const SERVER = '192.168.1.11';
const story = suite('all checkers on the real IPVS');
const scene = new Scene();
story.after(() => scene.close());

const rack = scene.link('rack');
const director = scene.host('director').on(rack, '192.168.1.1/24', `${VIP}/32`);
const server = scene.host('rs1').on(rack, `${SERVER}/24`);
const folder = (name: string): string => {
  const path = join(scene.folder, name);
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o777);
  return path;
};
chmodSync(scene.folder, 0o755);
const [web, mail, names, own] = ['web', 'mail', 'names', 'own'].map(folder) as [
  string,
  string,
  string,
  string,
];
const [script, number] = [join(own, 'script'), join(own, 'number')];

/** A service with one real server on `port`, in the table as `VIP:port SERVER:port WEIGHT`. */
const service = (
  port: number,
  check: string,
  protocol = 'TCP',
  weight = 1,
): string => `virtual_server ${VIP} ${port} {
  delay_loop 1
  lb_algo rr
  lb_kind NAT
  protocol ${protocol}
  real_server ${SERVER} ${port} {
    weight ${weight}
    ${check}
  }
}`;
/** A busy machine may take its time. */
const common = 'connect_timeout 3\nretry 0\nwarmup 0';
const QUERY = `abcd01000001000000000000${'04676f6f64076578616d706c6500'}00010001`;
const KINDS: readonly (readonly [port: number, check: string, protocol?: string, weight?: number])[] = [
  [8080, `HTTP_GET {\n${common}\nurl {\npath /index.html\nregex hello\n}\n}`],
  [8081, `SSL_GET {\n${common}\nenable_sni\nurl {\npath /index.html\nvirtualhost web.example\n}\n}`],
  [2525, `SMTP_CHECK {\n${common}\nhelo_name director.example\n}`],
  [5300, `DNS_CHECK {\n${common}\ntype A\nname good.example\n}`, 'UDP'],
  [5301, `UDP_CHECK {\n${common}\nconnect_port 5300\npayload ${QUERY}\nrequire_reply abcd\n}`, 'UDP'],
  [7001, `PING_CHECK {\n${common}\n}`],
  [7002, `MISC_CHECK {\nretry 0\nwarmup 0\nmisc_path ${script}\nmisc_timeout 3\nmisc_dynamic\n}`, 'TCP', 5],
  [7003, 'FILE_CHECK {\ntrack_file number\nweight 2\n}', 'TCP', 5],
];
const configuration = [
  `global_defs {\nscript_user root\n}`,
  `track_file number {\nfile ${number}\n}`,
  ...KINDS.map(([port, check, protocol, weight]) => service(port, check, protocol, weight)),
].join('\n');

const PORTS = KINDS.map(([port]) => port);
/** The weights of the services' servers in the table; no entry for one that has none. */
function weights(): Record<number, number> {
  const rules = director.run('ipvsadm', '-Sn').split('\n');
  const found = rules.map((rule) => /^-a -\w \S+:(\d+) -r .*-w (\d+)/.exec(rule));
  return Object.fromEntries(found.flatMap((rule) => (rule ? [[Number(rule[1]), Number(rule[2])]] : [])));
}
const holds = (expected: Record<number, number>): Promise<number> =>
  scene.until(
    `the table holds ${JSON.stringify(expected)}`,
    () => JSON.stringify(weights()) === JSON.stringify(expected),
    60,
  );

const say = (status: number, before = ''): void => {
  writeFileSync(script, `#!/bin/sh\n${before}\nexit ${status}\n`, { mode: 0o755 });
};
const count = (value: number): void => writeFileSync(number, `${value}\n`);

let programs: Program[] = [];
let daemon: Program;
async function start(): Promise<void> {
  writeFileSync(join(web, 'www/index.html'), 'hello world\n');
  programs = [
    server.start('apache2', apache),
    server.start('exim4', eximCommand(mail, SERVER, 2525)),
    server.start('dnsmasq', dnsmasqCommand(names, SERVER, 5300)),
  ];
}
const apache = apacheCommand(web, SERVER, 8080, 'web.example');
const explain = (port: number): PlacedServer[] =>
  JSON.parse(operator(director, 'explain', `${SERVER}:${port}`, '--json')).servers as PlacedServer[];

story('all are good', async () => {
  say(0);
  count(0);
  await start();
  daemon = vipkeeper(director, configuration);
  await holds(Object.fromEntries(PORTS.map((port) => [port, port === 7002 || port === 7003 ? 5 : 1])));
});

story('what dies, says nothing or fails leaves the table', async () => {
  server.kill();
  server.sysctl({ 'net.ipv4.icmp_echo_ignore_all': 1 });
  say(1);
  count(-(2 ** 31));
  await holds({});
  // One that was killed in the middle of a check is refused in the next.
  const expected = [...Array.from({ length: 5 }, () => 'connection refused'), 'no answer within 3 s'];
  const reasons = (): unknown[] => PORTS.map((port) => explain(port)[0]?.cause.replace(/^.*: /, ''));
  const wanted = JSON.stringify([...expected, 'exit status 1', 'has -2147483648']);
  await scene.until(`explain says ${wanted}`, () => JSON.stringify(reasons()) === wanted);
  const [shown] = explain(8080);
  assert.is(shown?.checks?.[0]?.results.at(-1)?.verdict, 'bad');
  await shows(director, /192\.168\.1\.11:8080 of tcp 10\.0\.0\.100:8080: down for/, 'explain');
});

story('what recovers comes back, with the weights that script and file say', async () => {
  for (const program of programs) assert.not(program.running);
  await start();
  server.sysctl({ 'net.ipv4.icmp_echo_ignore_all': 0 });
  say(42);
  count(3);
  const expected = PORTS.map((port) => [port, port === 7002 ? 40 : port === 7003 ? 11 : 1]);
  await holds(Object.fromEntries(expected));
  assert.is(operator(director, 'explain'), 'all real servers are up\n');
});

/** Stops the check process for longer than its checks may take, with some under way, and then looks at the table. */
async function standStill(meanwhile: string): Promise<void> {
  const check = pidOf(director, 'check');
  const before = JSON.stringify(weights());
  // The servers' answers take so long that some checks are always under way.
  rack.impair(director, 'delay 400ms');
  say(42, 'sleep 0.4');
  await pause(3000);
  const downs = daemon.log.split('is down').length;
  process.kill(check, 'SIGSTOP');
  if (meanwhile !== '') rack.impair(director, meanwhile);
  await pause(5000);
  rack.impair(director, '');
  process.kill(check, 'SIGCONT');
  for (let look = 0; look < 40; look++) {
    assert.is(JSON.stringify(weights()), before, daemon.log);
    await pause(100);
  }
  assert.is(daemon.log.split('is down').length, downs);
  assert.match(daemon.log, /the check process stood still for \d+\.\d s/);
}

story('a check process that stood still reads the answers that wait, and takes nothing out', () =>
  standStill(''),
);

story('nor where the answers are lost, as in a machine that is paused', () => standStill('loss 100%'));

story.run();
