import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import type { BalancerStatus, ServerStatus, ServiceStatus } from '../../../src/core/serving/balancer.ts';
import type { DaemonStatus } from '../../../src/core/status/facts.ts';
import { type Seen, statusReport } from '../../../src/core/status/report.ts';
import { verdict, verdictLine } from '../../../src/core/status/verdict.ts';
import { instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { daemonStatus, routerSetup, routerStatus, SEEN, vrrpFacts } from './facts.ts';

const test = suite('the verdict for monitoring');

const judged = (part: Partial<DaemonStatus>, seen: Partial<Seen> = {}): string => {
  const report = statusReport(daemonStatus(part), { ...SEEN, ...seen });
  return verdictLine(verdict(report), report);
};
const router = (part: Parameters<typeof routerStatus>[0] = {}): Partial<DaemonStatus> => ({
  routers: [routerSetup()],
  vrrp: vrrpFacts(routerStatus(part)),
});
const server = (name: string, part: Partial<ServerStatus> = {}): ServerStatus => ({
  ...{ name, up: true, weight: 1, cause: 'checked', kept: false, connections: { active: 3, inactive: 1 } },
  ...part,
});
const serving = (
  servers: readonly ServerStatus[],
  part: Partial<ServiceStatus> = {},
): Partial<DaemonStatus> => {
  const service: ServiceStatus = {
    ...{ name: 'tcp 10.0.0.100:80', endpoints: ['tcp 10.0.0.100:80'], quorum: true, sorry: false },
    ...{ sound: true, aliveWeight: 2, suspended: false, servers },
    ...part,
  };
  const check: BalancerStatus = {
    ...{ services: [service], settled: true, problems: [], foreign: [], foreignCount: 0, detailed: true },
  };
  return { check };
};

test('all is well: who is what, in one line with performance data', () => {
  assert.is(
    judged({ ...router(), ...serving([server('10.0.1.1:80'), server('10.0.1.2:80')]) }),
    'VIPKEEPER OK - VI_1 MASTER; 2 real servers up | routers=1 masters=1 servers=2 servers_up=2 connections=6',
  );
  assert.is(judged(router({ state: 'BACKUP' })), 'VIPKEEPER OK - VI_1 BACKUP | routers=1 masters=0');
  const drained = server('10.0.1.2:80', { drain: { phase: 'drained', by: 'operator' } });
  assert.match(
    judged(serving([server('10.0.1.1:80'), drained])),
    /OK - 2 real servers up, 1 of them drained/,
  );
});

test('many routers are counted by their states', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const line = judged({
    routers: names.map((name) => routerSetup({ name })),
    vrrp: vrrpFacts(...names.map((name, i) => routerStatus({ name, state: i < 4 ? 'MASTER' : 'BACKUP' }))),
  });
  assert.match(line, 'OK - 4 MASTER, 2 BACKUP |');
});

test('a router that can not serve is critical, and in maintenance it is as ordered', () => {
  const fault = router({ state: 'FAULT', cause: 'eth0 is down', faults: ['eth0 is down'] });
  assert.match(judged(fault), 'CRITICAL - VI_1 is in FAULT: eth0 is down |');
  assert.match(judged({ ...fault, maintenance: true }), 'WARNING - maintenance:');
  assert.match(judged(router({ state: 'INIT' })), 'WARNING - VI_1 has not begun');
});

test('two masters are critical, whichever of them asks', () => {
  const other = {
    address: ip('10.0.0.2'),
    why: 'password differs',
    since: instant(0),
    heard: instant(3599e6),
  };
  const claimed = judged(router({ otherMasters: [other] }));
  assert.match(claimed, 'CRITICAL - 10.0.0.2 also claims VI_1 (password differs) |');
});

test('a master whose address the kernel does not have is critical; a backup without is not', () => {
  const present = new Set(['eth0 192.0.2.1']);
  assert.match(
    judged(router(), { present }),
    'CRITICAL - VI_1 is master, and the kernel does not have 10.0.0.100/24',
  );
  assert.match(judged(router(), { present: new Set(['eth0 10.0.0.100']) }), 'OK');
  assert.match(judged(router(), { present: new Set(['eth1 10.0.0.100']) }), 'CRITICAL');
  assert.match(judged(router({ state: 'BACKUP' }), { present }), 'OK');
});

test('processes that are silent or wait are critical, in the time that each may be silent', () => {
  const process = (role: string, quiet: number, pid: number | undefined = 7): Partial<DaemonStatus> => ({
    processes: [{ role, pid, restarts: 0, heard: instant(3600e6 - quiet * 1e6) }],
  });
  assert.match(judged(process('vrrp', 2)), 'OK');
  assert.match(judged(process('vrrp', 4)), 'CRITICAL - the vrrp process says nothing for 4 s');
  assert.match(judged(process('check', 5)), 'OK');
  assert.match(judged(process('check', 7)), 'CRITICAL - the check process says nothing for 7 s');
  const waits = [{ role: 'check', pid: undefined, restarts: 3 }];
  assert.match(judged({ processes: waits }), 'CRITICAL - the check process waits for its restart');
});

test('servers that are down are a warning, a lost quorum is critical, the gravest comes first', () => {
  const down = server('10.0.1.2:80', { up: false, cause: 'refused' });
  const half = serving([server('10.0.1.1:80'), down]);
  assert.match(judged(half), 'WARNING - tcp 10.0.0.100:80: 1 of 2 down: 10.0.1.2:80 |');
  const lost = serving([down], { quorum: false, sorry: true });
  assert.match(
    judged(lost),
    'CRITICAL - tcp 10.0.0.100:80 has no quorum, its sorry server serves, down: 10.0.1.2:80',
  );
  assert.match(judged({ ...lost, maintenance: true }), /CRITICAL - tcp .*; maintenance:/);
  assert.match(judged(serving([down], { quorum: false, suspended: true })), 'OK');
  const check = { ...half.check, problems: ['no | such\nscheduler'] } as BalancerStatus;
  assert.match(judged({ check }), '- no / such scheduler;');
});

test.run();
