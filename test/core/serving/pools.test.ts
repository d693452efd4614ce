import * as assert from 'uvu/assert';
import { type Service, type ServiceKey, serviceName } from '../../../src/core/balance/model.ts';
import { poolName } from '../../../src/core/balance/pool.ts';
import { alertText } from '../../../src/core/check/kinds.ts';
import type { CheckSettings } from '../../../src/core/check/settings.ts';
import { ip } from '../../../src/core/ip.ts';
import type { VirtualServerSettings } from '../../../src/core/serving/settings.ts';
import { suite } from '../../suite.ts';

import { realServer, virtualServer, World } from './balancer-world.ts';

const test = suite('pools');

test('a group is one pool: checked once, each service with its own port', () => {
  const world = new World();
  const [service] = virtualServer([]).services;
  if (service === undefined) throw new Error('no service');
  const at = (port: number): Service => ({
    ...service,
    key: { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port },
  });
  const direct = [1, 2].map((last) => {
    const server = realServer(last);
    return { ...server, destination: { ...server.destination, method: 'dr' as const, port: 0 } };
  });
  const group = { name: 'web', index: 0, points: [] };
  let probes = 0;
  const perform = world.perform.bind(world);
  world.perform = (effect) => {
    if (effect.type === 'probe') probes += 1;
    return perform(effect);
  };
  world.configure(virtualServer(direct, { services: [at(80), at(443)], group }));
  assert.is(world.serving(), '10.0.1.1:443=1 10.0.1.2:443=1 10.0.1.1:80=1 10.0.1.2:80=1');
  world.pass(5);
  assert.is(probes, 2);
  world.dead.add('10.0.1.2');
  world.pass(12);
  assert.is(world.serving(), '10.0.1.1:443=1 10.0.1.1:80=1');
  assert.equal(world.told, [
    'service [web]:0 UP Starting with quorum up 1+0=1 <= 2',
    'server [10.0.1.2]:tcp:0 DOWN',
  ]);
});

test('a mark that virtual servers of one group share has the servers of each that is up', () => {
  const world = new World();
  const mark: Service = {
    ...(virtualServer([]).services[0] as Service),
    key: { kind: 'fwmark', mark: 7, family: 4 },
  };
  const [service] = virtualServer([]).services;
  const group = { name: 'web', points: [] };
  const udp = { ...(service as Service).key, protocol: 'udp' as const } as ServiceKey;
  world.configure(
    virtualServer([realServer(1)], {
      services: [...virtualServer([]).services, mark],
      group: { ...group, index: 0 },
    }),
    virtualServer([realServer(1), realServer(2)], {
      services: [{ ...(service as Service), key: udp }, mark],
      group: { ...group, index: 1 },
    }),
  );
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.2:80=1 10.0.1.1:80=1 10.0.1.1:80=1 10.0.1.2:80=1');
  world.dead.add('10.0.1.2');
  world.pass(12);
  assert.is(world.serving(), '10.0.1.1:80=1 10.0.1.1:80=1 10.0.1.1:80=1');
});

test('a server that two pools share under one mark has the greatest weight that one of them gives it', () => {
  const world = new World();
  const [service] = virtualServer([]).services;
  const mark: Service = { ...(service as Service), key: { kind: 'fwmark', mark: 7, family: 4 } };
  const udp = { ...(service as Service).key, protocol: 'udp' as const } as ServiceKey;
  const heavy = { destination: { ...realServer(1).destination, weight: 5 } };
  const pools = [
    virtualServer([realServer(1)], {
      services: [service as Service, mark],
      group: { name: 'web', points: [], index: 0 },
    }),
    virtualServer([realServer(1, heavy)], {
      services: [{ ...(service as Service), key: udp }, mark],
      group: { name: 'web', points: [], index: 1 },
    }),
  ];
  const weights = (): unknown[] =>
    world.kernel
      .table()
      .map((entry) => [serviceName(entry.service.key), entry.destinations.map(({ weight }) => weight)])
      .sort();
  world.configure(...pools);
  assert.equal(weights(), [
    ['fwmark 7 inet', [5]],
    ['tcp 10.0.0.1:80', [1]],
    ['udp 10.0.0.1:80', [5]],
  ]);
  world.connections.set('10.0.1.1', 3);
  const drainOf = (pool: VirtualServerSettings) =>
    ({ service: poolName(pool), server: '10.0.1.1:80', drain: { by: 'operator' } }) as const;
  const [first, second] = pools as [VirtualServerSettings, VirtualServerSettings];
  world.event({ type: 'orders', orders: [drainOf(second)] });
  assert.equal(weights(), [
    ['fwmark 7 inet', [1]],
    ['tcp 10.0.0.1:80', [1]],
    ['udp 10.0.0.1:80', [0]],
  ]);
  world.event({ type: 'orders', orders: [drainOf(first), drainOf(second)] });
  assert.equal(weights(), [
    ['fwmark 7 inet', [0]],
    ['tcp 10.0.0.1:80', [0]],
    ['udp 10.0.0.1:80', [0]],
  ]);
});

