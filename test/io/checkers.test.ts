import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type {
  CheckTiming,
  Connection,
  HttpCheck,
  HttpRequest,
  ProbedCheck,
} from '../../src/core/check/settings.ts';
import type { CheckResult } from '../../src/core/check/verdict.ts';
import { ip } from '../../src/core/ip.ts';
import { micros, millis, seconds } from '../../src/core/time.ts';
import { startProbe } from '../../src/io/probes.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ip as iproute } from './namespace.ts';
import {
  newFolder,
  type RealServer,
  startApache,
  startDnsmasq,
  startExim,
  stopServers,
} from './real-servers.ts';

/** Each kind of checker against a real server of its kind: good, a failure, good again. */
enterNamespace();
const test = suite('checkers and real servers');
test.after(stopServers);

const timing: CheckTiming = {
  period: seconds(60),
  warmup: micros(0),
  retries: 0,
  retryDelay: seconds(1),
  alpha: false,
};
const at = (port: number, more: Partial<Connection> = {}): Connection & CheckTiming => ({
  ...timing,
  address: ip('127.0.0.1'),
  port,
  timeout: seconds(10),
  ...more,
});
const look = (check: ProbedCheck, part = 0): Promise<CheckResult> =>
  new Promise((resolve) => startProbe(check, part, resolve));
const words = async (check: ProbedCheck, part = 0): Promise<string> => {
  const { verdict, reason } = await look(check, part);
  return `${verdict}: ${reason}`;
};

const HTTP_PORT = 8080;
const page = (path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  path,
  statuses: [{ first: 200, last: 299 }],
  compliant: false,
  ...more,
});
const http = (request: HttpRequest, more: Partial<HttpCheck> = {}): HttpCheck => ({
  kind: 'http',
  ...at(HTTP_PORT),
  version: '1.1',
  requests: [request],
  fastRecovery: false,
  ...more,
});
const https = (more: Partial<NonNullable<HttpCheck['tls']>> = {}, request = page('/index.html')): HttpCheck =>
  http(request, { port: HTTP_PORT + 1, tls: { sni: false, verify: false, ...more } });

let apache: RealServer & { readonly cert: string };
const write = (file: string, text: string): void => writeFileSync(join(apache.folder, file), text);

test('HTTP_GET with apache2: status, virtual host, digest, pattern, redirects', async () => {
  apache = await startApache(HTTP_PORT, 'web.example');
  write('www/index.html', 'hello world\n');
  write('www2/index.html', 'the second\n');
  assert.is(await words(http(page('/index.html'))), 'good: status 200');
  assert.is(await words(http(page('/missing'))), 'bad: status 404');
  assert.is(
    await words(http(page('/missing', { statuses: [{ first: 404, last: 404 }] }))),
    'good: status 404',
  );
  assert.is(await words(http(page('/round'))), 'bad: status 302 (redirects are not followed)');
  const second = { body: { pattern: 'the\\s+SECOND$', options: ['caseless'], inverse: false, from: 0 } };
  assert.is(
    await words(http(page('/index.html', { ...second, host: 'second.example' }))),
    'good: status 200',
  );
  assert.match(
    await words(http(page('/index.html', second))),
    /^bad: status 200, but the response does not match/,
  );
  const digest = execFileSync('genhash', ['-s', '127.0.0.1', '-p', String(HTTP_PORT), '-u', '/index.html'])
    .toString()
    .trim();
  assert.is(digest, createHash('md5').update('hello world\n').digest('hex'));
  for (const version of ['1.0', '1.0C', '1.1'] as const) {
    assert.is(await words(http(page('/index.html', { digest }), { version })), 'good: status 200');
  }
  write('www/index.html', 'hacked\n');
  assert.match(
    await words(http(page('/index.html', { digest }))),
    /^bad: status 200, but the body's MD5 is [0-9a-f]{32}$/,
  );
  write('www/index.html', 'hello world\n');
  assert.is(await words(http(page('/index.html', { digest }))), 'good: status 200');
});

