import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { parseServiceName, serviceName } from '../../../src/core/balance/model.ts';
import { sameDestination } from '../../../src/core/balance/plan.ts';
import { ip } from '../../../src/core/ip.ts';
import { METHOD, SERVICE_FLAG, TUNNEL_TYPE } from '../../../src/core/netlink/ipvs.ts';
import {
  fromIpvsDestination,
  fromIpvsService,
  toIpvsDestination,
  toIpvsOperation,
  toIpvsService,
} from '../../../src/core/reconcile/ipvs-table.ts';
import { suite } from '../../suite.ts';
import { destination, table } from '../balance/arbitrary.ts';

const test = suite('ipvs-table');

test('what goes to the kernel comes back as it was', () => {
  fc.assert(
    fc.property(table, (entries) => {
      for (const { service, destinations } of entries) {
        const shown = toIpvsService(service);
        // The kernel adds its own bit.
        assert.equal(fromIpvsService({ ...shown, flags: shown.flags | SERVICE_FLAG.hashed }), service);
        for (const each of destinations) assert.equal(fromIpvsDestination(toIpvsDestination(each)), each);
      }
    }),
  );
});

test('a persistent service has the flag, one that is not has neither flag nor timeout', () => {
  const service = {
    key: { kind: 'fwmark' as const, mark: 7, family: 6 as const },
    scheduler: 'sh',
    flags: 8,
    persistence: 360,
    granularity: 64,
  };
  assert.equal(toIpvsService(service), {
    key: { family: 6, fwmark: 7 },
    scheduler: 'sh',
    flags: 9,
    timeout: 360,
    prefixLength: 64,
  });
  assert.is(fromIpvsService({ ...toIpvsService(service), flags: 10, timeout: 360 })?.persistence, 0);
});

test('a tunnel of another kind, or a method without a word, never equals what is wanted', () => {
  fc.assert(
    fc.property(destination, fc.constantFrom(METHOD.bypass, METHOD.localNode), (each, method) => {
      const gue = { type: TUNNEL_TYPE.gue, port: 6081, flags: 0 };
      const tunnel = toIpvsDestination({ ...each, method: 'tun' });
      assert.not(
        sameDestination({ ...each, method: 'tun' }, fromIpvsDestination({ ...tunnel, tunnel: gue })),
      );
      const strange = { ...gue, flags: 128 };
      assert.ok(fromIpvsDestination({ ...tunnel, tunnel: strange }).beyondModel);
      assert.not(sameDestination(each, fromIpvsDestination({ ...toIpvsDestination(each), method })));
    }),
  );
});

test('the names of services are read back; other texts are none', () => {
  fc.assert(
    fc.property(table, (entries) => {
      for (const { service } of entries)
        assert.equal(parseServiceName(serviceName(service.key)), service.key);
    }),
  );
  for (const text of ['', 'tcp', 'tcp 10.0.0.1', 'icmp 10.0.0.1:80', 'tcp 10.0.0.01:80', 'fwmark 0 inet'])
    assert.is(parseServiceName(text), undefined, text);
});

test('a protocol without a name is nobody of ours', () => {
  const key = { family: 4 as const, protocol: 99, address: ip('10.0.0.1'), port: 1 };
  assert.is(fromIpvsService({ key, scheduler: 'rr', flags: 2, timeout: 0, prefixLength: 32 }), undefined);
});

test('operations', () => {
  const key = { kind: 'address' as const, protocol: 'udp' as const, address: ip('2001:db8::1'), port: 53 };
  const wire = { family: 6, protocol: 17, address: '2001:db8::1', port: 53 };
  const server = {
    address: ip('2001:db8::2'),
    port: 53,
    method: 'dr' as const,
    weight: 5,
    upper: 100,
    lower: 50,
  };
  assert.equal(toIpvsOperation({ kind: 'remove service', key }), { op: 'delete-service', service: wire });
  assert.equal(toIpvsOperation({ kind: 'edit destination', key, destination: server }), {
    op: 'edit-destination',
    service: wire,
    destination: { ...server, method: 3 },
  });
  assert.equal(toIpvsOperation({ kind: 'remove destination', key, destination: server }), {
    op: 'delete-destination',
    service: wire,
    destination: { address: '2001:db8::2', port: 53 },
  });
});

test.run();