test('what scripts hear: the start, changes, what a reload takes out, and with omega the stop', () => {
  const world = new World();
  const sorry = realServer(9).destination;
  const heard = (): string[] => world.told.splice(0);
  world.configure(virtualServer([realServer(1), realServer(2)], { omega: true, sorry }));
  assert.equal(heard(), ['service [10.0.0.1]:tcp:80 UP Starting with quorum up 1+0=1 <= 2']);
  world.pass(6);
  world.dead.add('10.0.1.1').add('10.0.1.2');
  world.pass(12);
  assert.equal(heard(), [
    'server [10.0.1.2]:tcp:80 DOWN',
    'server [10.0.1.1]:tcp:80 DOWN',
    'service [10.0.0.1]:tcp:80 DOWN Lost quorum 1+0=1 <= 0',
  ]);
  world.dead.clear();
  world.pass(12);
  assert.equal(heard(), [
    'server [10.0.1.2]:tcp:80 UP',
    'service [10.0.0.1]:tcp:80 UP Gained quorum 1+0=1 <= 1',
    'server [10.0.1.1]:tcp:80 UP',
  ]);
  world.configure(virtualServer([realServer(1)], { omega: true, sorry }));
  assert.equal(heard(), ['server [10.0.1.2]:tcp:80 DOWN']);
  world.event({ type: 'stop', release: true, flush: false });
  assert.equal(heard(), [
    'server [10.0.1.1]:tcp:80 DOWN stopping',
    'service [10.0.0.1]:tcp:80 DOWN Shutting down stopping',
  ]);
});

test('what scripts hear of alpha servers, of init_notifies, and of a service that a reload drops', () => {
  const world = new World();
  const alpha = { checks: realServer(1).checks.map((check) => ({ ...check, alpha: true })) };
  world.dead.add('10.0.1.1');
  const virtualServers = [virtualServer([realServer(1, alpha), realServer(2)])];
  world.event({ type: 'configure', virtualServers, flush: false, initNotifies: true });
  world.pass(20);
  assert.equal(world.told.splice(0), [
    'service [10.0.0.1]:tcp:80 UP Starting with quorum up 1+0=1 <= 1',
    'server [10.0.1.2]:tcp:80 UP',
    'server [10.0.1.1]:tcp:80 DOWN',
  ]);
  world.configure();
  assert.equal(world.told, [
    'server [10.0.1.2]:tcp:80 DOWN',
    'service [10.0.0.1]:tcp:80 DOWN Lost quorum 1+0=1 <= 0',
  ]);
});

test('each checker says when it changes its mind, also where the server stays as it is', () => {
  const world = new World();
  const [check] = realServer(1).checks;
  if (check?.kind !== 'tcp') throw new Error('no TCP check');
  const other: CheckSettings = { ...check, address: ip('10.0.1.9') };
  world.configure(virtualServer([realServer(1, { checks: [check, other] })]));
  world.pass(10);
  assert.equal(world.alerts, [], 'it begins as up');
  const said = (): string[] =>
    world.alerts.splice(0).map(({ what, turned, text }) => `${what} ${turned} ${text}`);
  world.dead.add('10.0.1.1');
  world.pass(10);
  assert.equal(said(), ['DOWN true TCP CHECK failed on service']);
  world.dead.add('10.0.1.9');
  world.pass(10);
  assert.equal(said(), ['DOWN false TCP CHECK failed on service']);
  world.dead.delete('10.0.1.1');
  world.pass(10);
  assert.equal(said(), ['DOWN false TCP CHECK succeed on service'], 'the other one still fails');
  world.dead.clear();
  world.pass(10);
  const [{ name, service } = { name: '', service: '' }] = world.alerts;
  assert.equal([name, service], ['[10.0.1.1]:tcp:80', '[10.0.0.1]:tcp:80']);
  assert.equal(said(), ['UP true TCP CHECK succeed on service']);
});

test('the words of each kind of checker are those of keepalived', () => {
  const texts = (settings: object): string[] =>
    [true, false].map((up) => alertText(settings as CheckSettings, up, 'refused'));
  assert.equal(texts({ kind: 'http' }), [
    'CHECK succeed on service',
    'CHECK failed on service : HTTP request failed',
  ]);
  assert.equal(texts({ kind: 'smtp' }), ['CHECK succeed on service', 'CHECK failed on service : refused']);
  assert.equal(texts({ kind: 'misc' }), ['MISC CHECK succeeded on service', 'MISC CHECK failed on service']);
  assert.equal(texts({ kind: 'bfd', session: 'b' }), [
    'BFD CHECK b succeeded on service',
    'BFD CHECK b failed on service',
  ]);
  for (const [kind, name] of [
    ['udp', 'UDP CHECK'],
    ['ping', 'ICMP CHECK'],
    ['dns', 'DNS_CHECK:'],
  ])
    assert.equal(texts({ kind }), [`${name} succeed on service`, `${name} failed on service`]);
});

test.run();
