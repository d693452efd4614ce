import type { Configuration } from '../config/model.ts';
import { counted } from '../counted.ts';
import { familyOf } from '../ip.ts';
import { sysctlName } from '../preparation/setting.ts';
import type { DoctorFacts } from './facts.ts';
import { type Finding, line } from './finding.ts';

/** Modules, sysctls and programs that a configuration needs of the kernel and the host. */

/** The modules that the configuration needs, by what each is for. */
export function neededModules({
  virtualServers,
  instances,
  syncDaemon,
}: Configuration): ReadonlyMap<string, string> {
  const needed = new Map<string, string>();
  if (virtualServers.length > 0) needed.set('ip_vs', 'virtual servers');
  for (const { services } of virtualServers) {
    for (const { scheduler, engine } of services) {
      if (scheduler !== 'none') needed.set(`ip_vs_${scheduler}`, `the scheduler ${scheduler}`);
      if (engine !== undefined) needed.set(`ip_vs_pe_${engine}`, `the persistence engine ${engine}`);
    }
  }
  if (syncDaemon?.relay !== undefined) needed.set('dummy', 'sync_relay');
  for (const { virtual, addresses } of instances) {
    if (virtual?.sort.kind === 'ipvlan') needed.set('ipvlan', 'use_ipvlan');
    if (virtual?.sort.kind === 'macvlan' || addresses.some(({ vmac }) => vmac !== undefined))
      needed.set('macvlan', 'use_vmac');
  }
  return needed;
}

export function moduleFindings(configuration: Configuration, { modules, loadable }: DoctorFacts): Finding[] {
  const missing = [...neededModules(configuration)].filter(
    ([name]) => !modules.includes(name) && loadable[name] === false,
  );
  if (missing.length === 0) return [];
  const names = missing.map(([name, what]) => `${name} (for ${what})`).join(', ');
  return [
    {
      severity: 'error',
      subject: 'kernel modules',
      message: `this kernel does not have ${names}`,
      // Debian's kernel for clouds and Ubuntu's base package leave them out.
      command: 'apt-get install linux-image-amd64   # Ubuntu: linux-modules-extra-$(uname -r)',
    },
  ];
}

/** NAT goes through the host's forwarding; direct routing and tunnels do not. */
export function sysctlFindings({ virtualServers }: Configuration, { sysctls }: DoctorFacts): Finding[] {
  const servers = virtualServers.flatMap(({ realServers }) =>
    realServers.map(({ destination }) => destination),
  );
  const nat = servers.filter(({ method }) => method === 'nat');
  const has = (family: 4 | 6): boolean => nat.some(({ address }) => familyOf(address) === family);
  const wanted = (key: string, value: string, severity: Finding['severity'], message: string): Finding[] =>
    sysctls[key] === undefined || sysctls[key] === value
      ? []
      : [
          {
            severity,
            subject: 'sysctls',
            message,
            command: line('sysctl', '-w', `${sysctlName(key)}=${value}`),
          },
        ];
  const redirects = Object.keys(sysctls).filter((key) =>
    /^net\/ipv4\/conf\/(?!lo\/)[^/]+\/send_redirects$/.test(key),
  );
  const told = redirects.filter((key) => sysctls[key] === '1');
  return [
    ...(has(4)
      ? wanted(
          'net/ipv4/ip_forward',
          '1',
          'error',
          'IPv4 is not forwarded: answers of NAT servers go nowhere',
        )
      : []),
    ...(has(6)
      ? wanted(
          'net/ipv6/conf/all/forwarding',
          '1',
          'error',
          'IPv6 is not forwarded: answers of NAT servers go nowhere',
        )
      : []),
    ...(has(4) && told.length > 0
      ? [
          {
            severity: 'warning',
            subject: 'sysctls',
            message:
              `redirects are sent on ${counted(told.length, 'interface')}: ` +
              'NAT servers learn of a way past this director',
            command: 'vipkeeper director prepare',
          } as const,
        ]
      : []),
  ];
}

/**
 * A strict reverse path filter drops what comes in where the answer would not go out: clients from elsewhere reach a
 * VIP on an interface that is not the way to them. The larger of `all` and the interface's own counts (ip-sysctl).
 */
export function reversePathFindings(
  { instances, virtualServers }: Configuration,
  { sysctls, defaultDevices }: DoctorFacts,
): Finding[] {
  if (virtualServers.length === 0 || defaultDevices.length === 0) return [];
  const devices = new Set(
    instances.flatMap(({ interface: own, addresses }) => addresses.map(({ dev }) => dev ?? own)),
  );
  const value = (name: string): number => Number(sysctls[`net/ipv4/conf/${name}/rp_filter`] ?? 0);
  return [...devices]
    .filter((device) => !defaultDevices.includes(device) && Math.max(value('all'), value(device)) === 1)
    .map((device) => ({
      severity: 'warning',
      subject: 'rp_filter',
      message: `${device} takes only packets whose answers leave there, and the default route is elsewhere`,
      command: line('sysctl', '-w', `${sysctlName(`net/ipv4/conf/${device}/rp_filter`)}=2`),
    }));
}

const NEARLY_FULL = 0.8;

export function conntrackFindings({ conntrack }: DoctorFacts): Finding[] {
  if (conntrack === undefined || conntrack.count < conntrack.max * NEARLY_FULL) return [];
  const { count, max } = conntrack;
  return [
    {
      severity: count >= max ? 'error' : 'warning',
      subject: 'conntrack',
      message: `connection tracking has ${count} of at most ${max} entries: when it is full, packets are dropped`,
      command: line('sysctl', '-w', `net.netfilter.nf_conntrack_max=${max * 4}`),
    },
  ];
}

/** Adverts that carry the time are refused by who has another. */
export function clockFindings({ instances }: Configuration, { clockSynced }: DoctorFacts): Finding[] {
  if (clockSynced !== false) return [];
  const timed = instances.find(({ hmac }) => hmac?.antiReplay === 'time');
  return [
    {
      severity: timed === undefined ? 'warning' : 'error',
      subject: 'clocks',
      message:
        timed === undefined
          ? 'nothing keeps the clock right (NTP): times in the logs of two directors can not be compared'
          : `nothing keeps the clock right (NTP), and the adverts of ${timed.name} carry the time (auth_hmac)`,
      command: 'timedatectl set-ntp true',
    },
  ];
}

/** nft(8) makes the rules of no_accept and strict mode. */
export function programFindings({ instances }: Configuration, { programs }: DoctorFacts): Finding[] {
  if (programs.includes('nft') || !instances.some(({ noAccept }) => noAccept === true)) return [];
  return [
    {
      severity: 'error',
      subject: 'programs',
      message: 'no_accept needs nft(8), and there is none',
      command: 'apt-get install nftables',
    },
  ];
}
