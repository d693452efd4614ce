import { createSocket } from 'node:dgram';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { DoctorFacts } from '../core/doctor/facts.ts';
import { familyOf, type Ip } from '../core/ip.ts';
import { LINK_FLAG } from '../core/netlink/link.ts';
import { readHostFacts, run } from './kernelsettings.ts';
import { isInNamespace } from './namespace.ts';
import { RouteSocket } from './route.ts';

/** What is to be looked at besides what every host has. */
export interface DoctorQuestions {
  readonly modules: Iterable<string>;
  /** Whose hardware addresses are asked for. */
  readonly neighbours: readonly Ip[];
}

/** The port "discard": what is sent there makes the kernel ask for a neighbour, and disturbs nobody. */
const DISCARD = 9;
const ANSWER_MS = 500;
const FILTERS = [
  ['nft', 'list', 'ruleset'],
  ['iptables-save'],
  ['ip6tables-save'],
  ['iptables-legacy-save'],
  ['ip6tables-legacy-save'],
];

/** Looks at this host, in this network namespace. What can't be read is left out, and why is in `unread`. */
export async function readDoctorFacts(questions: DoctorQuestions): Promise<DoctorFacts> {
  const unread: string[] = [];
  const { sysctls, modules } = readHostFacts();
  await touch(questions.neighbours);
  const socket = new RouteSocket();
  try {
    const links = socket.links();
    const addresses = socket.addresses();
    const neighbours = ([4, 6] as const).flatMap((family) => socket.neighbours(family));
    const rules = readRules();
    if (rules === undefined)
      unread.push('the rules of the packet filter: only root may read them, with nft or iptables-save');
    const [conntrack, clockSynced] = [readConntrack(), readClock()];
    return {
      ...{ sysctls, modules, unread },
      devices: links.map(({ ifindex, name, flags }) => ({
        name,
        up: (flags & LINK_FLAG.up) !== 0,
        multicast: (flags & LINK_FLAG.multicast) !== 0,
        addresses: addresses.filter((each) => each.ifindex === ifindex).map(({ address }) => address),
      })),
      defaultDevices: defaultDevices(),
      loadable: loadable(questions.modules),
      ...(rules !== undefined && { rules }),
      ...(conntrack && { conntrack }),
      ...(clockSynced !== undefined && { clockSynced }),
      managed: links.flatMap(({ ifindex, name }) => managersOf(ifindex, name)),
      neighbours: Object.fromEntries(neighbours.flatMap(({ address, mac }) => (mac ? [[address, mac]] : []))),
      programs: ['nft'].filter(isThere),
    };
  } finally {
    socket.close();
  }
}

/** Sends each a datagram, so that the kernel looks for them if they are on a segment of this host. */
async function touch(neighbours: readonly Ip[]): Promise<void> {
  if (neighbours.length === 0) return;
  const sockets = { 4: createSocket('udp4'), 6: createSocket('udp6') };
  for (const socket of Object.values(sockets)) socket.on('error', () => undefined);
  for (const address of neighbours) sockets[familyOf(address)].send('', DISCARD, address, () => undefined);
  await wait(ANSWER_MS);
  for (const socket of Object.values(sockets)) socket.close();
}

function readRules(): string | undefined {
  const texts = FILTERS.flatMap((argv) => {
    const { status, stdout } = run(argv);
    return status === 0 ? [stdout] : [];
  });
  return texts.length === 0 ? undefined : texts.join('\n');
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Interfaces of IPv4 default routes: a destination and mask of zeros. */
const defaultDevices = (): string[] =>
  (textOf('/proc/self/net/route') ?? '')
    .split('\n')
    .map((line) => line.split('\t'))
    .flatMap(([device = '', destination, , , , , , mask]) =>
      destination === '00000000' && mask === '00000000' ? [device] : [],
    );

/** Without modprobe(8) nobody knows. */
function loadable(names: Iterable<string>): Record<string, boolean> {
  const known = [...names].flatMap((name) => {
    const { status } = run(['modprobe', '-n', '-q', '--', name]);
    return status === null ? [] : [[name, status === 0]];
  });
  return Object.fromEntries(known);
}

function readConntrack(): DoctorFacts['conntrack'] {
  const [count, max] = ['count', 'max'].map((name) =>
    Number(textOf(`/proc/sys/net/netfilter/nf_conntrack_${name}`) ?? Number.NaN),
  );
  return count !== undefined && max !== undefined && max > 0 ? { count, max } : undefined;
}

function readClock(): boolean | undefined {
  const { status, stdout } = run(['timedatectl', 'show', '-p', 'NTPSynchronized', '--value']);
  if (status !== 0) return undefined;
  return stdout.trim() === 'yes';
}

/** systemd-networkd and NetworkManager say by files what they manage, by the numbers of the host's own interfaces. */
function managersOf(ifindex: number, device: string): DoctorFacts['managed'][number][] {
  if (!isHostsOwn()) return [];
  const networkd = textOf(`/run/systemd/netif/links/${ifindex}`) ?? '';
  const [, file] = /^NETWORK_FILE=(.+)$/m.exec(networkd) ?? [];
  const manager = textOf(`/run/NetworkManager/devices/${ifindex}`) ?? '';
  return [
    ...(/^ADMIN_STATE=configured$/m.test(networkd) && file !== undefined && !keepsAddresses(file)
      ? [{ by: 'systemd-networkd', device, file: basename(file) } as const]
      : []),
    ...(/^managed=(true|1)$/m.test(manager) ? [{ by: 'NetworkManager', device, file: '' } as const] : []),
  ];
}

/** Whether a .network file, or a file of its drop-in folders, tells systemd-networkd to keep addresses of others. */
function keepsAddresses(file: string): boolean {
  const folders = ['/etc', '/run', '/usr/lib'].map((root) => `${root}/systemd/network/${basename(file)}.d`);
  const dropIns = folders.flatMap((folder) =>
    namesIn(folder).flatMap((name) => (name.endsWith('.conf') ? [join(folder, name)] : [])),
  );
  return [file, ...dropIns].some((each) =>
    /^KeepConfiguration=(yes|true|1|on|static)\s*$/m.test(textOf(each) ?? ''),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It need not be there.
    return [];
  }
}

function isHostsOwn(): boolean {
  try {
    return isInNamespace('/proc/1/ns/net');
  } catch {
    return false;
  }
}

const isThere = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) =>
    existsSync(join(folder, program)),
  );
