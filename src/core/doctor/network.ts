import type { Configuration } from '../config/model.ts';
import { familyOf, formatPrefix, type Ip, networkOf, type Prefix } from '../ip.ts';
import type { DoctorFacts, HeardFacts } from './facts.ts';
import { type Finding, line } from './finding.ts';

/** The segment and what else works on it: real servers, other directors, other programs that manage interfaces. */

const destinations = ({ virtualServers }: Configuration) =>
  virtualServers.flatMap(({ realServers }) => realServers.map(({ destination }) => destination));

const isIn = (address: Ip, { ip, length }: Prefix): boolean =>
  familyOf(address) === familyOf(ip) &&
  formatPrefix(networkOf({ ip: address, length })) === formatPrefix(networkOf({ ip, length }));

/** Answers of NAT servers must come back through the director that is master: their gateway moves with it. */
export function gatewayFindings(configuration: Configuration, { devices }: DoctorFacts): Finding[] {
  const { instances } = configuration;
  const virtual = instances.flatMap(({ addresses, excluded }) => [...addresses, ...excluded]);
  const moving = new Set(virtual.map(({ address }) => address.ip));
  const networks = devices
    .filter(({ name }) => name !== 'lo')
    .flatMap(({ addresses }) => addresses.filter(({ ip }) => !moving.has(ip)));
  const found = new Map<string, Finding>();
  for (const { address, method } of destinations(configuration)) {
    if (method !== 'nat' || instances.length === 0) continue;
    if ([...moving].some((ip) => networks.some((net) => isIn(ip, net) && isIn(address, net)))) continue;
    const network = networks.find((each) => isIn(address, each));
    if (network === undefined) continue;
    const name = formatPrefix(networkOf(network));
    found.set(name, {
      severity: 'warning',
      subject: 'gateway',
      message:
        `NAT servers in ${name} need a gateway that moves with the master, ` +
        'and no virtual address is in that network',
      command: `ip route replace default via VIP   # with VIP a virtual_ipaddress of ${name} in vipkeeper's file`,
      on: 'each real server',
    });
  }
  return [...found.values()];
}

/** A real server that answers ARP for a VIP gets its packets past the director: both have one MAC address then. */
export function arpFindings(configuration: Configuration, { neighbours }: DoctorFacts): Finding[] {
  const vips = new Set(
    configuration.virtualServers.flatMap(({ services }) =>
      services.flatMap(({ key }) => (key.kind === 'address' ? [key.address] : [])),
    ),
  );
  const servers = new Set(
    destinations(configuration).flatMap(({ address, method }) => (method === 'nat' ? [] : address)),
  );
  return [...vips].flatMap((vip) => {
    const mac = neighbours[vip];
    const server = [...servers].find((each) => mac !== undefined && neighbours[each] === mac);
    if (server === undefined) return [];
    return [
      {
        severity: 'error',
        subject: 'ARP',
        message: `the real server ${server} answers ARP for ${vip}: clients go past the director`,
        command: line('vipkeeper', 'realserver', 'prepare', vip),
        on: server,
      } as const,
    ];
  });
}

/** Others that manage an interface take away what they did not put there. */
export function managerFindings({ instances }: Configuration, { managed }: DoctorFacts): Finding[] {
  const ours = new Set(
    instances.flatMap(({ interface: own, addresses }) => [own, ...addresses.flatMap(({ dev }) => dev ?? [])]),
  );
  return managed
    .filter(({ device }) => ours.has(device))
    .map(({ by, device, file }) => ({
      severity: 'warning',
      subject: by,
      message: `${by} manages ${device}, and removes virtual addresses when it sets the interface up anew`,
      command:
        by === 'NetworkManager'
          ? line('nmcli', 'device', 'set', device, 'managed', 'no')
          : `mkdir -p /etc/systemd/network/${file}.d && printf '[Network]\\nKeepConfiguration=yes\\n' ` +
            `>/etc/systemd/network/${file}.d/vipkeeper.conf && networkctl reload`,
    }));
}

export function interfaceFindings({ instances }: Configuration, { devices }: DoctorFacts): Finding[] {
  return instances.flatMap(({ name, interface: device, peers = [] }): Finding[] => {
    const found = devices.find((each) => each.name === device);
    if (found === undefined) {
      const message = `there is no interface ${device}, which ${name} needs`;
      return [{ severity: 'error', subject: 'interfaces', message, command: 'ip -br link' }];
    }
    if (!found.up) {
      const message = `${device} is down, which ${name} needs`;
      return [
        {
          severity: 'error',
          subject: 'interfaces',
          message,
          command: line('ip', 'link', 'set', device, 'up'),
        },
      ];
    }
    if (found.multicast || peers.length > 0) return [];
    const message = `${device} sends no multicast, which ${name} needs without unicast_peer`;
    const command = line('ip', 'link', 'set', device, 'multicast', 'on');
    return [{ severity: 'error', subject: 'interfaces', message, command }];
  });
}

/** A master that is preferred hears nobody while all is well; a backup or a fault that hears nobody is alone. */
const LONG_ENOUGH = 10;

export function peerFindings({ instances }: Configuration, { heard = [] }: DoctorFacts): Finding[] {
  const lonely = ({ state, age, peer }: HeardFacts): boolean =>
    !peer && state !== 'MASTER' && state !== 'INIT' && age >= LONG_ENOUGH;
  return heard.flatMap((router): Finding[] => {
    const { interface: device = 'any' } = instances.find(({ name }) => name === router.name) ?? {};
    const command = line('tcpdump', '-nvi', device, 'ip proto 112 or ip6 proto 112');
    if (router.rejected > 0 && !router.peer) {
      const message = `${router.name} drops every advert that it hears: vipkeeper status ${router.name} says why`;
      return [{ severity: 'error', subject: 'peer', message, command }];
    }
    if (!lonely(router)) return [];
    const message =
      `${router.name} has heard no other router: a packet filter that drops protocol 112, ` +
      'a switch that drops 224.0.0.18, or nobody there';
    return [{ severity: 'warning', subject: 'peer', message, command }];
  });
}
