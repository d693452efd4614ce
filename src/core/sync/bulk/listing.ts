import { type Family, familyOf, type Ip, ipToBytes } from '../../ip.ts';
import {
  protocolNumber,
  SYNC_FLAG,
  type SyncEndpoint,
  type SyncedConnection,
  stateNumber,
} from '../connection.ts';
import { MOST_ENGINE_DATA } from '../record.ts';
import type { Identity } from './fingerprint.ts';
import type { Lacks } from './message.ts';

/** Rows of the kernel's listing of connections (/proc/net/ip_vs_conn) as records of connection sync. */

/** A row. */
export interface ListedConnection {
  readonly protocol: string;
  readonly client: SyncEndpoint;
  readonly virtual: SyncEndpoint;
  readonly destination: SyncEndpoint;
  readonly state: string;
  readonly engine?: { readonly name: string; readonly data: string };
}

interface Serving {
  /** Of persistence, in seconds. */
  readonly timeout: number;
  readonly destinations: readonly (SyncEndpoint & { readonly method: number })[];
}
type MarkedService = Serving & { readonly family: Family; readonly fwmark: number };
/** A service of the IPVS table, for what a row does not say. */
export type ListedService =
  | MarkedService
  | (Serving & { readonly protocol: number; readonly address: Ip; readonly port: number });

/** What is sent of some rows, what an operator misses most first. */
export interface Carried {
  /** Established connections and templates. */
  readonly first: readonly SyncedConnection[];
  /** Others that live; what is opening or ending is not sent. */
  readonly later: readonly SyncedConnection[];
  readonly lacks: Lacks;
}

/** Templates of persistence have no client port, and states of their own. */
const TEMPLATE_STATES = ['ASSURED', 'NONE'];
const FIRST = ['ESTABLISHED', ...TEMPLATE_STATES];
/** Of UDP, and the halves of TCP connections that may last. */
const LATER = ['UDP', 'FIN_WAIT', 'CLOSE_WAIT'];
const TCP = 6;
const MASQUERADE = 0;

const isTemplateRow = ({ client, state }: ListedConnection): boolean =>
  client.port === 0 && TEMPLATE_STATES.includes(state);

/** What a row's connection is told from others by; `undefined` where IPVS does not know its protocol. */
export function identityOf({
  protocol,
  client,
  virtual,
  destination,
}: ListedConnection): Identity | undefined {
  const number = protocolNumber(protocol);
  return number === undefined ? undefined : { protocol: number, client, virtual, destination };
}

const isFirst = (row: ListedConnection): boolean =>
  FIRST.includes(row.state) && (row.state !== 'NONE' || isTemplateRow(row));

/** The identities of all connections. */
export const identitiesOf = (rows: readonly ListedConnection[]): Identity[] =>
  rows.flatMap((row) => identityOf(row) ?? []);

/** The identities of established connections and templates: what a failover is not to lose. */
export const lasting = (rows: readonly ListedConnection[]): Identity[] =>
  rows.flatMap((row) => (isFirst(row) ? (identityOf(row) ?? []) : []));

/** Where a row's connection belongs in the table. */
interface Place {
  readonly method: number;
  /** 0: of no mark; `undefined`: of one of several. */
  readonly mark: number | undefined;
  /** Of persistence, in seconds. */
  readonly timeout: number;
}

/** The IPVS table of a moment, and the records of rows that belong to it. */
export class ListedTable {
  /** By protocol, address and port, or by family and mark. */
  readonly #services = new Map<string, ListedService>();
  /** Of marks, by the address of a real server. */
  readonly #marked = new Map<string, MarkedService[]>();
  /** Ports of TCP whose connections' content the director changes (/proc/net/ip_vs_app). */
  readonly #changed: ReadonlySet<number>;

  constructor(services: readonly ListedService[], changed: readonly number[]) {
    this.#changed = new Set(changed);
    for (const service of services) {
      if ('address' in service) {
        this.#services.set(`${service.protocol} ${service.address} ${service.port}`, service);
        continue;
      }
      this.#services.set(`mark ${service.family} ${service.fwmark}`, service);
      for (const address of new Set(service.destinations.map((each) => each.address)))
        this.#marked.set(address, [...(this.#marked.get(address) ?? []), service]);
    }
  }

