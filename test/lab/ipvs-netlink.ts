import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Ip, ip } from '../../src/core/ip.ts';
import {
  DAEMON_STATE,
  type IpvsDestination,
  type IpvsOperation,
  type IpvsService,
  type IpvsServiceKey,
  METHOD,
  SERVICE_FLAG,
  TUNNEL_FLAG,
  TUNNEL_TYPE,
} from '../../src/core/netlink/ipvs.ts';
import { IpvsClient } from '../../src/io/ipvs.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { run } from './scene/run.ts';

/** The kernel's IPVS table by netlink: what we write, ipvsadm reads; what the kernel refuses, we say why. */
export const needs = 'kernel';

const story = suite('the IPVS table by netlink');
const client = new IpvsClient();

story.after.each(() => {
  client.apply([{ op: 'flush' }]);
});
story.after(() => client.close());

const WEB: IpvsServiceKey = { family: 4, protocol: 6, address: ip('10.0.0.1'), port: 80 };

const service = (key: IpvsServiceKey, more: Partial<IpvsService> = {}): IpvsService => ({
  key,
  scheduler: 'rr',
  flags: 0,
  timeout: 0,
  prefixLength: key.family === 6 ? 128 : 32,
  ...more,
});
const server = (address: string, port: number, more: Partial<IpvsDestination> = {}): IpvsDestination => ({
  address: ip(address),
  port,
  method: METHOD.masquerade,
  weight: 1,
  upper: 0,
  lower: 0,
  ...more,
});
const errnos = (...operations: IpvsOperation[]): number[] =>
  client.apply(operations).map(({ errno }) => errno);
const ipvsadm = (...words: string[]): string[] =>
  run(['ipvsadm', ...words])
    .trimEnd()
    .split('\n');
/** Without what only the kernel knows: counters, and the flag that it sets on every service. */
const written = (key: IpvsServiceKey): [IpvsService, IpvsDestination[]] => {
  const { stats: _, ...shown } = client.service(key);
  const destinations = client.destinations(key).map(({ stats, active, inactive, persistent, ...rest }) => {
    assert.equal([stats.connections, active, inactive, persistent], [0n, 0, 0, 0]);
    return rest;
  });
  return [{ ...shown, flags: shown.flags & ~SERVICE_FLAG.hashed }, destinations.reverse()];
};