test('genhash says what keepalived says', () => {
  const own = join(import.meta.dirname, '../../../bin/vipkeeper');
  for (const [port, more] of [
    [HTTP_PORT, []],
    [HTTP_PORT, ['-V', 'second.example', '-P', '1.1']],
    [HTTP_PORT + 1, ['-S']],
  ] as const) {
    const options = ['-s', '127.0.0.1', '-p', String(port), '-u', '/index.html', ...more];
    const [ours, theirs] = [
      execFileSync(own, ['genhash', ...options], { encoding: 'utf8' }),
      execFileSync('genhash', options, { encoding: 'utf8' }),
    ];
    assert.is(ours, theirs);
  }
});

test('SSL_GET with apache2: nothing is verified unless tls_verify says so', async () => {
  assert.is(await words(https()), 'good: status 200');
  assert.is(await words(https({ sni: true, name: 'web.example' })), 'good: status 200');
  assert.is(await words(https({ verify: true })), 'bad: TLS: self-signed certificate');
  const trusted = { verify: true, ca: apache.cert };
  assert.is(await words(https({ ...trusted, name: 'web.example' })), 'good: status 200');
  assert.is(await words(https(trusted, page('/index.html', { host: 'web.example' }))), 'good: status 200');
  assert.match(
    await words(https({ ...trusted, name: 'other.example' })),
    /^bad: TLS: Host: other\.example\. is not in the cert/,
  );
  assert.is(await words(https({}, page('/index.html', { compliant: true }))), 'good: status 200');
  assert.match(await words(https({ ca: '/nonexistent' })), /^unknown: cannot use TLS: ENOENT/);
  assert.is(
    await words(http(page('/index.html'), { tls: { sni: false, verify: false } })),
    'bad: TLS: wrong version number',
  );
});

test('a web server that is gone, and back', async () => {
  await apache.stop();
  assert.is(await words(http(page('/index.html'))), 'bad: connection refused');
  assert.is(await words(https()), 'bad: connection refused');
  apache = await startApache(HTTP_PORT, 'web.example');
  write('www/index.html', 'hello world\n');
  assert.is(await words(http(page('/index.html'))), 'good: status 200');
});

/** For servers that do not answer: nothing but the limit ends it. */
const SOON: Partial<Connection> = { timeout: millis(500) };

test('SMTP_CHECK with exim4: a name that it does not want, a dead server, and back', async () => {
  const smtp = (helo: string): ProbedCheck => ({ kind: 'smtp', ...at(2525), helo });
  const server = await startExim(2525);
  assert.is(await words(smtp('director.example')), 'good: answers HELO');
  assert.is(await words(smtp('unwanted.example')), 'bad: answer to HELO "550 go away"');
  await server.stop();
  assert.is(await words(smtp('director.example')), 'bad: connection refused');
  await startExim(2525);
  assert.is(await words(smtp('director.example')), 'good: answers HELO');
});

test('DNS_CHECK with dnsmasq: an answer, a refusal, silence, nobody', async () => {
  const dns = (name: string, record = 'A', more: Partial<Connection> = {}): ProbedCheck => ({
    kind: 'dns',
    ...at(5300, more),
    name,
    record,
  });
  const server = await startDnsmasq(5300);
  assert.is(await words(dns('good.example')), 'good: answered');
  assert.is(await words(dns('.', 'SOA')), 'bad: REFUSED: it refuses to answer');
  server.process.kill('SIGSTOP');
  assert.is(await words(dns('good.example', 'A', SOON)), 'bad: no answer within 0.5 s');
  server.process.kill('SIGCONT');
  assert.is(await words(dns('good.example')), 'good: answered');
  await server.stop();
  assert.is(await words(dns('good.example')), 'bad: connection refused');
});

