import { readFileSync } from 'node:fs';
import { statusOf, vipkeeper } from './director.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { Program } from './program.ts';
import { run } from './run.ts';
import type { Scene } from './scene.ts';
import { ECHO_PORT, HTTP_PORT } from './traffic.ts';

/** The address that clients know, and the one that real servers behind NAT send their answers to. */
export const VIP = '10.0.0.100';
const INNER_VIP = '192.168.1.254';
/** Of services by IPv6, which go where VIP goes. */
const VIP6 = 'fd00::100';

export interface PairOptions {
  readonly method: 'NAT' | 'DR' | 'TUN';
  /** The services are IPv6; not with NAT. */
  readonly ipv6?: boolean;
  /** `persistence_timeout` of the services, in seconds. */
  readonly persistence?: number;
  /** Further lines of `global_defs`. */
  readonly global?: string;
  /** A further line of the virtual router. */
  readonly router?: string;
  /** `advert_int` in seconds; below 1 the instances speak version 3. */
  readonly advert?: number;
  /** Seconds between checks of a real server. */
  readonly checkEvery?: number;
  /** Without connection sync, to show what it is for. */
  readonly unsynced?: boolean;
  /** Neither director takes the VIP from a living master. */
  readonly nopreempt?: boolean;
  /** The key of a heartbeat block, by file: with it a new backup gets a copy of the whole connection table. */
  readonly keyFile?: string;
  /** The key of `sync_relay`, by file: the daemons carry connection sync. */
  readonly relayKey?: string;
  /** Who comes back takes over when its connection table is complete. */
  readonly awaitsSync?: boolean;
}

/** Two directors in front of two real servers, and a client: the stage of most stories. */
export interface Pair {
  readonly directors: readonly [Host, Host];
  readonly servers: readonly [Host, Host];
  readonly user: Host;
  /** The address of the services. */
  readonly vip: string;
  readonly lan: Link;
  /** The links of the directors: `lan`, and with NAT the real servers' own. */
  readonly links: readonly Link[];
  /** Starts vipkeeperd on a director; the first has the higher priority. */
  start(director: Host): Program;
  /** Established connections to the echo service in a living director's kernel, however it learned of them. */
  connections(director: Host): number;
}

/**
 * Builds the stage. NAT: clients on `lan`, real servers on `rack`, directors on both. DR and TUN: everybody on
 * `lan`, and the real servers hold the VIP without answering ARP for it.
 */
export function buildPair(scene: Scene, options: PairOptions): Pair {
  const { method, ipv6 = false } = options;
  const vip = ipv6 ? VIP6 : VIP;
  const lan = scene.link('lan');
  const rack = method === 'NAT' ? scene.link('rack') : lan;
  const director = (n: number): Host => {
    const host = scene.host(`director${n}`).on(lan, `10.0.0.${n}/24`, `fd00::${n}/64`).forwarding();
    return method === 'NAT' ? host.on(rack, `192.168.1.${n}/24`) : host;
  };
  const server = (n: number): Host =>
    method === 'NAT'
      ? scene
          .host(`rs${n}`)
          .on(rack, `192.168.1.${10 + n}/24`)
          .via(INNER_VIP)
      : behindTheVip(scene.host(`rs${n}`).on(lan, `10.0.0.${20 + n}/24`, `fd00::${20 + n}/64`), method, vip);
  const directors = [director(1), director(2)] as const;
  const servers = [server(1), server(2)] as const;
  const user = scene.host('user').on(lan, '10.0.0.10/24', 'fd00::10/64');
  const daemons = new Map<Host, Program>();
  const start = (host: Host): Program => {
    const daemon = vipkeeper(host, pairConfiguration(options, host === directors[0]));
    daemons.set(host, daemon);
    return daemon;
  };
  const connections = (host: Host): number => establishedIn(daemons.get(host)?.child.pid);
  const links = method === 'NAT' ? [lan, rack] : [lan];
  return { directors, servers, user, vip, lan, links, start, connections };
}

