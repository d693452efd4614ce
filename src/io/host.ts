import { accessSync, constants, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Facts, ProgramFacts } from '../core/config/facts.ts';
import { parseRoutingNames, ROUTING_NAMES, type RoutingNameKind } from '../core/config/rtnames.ts';
import { parseIp } from '../core/ip.ts';
import { agentFacts } from './agentmetadata.ts';
import { calendarFault } from './cron.ts';
import { passes } from './errno.ts';

const GROUP_CAN_WRITE = 0o020;
const OTHERS_CAN_WRITE = 0o002;
const OTHERS_CAN_READ = 0o077;
const STICKY = 0o1000;
/** Where programs are; what a system's service finds, when nobody says. */
const PATH = process.env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What a configuration's check may ask of this host. Asked once for each name; nothing is kept. Throws what may pass by
 * itself: what is there must not count as missing.
 */
export const hostFacts: Facts = {
  isOwnAddress(address) {
    const all = Object.values(networkInterfaces()).flat();
    return all.some((found) => found !== undefined && parseIp(found.address.replace(/%.*/, '')) === address);
  },
  // Not /sys, which goes on showing the network namespace that it was mounted in.
  hasInterface: (name) =>
    readOf('/proc/self/net/dev')
      .split('\n')
      .some((line) => line.trimStart().startsWith(`${name}:`)),
  // It is of the network namespace of whoever reads it, wherever it was mounted.
  mtu: (name) => Number(readOf(`/proc/sys/net/ipv6/conf/${name}/mtu`)) || undefined,
  user(name) {
    const [, , uid, gid] = entryOf('/etc/passwd', name) ?? [];
    return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
  },
  group(name) {
    const gid = entryOf('/etc/group', name)?.[2];
    return gid === undefined ? undefined : Number(gid);
  },
  program: programFacts,
  isExposed(path) {
    const mode = statOf(path)?.mode ?? 0;
    return (mode & OTHERS_CAN_READ) !== 0;
  },
  routingNames,
  calendarFault,
  fenceAgent: agentFacts,
};

/** The file itself, of one folder only, then all `*.conf` in its `.d` folders (iproute2's own order). */
function routingNames(kind: RoutingNameKind, folders: readonly string[]): Map<string, number> {
  const { file, most } = ROUTING_NAMES[kind];
  const main = folders.map((folder) => join(folder, file)).findLast((path) => statOf(path)?.isFile());
  const more = new Map<string, string>();
  for (const folder of folders) {
    const below = join(folder, `${file}.d`);
    if (!statOf(below)?.isDirectory()) continue;
    for (const name of readdirSync(below).sort()) {
      if (/^[^.].*\.conf$/.test(name)) more.set(name, join(below, name));
    }
  }
  const texts = [...(main === undefined ? [] : [main]), ...more.values()].map(readOf);
  return new Map(texts.flatMap((text) => [...parseRoutingNames(text, most)]));
}

/** Empty for what is not there, and for what this user may not read. */
function readOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (passes(error)) throw error;
    return '';
  }
}

/** The fields of a line of a colon-separated file. */
function entryOf(file: string, name: string): string[] | undefined {
  const line = readOf(file)
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  return line?.split(':');
}

/** `undefined` for what is not there, and for what this user may not see. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (passes(error)) throw error;
    return undefined;
  }
}

function programFacts(name: string): ProgramFacts {
  const candidates = name.includes('/') ? [name] : PATH.split(delimiter).map((folder) => join(folder, name));
  const path = candidates.find((candidate) => statOf(candidate)?.isFile());
  if (path === undefined) return { kind: 'missing' };
  const writable = isAbsolute(path) ? writableBelow(path) : undefined;
  return { kind: 'found', executable: canExecute(path), ...(writable === undefined ? {} : { writable }) };
}

function canExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (passes(error)) throw error;
    return false;
  }
}

/** The file itself or the first folder above it that somebody else than root can change. */
function writableBelow(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    const found = statOf(at);
    if (found === undefined) return undefined;
    const { mode, uid, gid } = found;
    const shared = (mode & STICKY) !== 0 && at !== path;
    const byGroup = gid !== 0 && (mode & GROUP_CAN_WRITE) !== 0;
    if (uid !== 0 || (!shared && (byGroup || (mode & OTHERS_CAN_WRITE) !== 0))) return at;
    if (at === dirname(at)) return undefined;
  }
}