test('UDP_CHECK with dnsmasq: an ICMP error, a reply as expected, another one, none', async () => {
  const query = 'abcd01000001000000000000' + '04676f6f64076578616d706c6500' + '00010001';
  const udp = (
    reply?: { pattern?: string; least: number; most: number },
    more: Partial<Connection> = {},
  ): ProbedCheck => ({
    kind: 'udp',
    ...at(5300, more),
    payload: query,
    ...(reply === undefined ? {} : { reply }),
  });
  assert.is(await words(udp()), 'bad: connection refused');
  const server = await startDnsmasq(5300);
  assert.is(await words(udp()), 'good: answered');
  assert.is(await words(udp({ least: 0, most: 255 })), 'good: answered');
  assert.is(await words(udp({ pattern: 'abcd8xxx', least: 12, most: 255 })), 'good: answered as expected');
  assert.match(
    await words(udp({ pattern: 'abce', least: 0, most: 255 })),
    /^bad: the reply begins with abcd, which is not/,
  );
  assert.match(
    await words(udp({ pattern: 'abcd', least: 0, most: 20 })),
    /^bad: a reply of more than 20 bytes/,
  );
  assert.match(await words(udp({ pattern: 'abcd', least: 200, most: 255 })), /shorter than 200$/);
  server.process.kill('SIGSTOP');
  assert.is(await words(udp({ least: 0, most: 255 }, SOON)), 'bad: no reply within 0.5 s');
  assert.is(await words(udp(undefined, SOON)), 'good: no ICMP error');
});

test('PING_CHECK through the kernel, with ping sockets and raw ones', async () => {
  const ping = (address: string, more: Partial<Connection> = {}): ProbedCheck => ({
    kind: 'ping',
    ...at(0, { address: ip(address), ...more }),
  });
  for (const groups of ['1 0', '0 2147483647']) {
    writeFileSync('/proc/sys/net/ipv4/ping_group_range', groups);
    for (const address of ['127.0.0.1', '::1'])
      assert.is(await words(ping(address)), 'good: answered', `${address} ${groups}`);
    assert.is(await words(ping('192.0.2.1')), 'bad: network unreachable');
    writeFileSync('/proc/sys/net/ipv4/icmp_echo_ignore_all', '1');
    assert.is(await words(ping('127.0.0.1', SOON)), 'bad: no answer within 0.5 s');
    writeFileSync('/proc/sys/net/ipv4/icmp_echo_ignore_all', '0');
  }
});

test('MISC_CHECK: statuses, weights, a missing program, somebody else', async () => {
  const misc = (script: string, more: object = {}): ProbedCheck => ({
    kind: 'misc',
    ...timing,
    command: ['sh', '-c', script],
    timeout: seconds(10),
    dynamic: false,
    ...more,
  });
  assert.is(await words(misc('exit 0')), 'good: exit status 0');
  assert.is(await words(misc('exit 3')), 'bad: exit status 3');
  assert.equal(await look(misc('exit 12', { dynamic: true })), {
    verdict: 'good',
    reason: 'exit status 12',
    weight: 10,
  });
  assert.is(await words(misc('exit 1', { dynamic: true })), 'bad: exit status 1');
  assert.is(await words(misc('kill -9 $$')), 'bad: was ended by SIGKILL');
  assert.is(
    await words(misc('', { command: ['/nonexistent'] })),
    'bad: cannot be run: there is no such program, or the one that its #! line names (ENOENT)',
  );
  assert.is(
    await words(misc('', { command: ['/etc/passwd'] })),
    'bad: cannot be run: it is not executable (EACCES)',
  );
  assert.is(
    await words(misc('exit 0', { user: { missing: ['x'] } })),
    'bad: cannot be run: there is no user x',
  );
  assert.is(
    await words(misc('test $(id -u) = 65534', { user: { uid: 65_534, gid: 65_534 } })),
    'good: exit status 0',
  );
});

