import { endpointName, networkOf, type Prefix, parseEndpoint, parseIp, parsePrefix } from '../ip.ts';
import { type SyncedConnection, stateName } from './connection.ts';

/** Which records an operator wants to see. */

export interface SyncChoice {
  /** Of the virtual server: `10.0.0.100`, `10.0.0.100:80`, `fwmark 7`. */
  readonly service?: string;
  readonly client?: Prefix;
  /** In capitals, as the kernel names it. */
  readonly state?: string;
  readonly syncId?: number;
}

const FWMARK = /^fwmark (\d{1,10})$/;

/** The same in the one form that `isChosen` compares; `undefined` when it is neither an address nor a mark. */
export function parseServiceChoice(text: string): string | undefined {
  const mark = FWMARK.exec(text)?.[1];
  if (mark !== undefined) return `fwmark ${Number(mark)}`;
  const endpoint = parseEndpoint(text);
  return endpoint === undefined ? parseIp(text) : endpointName(endpoint.address, endpoint.port);
}

/** An address or a network; `undefined` when it is neither. */
export const parseClientChoice = (text: string): Prefix | undefined => {
  const prefix = parsePrefix(text);
  return prefix === undefined ? undefined : networkOf(prefix);
};

/** Whether the operator wants to see the record of a message with this id. */
export function isChosen(connection: SyncedConnection, syncId: number, choice: SyncChoice): boolean {
  const { virtual, client, fwmark } = connection;
  const names = [virtual.address, endpointName(virtual.address, virtual.port), `fwmark ${fwmark}`];
  if (choice.service !== undefined && !names.includes(choice.service)) return false;
  if (choice.state !== undefined && stateName(connection) !== choice.state) return false;
  if (choice.syncId !== undefined && syncId !== choice.syncId) return false;
  return choice.client === undefined || isIn(client.address, choice.client);
}

function isIn(address: SyncedConnection['client']['address'], { ip, length }: Prefix): boolean {
  const same = address.includes(':') === ip.includes(':');
  return same && networkOf({ ip: address, length }).ip === ip;
}
