import type { Destination, ServiceKey } from '../../balance/model.ts';
import type { Findings } from '../findings.ts';
import type { realServer } from '../grammar/virtual.ts';
import type { Token } from '../lex.ts';
import type { Entry } from '../tree.ts';
import type { ServiceSection } from './service.ts';

/** How packets reach a server. */
export type Forwarding = Pick<Destination, 'method' | 'tunnel'>;
type ForwardingEntry = Entry<(typeof realServer)['lvs_method']>;

const METHODS = { NAT: 'nat', DR: 'dr', TUN: 'tun' } as const;

/** The forwarding of a block: NAT unless it says otherwise, as in keepalived. */
export function blockForwarding(section: ServiceSection, keyword: Token, findings: Findings): Forwarding {
  if (!section.has('lvs_method')) {
    findings.warning(keyword, 'virtual_server has no lb_kind: NAT is used', { hint: 'write lb_kind NAT' });
  }
  return forwardingOf(section.last('lvs_method'), findings) ?? { method: 'nat' };
}

/** What a forwarding keyword says; the rules of tunnels are the kernel's (net/netfilter/ipvs/ip_vs_xmit.c). */
export function forwardingOf(entry: ForwardingEntry | undefined, findings: Findings): Forwarding | undefined {
  if (entry === undefined) return undefined;
  const [method, { type = 'ipip', port, ...checksums }] = entry.values;
  const at = entry.words[1] ?? entry.keyword;
  const fault = (message: string): void => findings.error(at, `${entry.keyword.text}: ${message}`);
  if (method !== 'TUN') {
    if (at !== entry.keyword) fault(`${method} has no tunnel options`);
    return { method: METHODS[method] };
  }
  const given = (['nocsum', 'csum', 'remcsum'] as const).filter((word) => checksums[word] !== undefined);
  const [checksum = 'nocsum'] = given;
  if (given.length > 1) fault(`only one of ${given.join(' and ')} is possible`);
  if (type === 'gue' && port === undefined) fault('a gue tunnel needs the port of its far end');
  if (type !== 'gue' && port !== undefined) fault('only a gue tunnel has a port');
  if (type === 'ipip' && checksum !== 'nocsum') fault('an ipip tunnel has no checksum');
  if (type === 'gre' && checksum === 'remcsum') fault('a gre tunnel has no remote checksum');
  return type === 'ipip' ? { method: 'tun' } : { method: 'tun', tunnel: { type, port: port ?? 0, checksum } };
}

/**
 * The port of a server in the table. Only NAT rewrites ports: DR and TUN keep the service's, and a mark has none,
 * so another one is not used for a service by address, as in keepalived. Of a group each service has its own: 0 here.
 */
export function portOf(
  keys: readonly ServiceKey[],
  grouped: boolean,
  { method }: Forwarding,
  written: number,
  at: Token,
  findings: Findings,
): number {
  const [first] = keys;
  const port = first?.kind === 'address' && !grouped ? first.port : 0;
  if (method === 'nat') return written === 0 ? port : written;
  const wrong = keys.find((key) => key.kind === 'address' && written !== 0 && key.port !== written);
  if (wrong?.kind === 'address') {
    const message = `${method.toUpperCase()} keeps the port of the service: ${wrong.port} is used, not ${written}`;
    const hint = `write ${wrong.port}, or nothing; only NAT maps ports`;
    findings.warning(at, message, { hint });
  }
  return port;
}
