import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { parseIp } from '../core/ip.ts';
import type { Argv, DeviceFacts, HostFacts } from '../core/preparation/setting.ts';

const SYS = '/proc/sys';
/** Of each interface; what a host is prepared with, and what changes along with it. */
const OF_INTERFACES: Readonly<Record<string, readonly string[]>> = {
  'net/ipv4/conf': [
    'arp_ignore',
    'arp_announce',
    'rp_filter',
    'forwarding',
    'accept_redirects',
    'send_redirects',
  ],
  'net/ipv6/conf': ['forwarding', 'accept_ra'],
};

/** The settings of this host's kernel, in this network namespace. Throws when ip(8) can't be run. */
export function readHostFacts(): HostFacts {
  return {
    sysctls: Object.fromEntries(
      sysctlKeys().flatMap((key) => {
        const value = readValue(key);
        return value === undefined ? [] : [[key, value]];
      }),
    ),
    devices: readDevices(),
    modules: listing('/sys/module'),
    tables: readTables(),
  };
}

const sysctlKeys = (): string[] => [
  'net/ipv4/ip_forward',
  ...listing(`${SYS}/net/ipv4/vs`).map((name) => `net/ipv4/vs/${name}`),
  ...Object.entries(OF_INTERFACES).flatMap(([folder, names]) =>
    listing(`${SYS}/${folder}`).flatMap((device) => names.map((name) => `${folder}/${device}/${name}`)),
  ),
];

function readValue(key: string): string | undefined {
  try {
    return readFileSync(`${SYS}/${key}`, 'latin1').trim();
  } catch {
    // The interface has just gone, or the kernel has no such setting.
    return undefined;
  }
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

interface ShownDevice {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly local?: string; readonly prefixlen: number }[];
}

function readDevices(): DeviceFacts[] {
  const { status, stdout, why } = run(['ip', '-j', 'address', 'show']);
  if (status !== 0) throw new Error(why);
  return (JSON.parse(stdout) as readonly ShownDevice[])
    .filter(({ ifname }) => ifname !== undefined)
    .map(({ ifname, flags, addr_info }) => ({
      name: ifname,
      up: flags.includes('UP'),
      addresses: addr_info.flatMap(({ local = '', prefixlen }) => {
        const address = parseIp(local);
        return address === undefined ? [] : [{ address, length: prefixlen }];
      }),
    }));
}

/** None where nftables is not installed: then nothing of ours is in it. */
function readTables(): string[] {
  const { status, stdout } = run(['nft', 'list', 'tables']);
  return status === 0 ? Array.from(stdout.matchAll(/^table (.+)$/gm), ([, name = '']) => name.trim()) : [];
}

/** Runs a command to its end; why it failed, if it did. */
export const runCommand = (argv: Argv): string | undefined => {
  const { status, why } = run(argv);
  return status === 0 ? undefined : why;
};

/** Programs of Debian's packages, for those who lack one. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  sysctl: 'procps',
  nft: 'nftables',
  modprobe: 'kmod',
};
const LIMIT_MS = 30_000;
/** Devices by the thousand have long listings. */
const MAX_OUTPUT = 1 << 26;

/** Runs a command to its end; `why` says why it failed, if it did. The status is null where there is no program. */
export function run([program = '', ...words]: Argv): {
  readonly status: number | null;
  readonly stdout: string;
  readonly why: string;
} {
  const { status, signal, stdout, stderr, error } = spawnSync(program, words, {
    encoding: 'utf8',
    timeout: LIMIT_MS,
    maxBuffer: MAX_OUTPUT,
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    return { status, stdout: '', why: `there is no program ${program}: install ${PACKAGES[program]}` };
  }
  const said = (stderr ?? '').trim() || error?.message || `it ended with ${signal ?? status}`;
  return { status, stdout: stdout ?? '', why: said };
}
