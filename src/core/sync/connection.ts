import type { Family, Ip } from '../ip.ts';

/** What a record of connection sync says: one entry of the kernel's connection table, as it goes to the backup. */

export interface SyncEndpoint {
  readonly address: Ip;
  readonly port: number;
}

/** How far the sequence numbers of one direction are shifted (struct ip_vs_seq). Each is a number of 32 bits. */
export interface SequenceShift {
  /** The shift is `delta` from this number on, and `previous` before. */
  readonly from: number;
  readonly delta: number;
  readonly previous: number;
}

/** A record. The addresses are of one family. */
export interface SyncedConnection {
  /** The number of the IP protocol; 0 for the template of a firewall mark. */
  readonly protocol: number;
  /** SYNC_FLAG bits, the forwarding method (METHOD of netlink/ipvs) in the lowest three. */
  readonly flags: number;
  /** A number that depends on the protocol: `stateName`. */
  readonly state: number;
  /** Port 0 in templates. */
  readonly client: SyncEndpoint;
  /** In the template of a firewall mark the mark stands for the address, and the port is 0. */
  readonly virtual: SyncEndpoint;
  readonly destination: SyncEndpoint;
  /** The service's firewall mark, 0 for none. Version 0 does not carry it. */
  readonly fwmark: number;
  /**
   * Seconds that the backup keeps the entry. The kernel sends the timeout of the state, not what is left of it. With 0
   * the backup takes its own. Version 0 does not carry it.
   */
  readonly timeout: number;
  /**
   * Of connections whose content the director changes (FTP without netfilter); `SYNC_FLAG.sequences` in `flags` says it
   * too. Not to be believed in version 1: Linux 6.1 copies the wrong way when it writes them (hton_seq), so they hold
   * what was in memory before; read they are right.
   */
  readonly sequence?: { readonly in: SequenceShift; readonly out: SequenceShift };
  /** What a persistence engine knows of the template. Version 0 does not carry it. */
  readonly engine?: SyncedEngine;
}

export interface SyncedEngine {
  /** `sip`: 1 to 16 characters of one byte. */
  readonly name: string;
  /** 1 to 255 bytes. Nothing, or a name alone, has no effect in the kernel. */
  readonly data: Uint8Array;
}

/** Bits of `flags` (IP_VS_CONN_F_*). */
export const SYNC_FLAG = {
  /** The forwarding method. */
  method: 0x7,
  /** The sender has it by sync itself. */
  sync: 0x20,
  /** Answers do not come through the director: all methods but masquerade. */
  noOutput: 0x80,
  /** Not counted as active. */
  inactive: 0x100,
  outSequence: 0x200,
  inSequence: 0x400,
  /** Either; then a record of version 0 has 24 more bytes. */
  sequences: 0x600,
  /** The client's port is not known yet (FTP data). */
  noClientPort: 0x800,
  template: 0x1000,
  onePacket: 0x2000,
  /** The sender tracks it with netfilter. */
  conntrack: 0x10000,
} as const;

const TEMPLATE_STATES = ['NONE', 'ASSURED'];
/** By protocol, in the kernel's order (net/netfilter/ipvs/ip_vs_proto_*.c), as /proc/net/ip_vs_conn names them. */
const STATES: Readonly<Record<number, readonly string[]>> = {
  6: [
    'NONE',
    'ESTABLISHED',
    'SYN_SENT',
    'SYN_RECV',
    'FIN_WAIT',
    'TIME_WAIT',
    'CLOSE',
    'CLOSE_WAIT',
    'LAST_ACK',
    'LISTEN',
    'SYNACK',
  ],
  17: ['UDP'],
  // ESP and AH have one state.
  50: ['NONE'],
  51: ['NONE'],
  132: [
    'NONE',
    'INIT1',
    'INIT',
    'C-SENT',
    'C-REPLIED',
    'C-WAIT',
    'COOKIE',
    'C-ECHOED',
    'ESTABLISHED',
    'S-SENT',
    'S-RECEIVED',
    'S-ACK-SENT',
    'REJECTED',
    'CLOSED',
  ],
};
const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  6: 'TCP',
  17: 'UDP',
  50: 'ESP',
  51: 'AH',
  132: 'SCTP',
};

export const isTemplate = ({ flags }: Pick<SyncedConnection, 'flags'>): boolean =>
  (flags & SYNC_FLAG.template) !== 0;

/** The states that a connection of this kind can have, from 0; `undefined` where IPVS does not know the protocol. */
function statesOf({
  protocol,
  flags,
}: Pick<SyncedConnection, 'protocol' | 'flags'>): readonly string[] | undefined {
  return isTemplate({ flags }) ? TEMPLATE_STATES : STATES[protocol];
}

/** `ESTABLISHED`; `state 15` where the kernel has no such state. */
export const stateName = (connection: Pick<SyncedConnection, 'protocol' | 'flags' | 'state'>): string =>
  statesOf(connection)?.[connection.state] ?? `state ${connection.state}`;

/** The number of a state by its name; `undefined` where a connection of this kind has none such. */
export function stateNumber(
  connection: Pick<SyncedConnection, 'protocol' | 'flags'>,
  name: string,
): number | undefined {
  const number = statesOf(connection)?.indexOf(name) ?? -1;
  return number < 0 ? undefined : number;
}

/** `TCP`; `IP` for templates of firewall marks; `IP_47` for what IPVS does not know. */
export const protocolName = (protocol: number): string =>
  PROTOCOL_NAMES[protocol] ?? (protocol === 0 ? 'IP' : `IP_${protocol}`);

const PROTOCOL_NUMBERS = new Map([
  ['IP', 0],
  ...Object.entries(PROTOCOL_NAMES).map(([number, name]) => [name, Number(number)] as const),
]);
/** Of what `protocolName` names; `undefined` for protocols that IPVS does not know. */
export const protocolNumber = (name: string): number | undefined => PROTOCOL_NUMBERS.get(name);

/**
 * Why the kernel of a backup does not take a record in although it can read it (ip_vs_proc_sync_conn; the flags since
 * the kernels of 2026); `undefined` when it does.
 */
export function whyNotTaken(connection: SyncedConnection): string | undefined {
  const { flags, state, protocol } = connection;
  const states = statesOf(connection);
  if (states === undefined) return `IPVS has no protocol ${protocol}`;
  if (state >= states.length)
    return `${isTemplate(connection) ? 'a template' : protocolName(protocol)} has no state ${state}`;
  if ((flags & SYNC_FLAG.onePacket) !== 0) return 'a connection of one packet';
  if (isTemplate(connection) && (flags & SYNC_FLAG.noClientPort) !== 0)
    return 'a template without a client port';
  return undefined;
}

/** Of the addresses. */
export const familyOfConnection = ({ client }: SyncedConnection): Family =>
  client.address.includes(':') ? 6 : 4;
