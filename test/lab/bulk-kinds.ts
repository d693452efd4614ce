import { suite } from '../suite.ts';
import { KEY, playBulk } from './scene/bulk-story.ts';

/**
 * A copy of the whole connection table, of all kinds: 500 connections, half of them idle since before the backup was
 * booted, survive the master's end: by direct routing, by tunnels, by IPv6, with kernels that speak version 0, and
 * with sync_relay.
 */
export const needs = 'kernel';
export const limitSeconds = 1800;
export const long = true;

const story = suite('bulk copies of all kinds');
story('direct routing', () => playBulk('DR', { method: 'DR' }));
story('tunnels', () => playBulk('TUN', { method: 'TUN' }));
story('IPv6', () => playBulk('IPv6', { method: 'DR', ipv6: true }));
story('version 0 of the datagrams', () =>
  playBulk('version 0', { method: 'NAT', global: 'lvs_sysctl sync_version 0' }),
);
story('carried by the daemons', () =>
  playBulk('sync_relay', { method: 'NAT', relayKey: KEY, awaitsSync: true }),
);
story.run();
