import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { find, isNothing, narrowed, whyNothing } from '../../../src/core/status/find.ts';
import { type StatusReport, statusReport } from '../../../src/core/status/report.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import type { Decision } from '../../../src/core/vrrp/takeover.ts';
import { suite } from '../../suite.ts';
import { daemonStatus, routerSetup, routerStatus, SEEN, vrrpFacts } from './facts.ts';

const test = suite('the status as data');

/** A backup of eth0 with two addresses, and a service of one of them. */
function report(): StatusReport {
  const other = { address: '192.0.2.9/32', interface: 'wan0', advertised: false };
  const setup = routerSetup({ group: 'both', addresses: [...routerSetup().addresses, other] });
  const master = { address: ip('10.0.0.2'), priority: 150, interval: seconds(2), heard: instant(3599.5e6) };
  const vrrp = vrrpFacts(routerStatus({ state: 'BACKUP', priority: 90, master }));
  const until = instant(3610e6);
  const drain = { phase: 'draining', by: 'operator', connections: 2, until } as const;
  const servers = [
    { name: '10.0.1.1:80', up: true, weight: 1, cause: 'checked', kept: false, since: instant(0) },
    { name: '10.0.1.2:80', up: true, weight: 0, cause: 'checked', kept: false, drain },
  ];
  const service = (name: string, ...endpoints: string[]) => ({
    ...{
      name,
      endpoints,
      quorum: true,
      sorry: false,
      sound: true,
      aliveWeight: 1,
      suspended: false,
      servers,
    },
  });
  const services = [
    service('tcp 10.0.0.100:80', 'tcp 10.0.0.100:80'),
    service('group web tcp', 'tcp 10.0.0.7:443', 'tcp 10.0.0.8:443'),
    service('fwmark 7 inet', 'fwmark 7 inet'),
  ];
  const check = { services, settled: true, problems: [], foreign: [], foreignCount: 0, detailed: true };
  const present = new Set(['wan0 192.0.2.9', 'eth0 10.0.0.1']);
  const processes = [{ role: 'vrrp', pid: 7, restarts: 0, heard: instant(3590e6) }];
  const status = daemonStatus({ routers: [setup], vrrp, check, processes });
  return statusReport(status, { ...SEEN, present, stopped: () => true });
}

test('what takeover_policy decided has times of day; without it, it is null', () => {
  const decision: Decision = {
    ...{
      verdict: 'wait' as const,
      why: 'served on',
      evidence: [{ of: 'link', found: 'eth0 is up' }],
      times: 2,
    },
    ...{ first: instant(3590e6), last: instant(3591e6) },
  };
  const takeover = { policy: 'evidence', decisions: [decision] } as const;
  const of = (status: Parameters<typeof routerStatus>[0]) =>
    statusReport(daemonStatus({ routers: [routerSetup()], vrrp: vrrpFacts(routerStatus(status)) }), SEEN).vrrp
      ?.instances[0]?.takeover;
  const [first, last] = ['2026-01-01T00:59:50.000Z', '2026-01-01T00:59:51.000Z'];
  assert.equal(of({ takeover }), { policy: 'evidence', decisions: [{ ...decision, first, last }] });
  assert.is(of({}), null);
});

test('times are ISO 8601, durations are seconds', () => {
  const { schema, time, since, uptime, vrrp, check } = report();
  assert.equal(
    [schema, time, since, uptime],
    [1, '2026-01-01T01:00:00.000Z', '2026-01-01T00:00:00.000Z', 3600],
  );
  const [router] = vrrp?.instances ?? [];
  assert.is(router?.since, '2026-01-01T00:59:50.000Z');
  assert.is(router?.advertInterval, 1);
  const heard = '2026-01-01T00:59:59.500Z';
  assert.equal(router?.master, { address: '10.0.0.2', priority: 150, interval: 2, heard });
  assert.is(check?.services[0]?.servers[0]?.since, '2026-01-01T00:00:00.000Z');
  assert.is(check?.services[0]?.servers[1]?.drain?.until, '2026-01-01T01:00:10.000Z');
});

test('a router has its settings, and says which addresses the kernel has', () => {
  const [router] = report().vrrp?.instances ?? [];
  const { interface: device, vrid, version, group, priority, configuredPriority } = router ?? {};
  assert.equal(
    [device, vrid, version, group, priority, configuredPriority],
    ['eth0', 51, 2, 'both', 90, 100],
  );
  assert.equal(router?.addresses, [
    { address: '10.0.0.100/24', interface: 'eth0', advertised: true, present: false },
    { address: '192.0.2.9/32', interface: 'wan0', advertised: false, present: true },
  ]);
});

test('a process that has been silent for too long', () => {
  assert.equal(report().processes, [
    { role: 'vrrp', pid: 7, restarts: 0, silent: 10, stopped: true, dropped: 0, refused: 0 },
  ]);
});

test('what a word names', () => {
  const names = (word: string): string[] => {
    const { routers, services, servers } = find(report(), word);
    return [...routers, ...services, ...servers].map(({ name }) => name);
  };
  assert.equal(names('VI_1'), ['VI_1']);
  assert.equal(
    names('10.0.0.100'),
    ['VI_1', 'tcp 10.0.0.100:80'],
    'the router and the service of an address',
  );
  assert.equal(names('10.0.0.100/24'), ['VI_1']);
  assert.equal(names('192.0.2.9'), ['VI_1'], 'an excluded address');
  assert.equal(names('10.0.0.100:80'), ['tcp 10.0.0.100:80'], 'without the protocol');
  assert.equal(names('tcp 10.0.0.100:80'), ['tcp 10.0.0.100:80']);
  for (const word of ['10.0.0.8', '10.0.0.8:443', 'web', 'group web', 'group web tcp'])
    assert.equal(names(word), ['group web tcp'], word);
  assert.equal(names('fwmark 7'), ['fwmark 7 inet']);
  assert.equal(names('10.0.1.2'), ['10.0.1.2:80', '10.0.1.2:80', '10.0.1.2:80']);
  assert.equal(names('10.0.0.10'), []);
  assert.equal(names('80'), []);
});

test('narrowed to what was found', () => {
  const all = report();
  const { vrrp, check } = narrowed(all, find(all, '10.0.0.100'));
  assert.equal([vrrp?.instances.length, check?.services.map(({ name }) => name)], [1, ['tcp 10.0.0.100:80']]);
  const one = narrowed(all, find(all, '10.0.1.2:80'));
  assert.equal(
    one.check?.services.map(({ servers }) => servers.map(({ name }) => name)),
    [['10.0.1.2:80'], ['10.0.1.2:80'], ['10.0.1.2:80']],
  );
  assert.equal(one.vrrp?.instances, []);
});

test('what nothing is called: the nearest, or what does not run', () => {
  const all = report();
  assert.ok(isNothing(find(all, 'VI_2')));
  assert.is(whyNothing(all, 'VI_2'), 'nothing here is called VI_2: did you mean VI_1?');
  assert.is(
    whyNothing({ ...all, check: null }, 'somewhere'),
    [
      'nothing here is called somewhere; vipkeeper status lists them; ',
      'no check process runs here (-P, or no virtual_server)',
    ].join(''),
  );
});

test.run();
