/** The settings of IPVS in the kernel (net.ipv4.vs): which a configuration may have, and how they are put back. */

export interface LvsSysctl {
  /** Below net.ipv4.vs. */
  readonly name: string;
  /** A number, or the two of `sync_threshold`: `3 50`. */
  readonly value: string;
}

const INT_MAX = 2_147_483_647;
const FLAG = 1;
/** The greatest value of each (net/netfilter/ipvs/ip_vs_ctl.c, Documentation/networking/ipvs-sysctl.rst). */
export const LVS_SYSCTLS = {
  am_droprate: INT_MAX,
  amemthresh: INT_MAX,
  backup_only: FLAG,
  cache_bypass: FLAG,
  conn_reuse_mode: FLAG,
  conntrack: FLAG,
  drop_entry: 3,
  drop_packet: 3,
  expire_nodest_conn: FLAG,
  expire_quiescent_template: FLAG,
  ignore_tunneled: FLAG,
  nat_icmp_send: FLAG,
  pmtu_disc: FLAG,
  schedule_icmp: FLAG,
  secure_tcp: 3,
  sloppy_sctp: FLAG,
  sloppy_tcp: FLAG,
  snat_reroute: FLAG,
  sync_persist_mode: FLAG,
  sync_ports: 64,
  sync_qlen_max: INT_MAX,
  sync_refresh_period: INT_MAX,
  sync_retries: 3,
  sync_sock_size: INT_MAX,
  sync_threshold: INT_MAX,
  sync_version: FLAG,
} as const;
export type LvsSysctlName = keyof typeof LVS_SYSCTLS;
export const LVS_SYSCTL_NAMES = Object.keys(LVS_SYSCTLS) as LvsSysctlName[];

/**
 * What is wrong with values for a setting, in words; `undefined` when the kernel takes them. `sync_threshold` has two:
 * after how many packets a connection is told, and again each so many; the others have one.
 */
export function wrongSysctl(
  name: LvsSysctlName,
  value: number,
  second: number | undefined,
): string | undefined {
  const most = LVS_SYSCTLS[name];
  if (value > most) return `${name} is 0 to ${most}, not ${value}`;
  if (name === 'sync_ports' && (value === 0 || (value & (value - 1)) !== 0))
    return `sync_ports is a power of two, 1 to 64, not ${value}`;
  if (name !== 'sync_threshold') return second === undefined ? undefined : `${name} has one value`;
  if (second === undefined) return 'sync_threshold has two values: 3 50';
  return second === 0 || second > value
    ? undefined
    : `the second value of sync_threshold is 0 or more than ${value}`;
}

/** What a setting was before we changed it, and what it is now. */
export interface KeptSysctl {
  readonly name: string;
  readonly before: string;
  readonly ours: string;
}

export interface SysctlPlan {
  readonly writes: readonly LvsSysctl[];
  /** What is changed after these. */
  readonly kept: readonly KeptSysctl[];
  /** What this kernel does not have. */
  readonly missing: readonly string[];
}

/**
 * What to write so that the kernel has what is wanted, and of what we changed earlier (`kept`) and want no more what it
 * was before. What somebody else has set since is theirs. `now` reads a value; `undefined` where there is none.
 */
export function planSysctls(
  wanted: readonly LvsSysctl[],
  kept: readonly KeptSysctl[],
  now: (name: string) => string | undefined,
): SysctlPlan {
  const names = new Set(wanted.map(({ name }) => name));
  const back = kept.filter(({ name, ours }) => !names.has(name) && now(name) === ours);
  const missing: string[] = [];
  const writes: LvsSysctl[] = back.map(({ name, before }) => ({ name, value: before }));
  const changed: KeptSysctl[] = [];
  for (const { name, value } of wanted) {
    const current = now(name);
    const known = kept.find((each) => each.name === name && each.ours === current);
    const before = known?.before ?? current;
    if (current === undefined || before === undefined) missing.push(name);
    else if (current !== value) writes.push({ name, value });
    if (before !== undefined && before !== value) changed.push({ name, before, ours: value });
  }
  return { writes, kept: changed, missing };
}

/** What an earlier supervisor wrote down; `undefined` when it is none. */
export function parseKeptSysctl(text: string): KeptSysctl | undefined {
  try {
    const { name, before, ours } = JSON.parse(text);
    const values = [before, ours].every((value) => typeof value === 'string' && /^\d+( \d+)?$/.test(value));
    return Object.hasOwn(LVS_SYSCTLS, name) && values ? { name, before, ours } : undefined;
  } catch {
    return undefined;
  }
}