/** A real server that answers clients itself. */
function behindTheVip(host: Host, method: PairOptions['method'], vip: string): Host {
  host.holdsQuietly(vip);
  if (method !== 'TUN') return host;
  run(['modprobe', 'ipip']);
  host.run('ip', 'link', 'set', 'tunl0', 'up');
  return host.sysctl({ 'net.ipv4.conf.tunl0.rp_filter': 0 });
}

/** The kernel's table as a process sees it: to read it, no program is started. */
function establishedIn(pid: number | undefined): number {
  const port = ECHO_PORT.toString(16).toUpperCase().padStart(4, '0');
  const table = readFileSync(`/proc/${pid}/net/ip_vs_conn`, 'latin1').split('\n');
  return table.filter((line) => line.includes(' ESTABLISHED ') && line.split(' ')[4] === port).length;
}

/** The configuration of a director of the pair, in keepalived's language. */
export function pairConfiguration(options: PairOptions, preferred: boolean): string {
  const {
    method,
    advert = 1,
    checkEvery = 1,
    unsynced = false,
    nopreempt = false,
    keyFile,
    relayKey,
    awaitsSync = false,
    ipv6 = false,
    persistence,
    global = '',
    router = '',
  } = options;
  const vip = ipv6 ? VIP6 : VIP;
  const inner = method === 'NAT' ? `\n    ${INNER_VIP}/24 dev rack` : '';
  const real = (n: number): string =>
    method === 'NAT' ? `192.168.1.${10 + n}` : ipv6 ? `fd00::${20 + n}` : `10.0.0.${20 + n}`;
  const virtualServer = (port: number): string => `
virtual_server ${vip} ${port} {
  delay_loop ${checkEvery}
  lb_algo rr
  lb_kind ${method}
  protocol TCP
  ${persistence === undefined ? '' : `persistence_timeout ${persistence}`}
${[1, 2].map((n) => realServerBlock(real(n), port)).join('\n')}
}`;
  const device = relayKey !== undefined ? 'vksync' : method === 'NAT' ? 'rack' : 'lan';
  const sync = `lvs_sync_daemon ${device} VI_1`;
  const [own, other] = preferred ? [1, 2] : [2, 1];
  const relay = `
sync_relay {
  key_file ${relayKey}
  local 10.0.0.${own}
  peer 10.0.0.${other}
}`;
  const heartbeat = `
heartbeat {
  key_file ${keyFile}
  director director1 10.0.0.1
  director director2 10.0.0.2
  name director${preferred ? 1 : 2}
}`;
  return `${keyFile === undefined ? '' : heartbeat}${relayKey === undefined ? '' : relay}
global_defs {
  ${unsynced ? '' : sync}
  ${global}
}

vrrp_instance VI_1 {
  state ${preferred && !nopreempt ? 'MASTER' : 'BACKUP'}
  ${nopreempt ? 'nopreempt' : ''}
  ${awaitsSync ? 'preempt_after_sync' : ''}
  version ${advert < 1 ? 3 : 2}
  ${router}
  interface lan
  virtual_router_id 51
  priority ${preferred ? 150 : 100}
  advert_int ${advert}
  virtual_ipaddress {
    ${VIP}/${method === 'NAT' ? 24 : 32}${inner}
  }${ipv6 ? `\n  virtual_ipaddress_excluded {\n    ${VIP6}/128\n  }` : ''}
}
${virtualServer(ECHO_PORT)}
${virtualServer(HTTP_PORT)}
`;
}

const realServerBlock = (address: string, port: number): string => `  real_server ${address} ${port} {
    TCP_CHECK {
      connect_timeout 10
      retry 0
    }
  }`;

/** The state of the pair's virtual router on a director, as its daemon tells; '' when nobody answers. */
export async function stateOf(director: Host): Promise<string> {
  return (await statusOf(director))?.vrrp?.instances[0]?.state ?? '';
}
