import fc from 'fast-check';
import type {
  Destination,
  Service,
  ServiceKey,
  TableEntry,
  Tunnel,
} from '../../../src/core/balance/model.ts';
import { endpointName, serviceName } from '../../../src/core/balance/model.ts';
import { ip } from '../../../src/core/ip.ts';

/** Records that compare equal to object literals. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;

/** Few addresses and ports on purpose: two tables drawn from them have much in common. */
const key: fc.Arbitrary<ServiceKey> = fc.oneof(
  plain({
    kind: fc.constant('address' as const),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
    address: fc.constantFrom(ip('10.0.0.1'), ip('2001:db8::1')),
    port: fc.constantFrom(80, 443),
  }),
  plain({
    kind: fc.constant('fwmark' as const),
    mark: fc.constantFrom(1, 2),
    family: fc.constantFrom(4 as const, 6 as const),
  }),
);

const service: fc.Arbitrary<Service> = fc.record(
  {
    key,
    scheduler: fc.constantFrom('rr', 'wlc'),
    flags: fc.constantFrom(0, 4),
    persistence: fc.constantFrom(0, 360),
    granularity: fc.constantFrom(24, 32),
    engine: fc.constant('sip'),
  },
  { requiredKeys: ['key', 'scheduler', 'flags', 'persistence', 'granularity'], noNullPrototype: true },
);

const common = {
  address: fc.constantFrom(ip('10.0.1.1'), ip('10.0.1.2'), ip('10.0.1.3'), ip('2001:db8:1::1')),
  port: fc.constantFrom(80, 8080),
  weight: fc.constantFrom(0, 1, 2),
  upper: fc.constantFrom(0, 100),
  lower: fc.constantFrom(0, 50),
};

export const destination: fc.Arbitrary<Destination> = fc.oneof(
  plain<Destination>({
    ...common,
    method: fc.constantFrom('nat' as const, 'dr' as const, 'tun' as const),
  }),
  plain<Destination>({
    ...common,
    method: fc.constant('tun' as const),
    tunnel: fc.constantFrom<Tunnel>(
      { type: 'gue', port: 6080, checksum: 'nocsum' },
      { type: 'gue', port: 6080, checksum: 'remcsum' },
      { type: 'gre', port: 0, checksum: 'csum' },
    ),
  }),
);

export const destinations = fc.uniqueArray(destination, {
  maxLength: 8,
  selector: (d) => endpointName(d.address, d.port),
});

export const table: fc.Arbitrary<TableEntry[]> = fc.uniqueArray(plain({ service, destinations }), {
  maxLength: 8,
  selector: (entry) => serviceName(entry.service.key),
});
