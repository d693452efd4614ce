import { endpointName } from '../ip.ts';
import {
  isTemplate,
  protocolName,
  SYNC_FLAG,
  type SyncedConnection,
  stateName,
  whyNotTaken,
} from './connection.ts';

/** A record as `vipkeeper sync watch` prints it. */

const METHODS = ['masquerade', 'local', 'tunnel', 'route', 'bypass'];
/** Bits that say more than the state and the method do. */
const FLAGS: readonly (readonly [number, string])[] = [
  [SYNC_FLAG.template, 'template'],
  [SYNC_FLAG.inactive, 'inactive'],
  [SYNC_FLAG.noClientPort, 'no client port'],
  [SYNC_FLAG.onePacket, 'one packet'],
  [SYNC_FLAG.conntrack, 'conntrack'],
  [SYNC_FLAG.sync, 'had by sync'],
];

export const methodName = ({ flags }: SyncedConnection): string =>
  METHODS[flags & SYNC_FLAG.method] ?? `method ${flags & SYNC_FLAG.method}`;

/** What the flags say in words: `inactive`. */
export const flagNames = ({ flags }: SyncedConnection): string[] =>
  FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);

/** `10.0.0.100:80`; `fwmark 7` in the template of a mark. */
export const virtualName = (connection: SyncedConnection): string =>
  isTemplate(connection) && connection.protocol === 0
    ? `fwmark ${connection.fwmark}`
    : endpointName(connection.virtual.address, connection.virtual.port);

/** The data of a persistence engine; what is not printable ASCII as `\x1b`. */
export const engineText = (data: Uint8Array): string =>
  Array.from(data, (byte) =>
    byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
  ).join('');

/**
 * The columns: protocol, client, virtual server, real server, state, timeout, method and what else there is to say. A
 * timeout of 0 is the backup's own: `-`.
 */
export function connectionColumns(connection: SyncedConnection): string[] {
  const { protocol, client, destination, timeout, fwmark, sequence, engine } = connection;
  const more = [
    methodName(connection),
    ...flagNames(connection),
    ...(fwmark === 0 || protocol === 0 ? [] : [`fwmark ${fwmark}`]),
    ...(sequence === undefined ? [] : ['sequence numbers']),
    ...(engine === undefined ? [] : [`${engineText(latin1(engine.name))} ${engineText(engine.data)}`]),
  ];
  return [
    protocolName(protocol),
    endpointName(client.address, client.port),
    virtualName(connection),
    endpointName(destination.address, destination.port),
    stateName(connection),
    timeout === 0 ? '-' : `${timeout}s`,
    more.join(', '),
  ];
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A record as data, for programs. */
export function connectionReport(connection: SyncedConnection): object {
  const { protocol, client, virtual, destination, fwmark, timeout, sequence, engine } = connection;
  return {
    protocol: protocolName(protocol),
    client,
    virtual,
    server: destination,
    state: stateName(connection),
    timeout,
    method: methodName(connection),
    flags: flagNames(connection),
    fwmark,
    sequence: sequence ?? null,
    engine: engine === undefined ? null : { name: engine.name, data: engineText(engine.data) },
    refused: whyNotTaken(connection) ?? null,
  };
}
