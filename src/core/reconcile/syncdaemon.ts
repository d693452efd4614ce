import type { Ip } from '../ip.ts';
import { DAEMON_STATE, type IpvsDaemon, type IpvsOperation } from '../netlink/ipvs.ts';
import type { SyncDaemonSettings } from '../sync/settings.ts';

/** What the kernel's sync threads are to do: `both` when no VRRP instance is followed. */
export type SyncRole = 'master' | 'backup' | 'both';

/**
 * The payload of a datagram that the daemons carry, unless `maxlen` says: 37 records, and in one piece through tunnels
 * of clouds too (an MTU of 1440 or more, IPv6).
 */
const RELAYED_BYTES = 1340;
/** A backup of the kernel has room for more in any case, and says so. */
const LEAST_OF_BACKUP = 1024;

const STATES: Record<SyncRole, readonly number[]> = {
  master: [DAEMON_STATE.master],
  backup: [DAEMON_STATE.backup],
  both: [DAEMON_STATE.master, DAEMON_STATE.backup],
};

/**
 * The operations that bring the kernel's sync daemons from `running` to what the role wants. A change of role
 * stops one and starts the other, in this order (keepalived's `lvs_sync_daemon`); a daemon that already runs
 * as wanted is not touched, and one whose interface, id or transport differs is started anew.
 */
export function planSyncDaemons(
  settings: SyncDaemonSettings,
  role: SyncRole | undefined,
  running: readonly IpvsDaemon[],
): IpvsOperation[] {
  const wanted = (role === undefined ? [] : STATES[role]).map((state) => daemonOf(settings, state));
  const stale = running.filter((daemon) => !wanted.some((other) => serves(daemon, other)));
  const missing = wanted.filter((daemon) => !running.some((other) => serves(other, daemon)));
  return [
    ...stale.map(({ state }): IpvsOperation => ({ op: 'stop-daemon', state })),
    ...missing.map((daemon): IpvsOperation => ({ op: 'start-daemon', daemon })),
  ];
}

/** Whether the kernel is to choose something again that was said before: a daemon that runs has what was said. */
export function leavesOpen(before: SyncDaemonSettings | undefined, now: SyncDaemonSettings): boolean {
  const words = ['maxlen', 'port', 'ttl', 'group'] as const;
  return words.some((word) => before?.[word] !== undefined && now[word] === undefined);
}

function daemonOf(settings: SyncDaemonSettings, state: number): IpvsDaemon {
  const { interface: device, id, port, ttl, group } = settings;
  const maxlen = settings.maxlen ?? (settings.relay && RELAYED_BYTES);
  const least = state === DAEMON_STATE.backup ? LEAST_OF_BACKUP : 0;
  return {
    state,
    interface: device,
    syncId: id,
    ...(maxlen !== undefined && { maxLength: Math.max(maxlen, least) }),
    ...(port !== undefined && { port }),
    ...(ttl !== undefined && { ttl }),
    ...(group !== undefined && { group }),
  };
}

/** Whether a running daemon is what is wanted; what the wish leaves open, the kernel chose. */
function serves(running: IpvsDaemon, wanted: IpvsDaemon): boolean {
  const settled = (have: unknown, want: unknown): boolean => want === undefined || have === want;
  return (
    running.state === wanted.state &&
    running.interface === wanted.interface &&
    running.syncId === wanted.syncId &&
    settled(running.maxLength, wanted.maxLength) &&
    settled(running.port, wanted.port) &&
    settled(running.ttl, wanted.ttl) &&
    settled(running.group, wanted.group)
  );
}

/** A running daemon, as `status` tells it. */
export interface SyncDaemonFacts {
  readonly role: 'master' | 'backup';
  readonly interface: string;
  readonly id: number;
  readonly group: Ip | null;
  readonly port: number | null;
  readonly ttl: number | null;
  /** Bytes of a datagram's payload. */
  readonly maxlen: number | null;
}

export const syncDaemonFacts = (daemon: IpvsDaemon): SyncDaemonFacts => ({
  role: daemon.state === DAEMON_STATE.master ? 'master' : 'backup',
  interface: daemon.interface,
  id: daemon.syncId,
  group: daemon.group ?? null,
  port: daemon.port ?? null,
  ttl: daemon.ttl ?? null,
  maxlen: daemon.maxLength ?? null,
});