story('ipvsadm shows what we wrote: every kind of service and destination', () => {
  const sip: IpvsServiceKey = { family: 4, protocol: 17, address: ip('10.0.0.1'), port: 5060 };
  const v6: IpvsServiceKey = { family: 6, protocol: 6, address: ip('2001:db8::1'), port: 443 };
  const mark: IpvsServiceKey = { family: 6, fwmark: 9 };
  const gue = { type: TUNNEL_TYPE.gue, port: 6080, flags: TUNNEL_FLAG.remoteChecksum };
  const sticky = { flags: SERVICE_FLAG.persistent, timeout: 600, prefixLength: 24 };
  const outcome = errnos(
    { op: 'add-service', service: service(WEB, { scheduler: 'wrr', ...sticky }) },
    { op: 'add-service', service: service(sip, { engine: 'sip', flags: 5, timeout: 60 }) },
    { op: 'add-service', service: service(v6, { scheduler: 'sh', flags: 24 }) },
    { op: 'add-service', service: service(mark, { scheduler: 'mh', flags: 16 }) },
    {
      op: 'add-destination',
      service: WEB,
      destination: server('10.1.0.1', 8080, { weight: 5, upper: 9, lower: 3 }),
    },
    {
      op: 'add-destination',
      service: WEB,
      destination: server('10.1.0.2', 80, { method: METHOD.directRoute }),
    },
    {
      op: 'add-destination',
      service: WEB,
      destination: server('10.1.0.3', 80, { method: METHOD.tunnel, tunnel: gue }),
    },
    { op: 'add-destination', service: v6, destination: server('2001:db8:1::1', 443, { weight: 0 }) },
    {
      op: 'add-destination',
      service: mark,
      destination: server('2001:db8:1::2', 0, { method: METHOD.directRoute }),
    },
  );
  assert.equal(outcome, [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(ipvsadm('-Sn').sort(), [
    '-A -f 9 -6 -s mh -b mh-port',
    '-A -t 10.0.0.1:80 -s wrr -p 600 -M 255.255.255.0',
    '-A -t [2001:db8::1]:443 -s sh -b sh-fallback,sh-port',
    '-A -u 10.0.0.1:5060 -s rr -p 60 --pe sip -o',
    '-a -f 9 -6 -r [2001:db8:1::2]:0 -g -w 1',
    '-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 5',
    '-a -t 10.0.0.1:80 -r 10.1.0.2:80 -g -w 1',
    '-a -t 10.0.0.1:80 -r 10.1.0.3:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum',
    '-a -t [2001:db8::1]:443 -r [2001:db8:1::1]:443 -m -w 0',
  ]);
  assert.match(ipvsadm('-Ln', '--thresholds').join('\n'), /10\.1\.0\.1:8080 +9 +3 /);
  assert.is(client.services().length, 4);
});

story('what is edited is changed, and nothing of the old settings stays', () => {
  const before = service(WEB, { scheduler: 'sh', flags: 25, timeout: 600, prefixLength: 24 });
  const after = service(WEB, { scheduler: 'wlc' });
  const real = server('10.1.0.1', 80, { upper: 9, lower: 3 });
  const outcome = errnos(
    { op: 'add-service', service: before },
    { op: 'add-destination', service: WEB, destination: real },
    { op: 'edit-service', service: after },
    { op: 'edit-destination', service: WEB, destination: server('10.1.0.1', 80, { weight: 7 }) },
  );
  assert.equal(outcome, [0, 0, 0, 0]);
  assert.equal(written(WEB), [after, [server('10.1.0.1', 80, { weight: 7 })]]);
  assert.equal(
    errnos(
      { op: 'delete-destination', service: WEB, destination: real },
      { op: 'delete-service', service: WEB },
    ),
    [0, 0],
  );
  assert.equal(client.services(), []);
  // The kernel does not tell a missing service from one without destinations.
  assert.equal(client.destinations(WEB), []);
});

story('refusals: each has its errno, and the next operation is done', () => {
  const tooLow = server('10.1.0.2', 80, { lower: 5 });
  const outcome = errnos(
    { op: 'add-service', service: service(WEB) },
    { op: 'add-service', service: service(WEB) },
    { op: 'add-service', service: service({ ...WEB, port: 81 }, { scheduler: 'nonesuch' }) },
    { op: 'edit-service', service: service({ ...WEB, port: 82 }) },
    { op: 'add-destination', service: { ...WEB, port: 82 }, destination: server('10.1.0.1', 80) },
    { op: 'edit-destination', service: WEB, destination: server('10.1.0.1', 80) },
    { op: 'add-destination', service: WEB, destination: server('224.0.0.1', 80) },
    { op: 'add-destination', service: WEB, destination: tooLow },
    { op: 'stop-daemon', state: DAEMON_STATE.master },
    { op: 'start-daemon', daemon: { state: DAEMON_STATE.master, interface: 'nowhere0', syncId: 1 } },
    { op: 'add-destination', service: WEB, destination: server('10.1.0.1', 80) },
  );
  assert.equal(outcome, [0, 17, 2, 3, 3, 2, 22, 34, 3, 19, 0]);
  assert.throws(() => client.service({ ...WEB, port: 82 }), /show tcp 10\.0\.0\.1:82: ESRCH/);
});

story('sync daemons, timeouts, version', () => {
  assert.is(client.info().version, 0x10201);
  const group = ip('224.0.0.82');
  const backup = {
    state: DAEMON_STATE.backup,
    interface: 'lo',
    syncId: 7,
    maxLength: 1400,
    group,
    port: 8850,
    ttl: 3,
  };
  const before = client.timeouts();
  assert.equal(
    errnos(
      { op: 'start-daemon', daemon: { state: DAEMON_STATE.master, interface: 'lo', syncId: 7 } },
      { op: 'start-daemon', daemon: backup },
      { op: 'set-timeouts', timeouts: { udp: 33 } },
    ),
    [0, 0, 0],
  );
  assert.equal(client.daemons()[1], backup);
  assert.equal(client.timeouts(), { ...before, udp: 33 });
  assert.match(
    ipvsadm('-L', '--daemon').join('\n'),
    /backup sync daemon \(mcast=lo, syncid=7, maxlen=1400, group=224\.0\.0\.82, port=8850, ttl=3\)/,
  );
  assert.equal(
    errnos(
      { op: 'stop-daemon', state: DAEMON_STATE.master },
      { op: 'stop-daemon', state: DAEMON_STATE.backup },
      { op: 'set-timeouts', timeouts: { udp: before.udp } },
    ),
    [0, 0, 0],
  );
  assert.equal(client.daemons(), []);
});

story('a sync daemon that is stopped before it ran, for which the kernel gives no answer', () => {
  for (const state of [DAEMON_STATE.master, DAEMON_STATE.backup])
    for (let round = 0; round < 10; round++) {
      const daemon = { state, interface: 'lo', syncId: 7 };
      const [start, stop] = [{ op: 'start-daemon', daemon } as const, { op: 'stop-daemon', state } as const];
      assert.equal(errnos(start, stop), [0, 0]);
      assert.equal(client.daemons(), []);
      assert.equal(errnos(start, stop, start, stop), [0, 0, 0, 0]);
    }
});

story('1,000 services with a destination each, in one call, are all there', () => {
  const keys = Array.from({ length: 1000 }, (_, i): IpvsServiceKey => ({ ...WEB, port: 1000 + i }));
  const operations = keys.flatMap((key): IpvsOperation[] => [
    { op: 'add-service', service: service(key) },
    { op: 'add-destination', service: key, destination: server('10.1.0.1', 80) },
  ]);
  assert.ok(errnos(...operations).every((errno) => errno === 0));
  assert.is(client.services().length, 1000);
  assert.is(ipvsadm('-Sn').length, 2000);
});

const v4 = fc.nat(250).map((n): Ip => ip(`10.7.0.${n + 1}`));
const v6 = fc.nat(250).map((n): Ip => ip(`2001:db8:7::${n + 1}`));
const PLAIN = { noNullPrototype: true } as const;

story('whatever service and destination the kernel takes, it shows as it was written', () => {
  const protocol = fc.constantFrom(6, 17, 132);
  const port = fc.integer({ min: 1, max: 65535 });
  const keys: fc.Arbitrary<IpvsServiceKey> = fc.oneof(
    fc.record({ family: fc.constant(4 as const), protocol, address: v4, port }, PLAIN),
    fc.record({ family: fc.constant(6 as const), protocol, address: v6, port }, PLAIN),
    fc.record(
      { family: fc.constantFrom(4 as const, 6 as const), fwmark: fc.integer({ min: 1, max: 2 ** 32 - 1 }) },
      PLAIN,
    ),
  );
  const settings = fc.record({
    scheduler: fc.constantFrom(
      'rr',
      'wrr',
      'lc',
      'wlc',
      'sh',
      'mh',
      'sed',
      'nq',
      'lblc',
      'fo',
      'ovf',
      'none',
    ),
    flags: fc.constantFrom(0, 1, 4, 8, 16, 24, 57),
    timeout: fc.nat(86_400),
    length: fc.integer({ min: 1, max: 128 }),
  });
  const destinations = fc.record({
    port,
    method: fc.constantFrom(METHOD.masquerade, METHOD.tunnel, METHOD.directRoute),
    weight: fc.nat(2 ** 31 - 1),
    upper: fc.integer({ min: 1000, max: 2 ** 31 - 1 }),
    lower: fc.nat(1000),
    tunnel: fc.record({ type: fc.nat(2), port, flags: fc.nat(1) }, PLAIN),
  });
  fc.assert(
    fc.property(keys, settings, destinations, v4, v6, (key, { length, ...rest }, real, four, six) => {
      client.apply([{ op: 'flush' }]);
      const prefixLength = key.family === 4 ? Math.min(length, 32) : length;
      const wanted: IpvsService = { key, ...rest, prefixLength };
      const { tunnel, ...plain } = real;
      const address = key.family === 4 ? four : six;
      const gue = { ...tunnel, port: tunnel.type === TUNNEL_TYPE.gue ? tunnel.port : 0 };
      const destination = { address, ...plain, ...(plain.method === METHOD.tunnel && { tunnel: gue }) };
      assert.equal(
        errnos({ op: 'add-service', service: wanted }, { op: 'add-destination', service: key, destination }),
        [0, 0],
      );
      assert.equal(written(key), [wanted, [destination]]);
    }),
    { numRuns: repetitions(300) },
  );
});

story.run();
