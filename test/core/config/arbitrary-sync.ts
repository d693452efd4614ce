import fc from 'fast-check';
import { ip } from '../../../src/core/ip.ts';
import {
  BULK_PORT,
  PRIVATE_LINK,
  type RelaySettings,
  type SyncDaemonSettings,
} from '../../../src/core/sync/settings.ts';
import { device, given, maybe, port } from './arbitrary-values.ts';
import { KEY_FILE } from './memory.ts';

/** Connection sync, by multicast or carried by the daemons. */

const relay: fc.Arbitrary<RelaySettings> = fc.record({
  keyFile: fc.constant(KEY_FILE),
  local: fc.constant(ip('192.0.2.1')),
  port,
  peers: fc.constantFrom(
    [{ address: ip('192.0.2.2'), port: 5408 }],
    [
      { address: ip('192.0.2.2'), port: 5408 },
      { address: ip('192.0.2.3'), port: 9 },
    ],
  ),
});

/** That follows no instance. */
export const syncDaemons = fc
  .record({
    interface: device,
    id: fc.integer({ min: 0, max: 255 }),
    maxlen: maybe(port.filter((n) => n <= 65_447)),
    bulkPort: fc.constantFrom(0, BULK_PORT, 9000),
    alarm: fc.constantFrom(0, 1, 5, 100),
    relay: maybe(relay),
  })
  .map(
    (daemon) =>
      given(
        daemon.relay === undefined ? daemon : { ...daemon, interface: PRIVATE_LINK },
      ) as SyncDaemonSettings,
  );
