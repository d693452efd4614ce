import type { Ip } from '../ip.ts';
import { parseIp } from '../ip.ts';
import { IP_PROTOCOL } from '../netlink/ipvs.ts';
import type { NameDirectory } from './endpoint.ts';
import { endpointText } from './endpoint.ts';
import { ipv4Text } from './values.ts';

/** The connection table: `/proc/net/ip_vs_conn` read and shown as `-L -c` does. */

interface Endpoint {
  readonly address: Ip;
  readonly port: number;
}

export interface Connection {
  /** As the kernel names it: TCP, UDP, SCTP; IP for a firewall mark's template. */
  readonly protocol: string;
  readonly client: Endpoint;
  readonly virtual: Endpoint;
  readonly destination: Endpoint;
  readonly state: string;
  /** Seconds left. */
  readonly expires: number;
  /** Of a persistence engine: its name and what it keeps. */
  readonly engine?: { readonly name: string; readonly data: string };
}

/** The rows of the kernel's text (net/netfilter/ipvs/ip_vs_conn.c); its title and broken rows are left out. */
export function parseConnections(text: string): Connection[] {
  const rows = text.split('\n').slice(1);
  return rows.map(parseConnection).filter((row) => row !== undefined);
}

/** One row of that text; `undefined` for its title and what is no row. */
export function parseConnection(row: string): Connection | undefined {
  const words = row.trim().split(/\s+/);
  const [protocol, c1, c2, v1, v2, d1, d2, state, expires, name, data] = words;
  const client = parseHexEndpoint(c1, c2);
  const virtual = parseHexEndpoint(v1, v2);
  const destination = parseHexEndpoint(d1, d2);
  if (client === undefined || virtual === undefined || destination === undefined) return undefined;
  if (protocol === undefined || state === undefined || !/^-?\d+$/.test(expires ?? '')) return undefined;
  return {
    protocol,
    client,
    virtual,
    destination,
    state,
    expires: Number(expires),
    ...(name !== undefined && data !== undefined && { engine: { name, data } }),
  };
}

function parseHexEndpoint(address: string | undefined, port: string | undefined): Endpoint | undefined {
  if (address === undefined || !/^[0-9A-F]{1,4}$/i.test(port ?? '')) return undefined;
  const parsed = /^[0-9A-F]{8}$/i.test(address) ? ipv4Text(Number.parseInt(address, 16)) : parseIp(address);
  return parsed === undefined ? undefined : { address: parsed, port: Number.parseInt(port ?? '', 16) };
}

/** `engineData` adds two columns to the rows that have something for them. */
export function connectionsText(
  connections: readonly Connection[],
  engineData: boolean,
  names: NameDirectory,
): string {
  const title = engineData ? 'destination        pe name          pe_data' : 'destination';
  const head = `IPVS connection entries\npro expire state       source             virtual            ${title}\n`;
  return head + connections.map((connection) => connectionLine(connection, engineData, names)).join('');
}

function connectionLine(connection: Connection, engineData: boolean, names: NameDirectory): string {
  const { protocol, client, virtual, destination, state, expires, engine } = connection;
  const number = Object.entries(IP_PROTOCOL).find(([name]) => name === protocol.toLowerCase())?.[1] ?? 0;
  const at = ({ address, port }: Endpoint): string => endpointText(address, port, number, names);
  const minutes = String(Math.trunc(expires / 60)).padStart(2, '0');
  const left = `${minutes}:${String(expires % 60).padStart(2, '0')}`;
  const start =
    `${protocol.padEnd(3)} ${left.padEnd(6)} ${state.padEnd(11)} ` +
    `${at(client).padEnd(18)} ${at(virtual).padEnd(18)} `;
  if (!engineData || engine === undefined) return `${start}${at(destination)}\n`;
  return `${start}${at(destination).padEnd(16)} ${engine.name.padEnd(18)} ${engine.data}\n`;
}