test('a program that is not there is bad whatever starts it, also where statuses are weights', async () => {
  const folder = newFolder('no-script');
  const noInterpreter = join(folder, 'no-interpreter');
  const notHis = join(folder, 'not-his');
  writeFileSync(noInterpreter, '#!/nonexistent\n', { mode: 0o755 });
  writeFileSync(notHis, '#!/bin/sh\n', { mode: 0o700 });
  const run = (command: string, uid = 0): Promise<string> => {
    const user = { user: { uid, gid: uid } };
    return words({
      kind: 'misc',
      ...timing,
      command: [command],
      timeout: seconds(10),
      dynamic: true,
      ...user,
    });
  };
  // As under the unit, which saves the daemon from the OOM killer, and not its scripts.
  writeFileSync('/proc/self/oom_score_adj', '300');
  try {
    for (const missing of ['/nonexistent', 'no-such-program', noInterpreter])
      assert.match(await run(missing), /^bad: cannot be run: there is no such program/, missing);
    assert.match(await run('/etc/passwd'), /^bad: cannot be run: it is not executable/);
    assert.match(await run(notHis, 65_534), /^bad: cannot be run: it is not executable/);
    assert.is(await run(notHis), 'good: exit status 0');
    assert.is(await run('true', 65_534), 'good: exit status 0');
  } finally {
    writeFileSync('/proc/self/oom_score_adj', '0');
  }
});

test('a script that cannot be started for want of descriptors says nothing of the server', async () => {
  const open: number[] = [];
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:']);
  try {
    for (;;) open.push(openSync('/dev/null', 'r'));
  } catch {
    const check = {
      kind: 'misc',
      ...timing,
      command: ['true'],
      timeout: seconds(10),
      dynamic: false,
    } as const;
    const result = await look(check);
    assert.is(result.verdict, 'unknown', result.reason);
    assert.match(result.reason, /too many open files.*EMFILE/);
  } finally {
    for (const fd of open) closeSync(fd);
    execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=1024:']);
  }
});

test('a check script that hangs, forks or floods is killed with its group', async () => {
  const folder = newFolder('script');
  const pids = join(folder, 'pids');
  const script = [
    "trap '' TERM",
    `(trap '' TERM; echo $$ >> ${pids}; exec sleep 1000) & echo $! >> ${pids}`,
    `yes & echo $! >> ${pids}`,
    'wait',
  ].join('\n');
  let started: number[] = [];
  // On a busy machine the script may need longer to start all of its processes.
  for (let limit = 0.5; started.length < 3; limit *= 2) {
    writeFileSync(pids, '');
    const check: ProbedCheck = {
      kind: 'misc',
      ...timing,
      command: ['sh', '-c', script],
      timeout: millis(limit * 1000),
      dynamic: false,
    };
    assert.is(await words(check), `bad: took longer than ${limit} s`);
    started = readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number);
  }
  for (const pid of started) await eventually(() => isGone(pid) || undefined, `process ${pid} is killed`);
});

const isGone = (pid: number): boolean =>
  !existsSync(`/proc/${pid}/stat`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

test('fwmark and bind_if are on the packets', async () => {
  const server = await startExim(2526);
  const smtp = (more: Partial<Connection>): ProbedCheck => ({
    kind: 'smtp',
    ...at(2526, more),
    helo: 'x.example',
  });
  iproute('rule add pref 20 lookup local');
  iproute('rule del pref 0');
  iproute('rule add pref 10 fwmark 77 prohibit');
  assert.is(await words(smtp({ mark: 77 })), 'bad: prohibited by a local route or firewall');
  assert.is(await words(smtp({ mark: 78 })), 'good: answers HELO');
  iproute('rule del pref 10');
  assert.is(await words(smtp({ mark: 77 })), 'good: answers HELO');
  assert.is(await words(smtp({ device: 'lo' })), 'good: answers HELO');
  assert.match(await words(smtp({ device: 'nosuch0' })), /^unknown: there is no interface of that name/);
  iproute('link add other0 type veth peer name other1');
  iproute('link set other0 up');
  assert.is((await look(smtp({ device: 'other0', timeout: millis(300) }))).verdict, 'bad');
  await server.stop();
});

test.run();