  /** The records of some rows. */
  carry(rows: readonly ListedConnection[]): Carried {
    const [first, later]: [SyncedConnection[], SyncedConnection[]] = [[], []];
    const lacks = { marks: 0, sequences: 0, left: 0 };
    for (const row of rows) {
      const early = isFirst(row);
      if (!early && !LATER.includes(row.state)) continue;
      const place = this.#placeOf(row);
      const record = place && recordOf(row, place);
      if (record === undefined) lacks.left++;
      else {
        (early ? first : later).push(record);
        if (place?.mark === undefined) lacks.marks++;
        if (record.protocol === TCP && this.#changed.has(record.virtual.port)) lacks.sequences++;
      }
    }
    return { first, later, lacks };
  }

  #placeOf({ protocol: name, virtual, destination }: ListedConnection): Place | undefined {
    const protocol = protocolNumber(name);
    const family = familyOf(virtual.address);
    if (protocol === undefined || family !== familyOf(destination.address)) return undefined;
    if (protocol === 0) {
      const mark = markOf(virtual.address);
      const service = this.#services.get(`mark ${family} ${mark}`);
      return service && placeIn(service, destination, mark);
    }
    const named = [virtual.port, 0].flatMap(
      (port) => this.#services.get(`${protocol} ${virtual.address} ${port}`) ?? [],
    );
    const own = named.find((each) => has(each, destination));
    if (own !== undefined) return placeIn(own, destination, 0);
    const marked = this.#marked.get(destination.address) ?? [];
    const [one, ...others] = marked.filter((each) => each.family === family && has(each, destination));
    if (one !== undefined) return placeIn(one, destination, others.length === 0 ? one.fwmark : undefined);
    // Its server was taken out of the service, and the connection goes on.
    return named[0] && placeIn(named[0], destination, 0);
  }
}

/** A destination with port 0 takes what comes on any. */
const serves = (destination: SyncEndpoint, { address, port }: SyncEndpoint): boolean =>
  destination.address === address && (destination.port === port || destination.port === 0 || port === 0);

const has = ({ destinations }: ListedService, endpoint: SyncEndpoint): boolean =>
  destinations.some((each) => serves(each, endpoint));

function placeIn(
  service: ListedService,
  endpoint: SyncEndpoint,
  mark: number | undefined,
): Place | undefined {
  const { destinations, timeout } = service;
  const destination = destinations.find((each) => serves(each, endpoint)) ?? destinations[0];
  return destination && { method: destination.method, mark, timeout };
}

/** The kernel writes the mark of a template as an address: its first four bytes. */
const markOf = (address: Ip): number => new DataView(ipToBytes(address).buffer).getUint32(0);

/**
 * Timeouts: what is left of one is no measure for the backup, as the kernel tells it of no packet that begins the time
 * anew; with 0 it takes the timeout of the state.
 */
function recordOf(row: ListedConnection, { method, mark = 0, timeout }: Place): SyncedConnection | undefined {
  const protocol = protocolNumber(row.protocol) ?? 0;
  const template = isTemplateRow(row);
  const kind = template ? SYNC_FLAG.template : row.state === 'ESTABLISHED' ? 0 : SYNC_FLAG.inactive;
  const flags = kind | method | (method === MASQUERADE ? 0 : SYNC_FLAG.noOutput);
  const state = stateNumber({ protocol, flags }, row.state);
  if (state === undefined) return undefined;
  const { client, virtual, destination, engine } = row;
  if (engine !== undefined && engine.data.length > MOST_ENGINE_DATA) return undefined;
  return {
    ...{ protocol, flags, state, client, virtual, destination },
    fwmark: mark,
    timeout: template ? timeout : 0,
    ...(engine !== undefined && {
      engine: {
        name: engine.name,
        data: Uint8Array.from(engine.data, (character) => character.charCodeAt(0)),
      },
    }),
  };
}
