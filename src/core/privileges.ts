import type { CheckSettings } from './check/settings.ts';
import type { Configuration } from './config/model.ts';

/** Of capabilities(7), in the lower-case names that setpriv(1) takes. */
export type Capability =
  | 'dac_read_search'
  | 'kill'
  | 'setgid'
  | 'setuid'
  | 'net_bind_service'
  | 'net_admin'
  | 'net_raw'
  | 'sys_admin'
  | 'sys_nice';

/** What a process may do at most, from its start on. */
export interface Privileges {
  /** No program that it starts has others either. */
  readonly capabilities: readonly Capability[];
  /** Programs that it starts may have more by setuid and file capabilities, within `capabilities`. */
  readonly gains: boolean;
}

/** To run scripts as their users, and to end them. */
const FOR_SCRIPTS: readonly Capability[] = ['kill', 'setgid', 'setuid'];

/** The VRRP process: adverts, addresses, interfaces and real time. It starts no program and reads no file of others. */
export const PRIVILEGES_OF_VRRP: Privileges = {
  capabilities: ['net_admin', 'net_raw', 'sys_nice'],
  gains: false,
};

/**
 * What the check process needs for a configuration; `undefined` for all that the daemon has: a MISC_CHECK that runs as
 * root may need anything. `elsewhere`: the IPVS table is in another network namespace.
 */
export function privilegesOfCheck(
  { virtualServers, global }: Pick<Configuration, 'virtualServers' | 'global'>,
  elsewhere: boolean,
): Privileges | undefined {
  const checks = virtualServers.flatMap(({ realServers }) => realServers.flatMap((server) => server.checks));
  const users = checks.flatMap((check) => {
    if (check.kind !== 'misc') return [];
    const { user } = check;
    if (user === undefined) return [0];
    return 'missing' in user ? [] : [user.uid];
  });
  if (users.includes(0)) return undefined;
  const { nice, realTime } = global.placements.check;
  const capabilities: Capability[] = [
    // Ping, and sources below 1024.
    ...(['net_admin', 'net_raw', 'net_bind_service'] as const),
    ...(users.length > 0 ? FOR_SCRIPTS : []),
    // Keys and certificates may be others' alone to read.
    ...(checks.some(readsFiles) ? (['dac_read_search'] as const) : []),
    ...(nice !== undefined || realTime > 0 ? (['sys_nice'] as const) : []),
    ...(elsewhere ? (['sys_admin'] as const) : []),
  ];
  return { capabilities, gains: users.length > 0 };
}

/**
 * The sync process tells the kernel what to do. With the relay, with copies, and where connection sync is evidence, it
 * hears or counts what kernels send, too. `elsewhere`: as for the check process.
 */
export function privilegesOfSync(
  { syncDaemon, cluster, instances }: Pick<Configuration, 'syncDaemon' | 'cluster' | 'instances'>,
  elsewhere: boolean,
): Privileges {
  const copies = cluster !== undefined && syncDaemon?.bulkPort !== 0;
  const isEvidence = instances.some(({ takeoverPolicy = 'silence' }) => takeoverPolicy !== 'silence');
  const listens = syncDaemon?.relay !== undefined || copies || isEvidence;
  const capabilities: Capability[] = ['net_admin'];
  if (listens) capabilities.push('net_raw');
  if (elsewhere) capabilities.push('sys_admin');
  return { capabilities, gains: false };
}

function readsFiles(check: CheckSettings): boolean {
  if (check.kind !== 'http' || check.tls === undefined) return false;
  const { ca, certificate, key } = check.tls;
  return (ca ?? certificate ?? key) !== undefined;
}

/** Whether a process that has `given` may do all that `wanted` says; `undefined` is everything. */
export function suffices(given: Privileges | undefined, wanted: Privileges | undefined): boolean {
  if (given === undefined) return true;
  if (wanted === undefined) return false;
  return (
    wanted.capabilities.every((capability) => given.capabilities.includes(capability)) &&
    (given.gains || !wanted.gains)
  );
}
