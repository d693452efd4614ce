import type { Destination, Service, ServiceKey, TableEntry, Tunnel } from './model.ts';
import { endpointName, serviceName } from './model.ts';

/** One change of the kernel's IPVS table: one generic-netlink command each. */
export type Operation =
  | { readonly kind: 'add service'; readonly service: Service }
  | { readonly kind: 'edit service'; readonly service: Service }
  | { readonly kind: 'remove service'; readonly key: ServiceKey }
  | { readonly kind: 'add destination'; readonly key: ServiceKey; readonly destination: Destination }
  | { readonly kind: 'edit destination'; readonly key: ServiceKey; readonly destination: Destination }
  | { readonly kind: 'remove destination'; readonly key: ServiceKey; readonly destination: Destination };

/** A destination as the kernel has it. */
export interface PresentDestination extends Destination {
  /** It has settings that the model cannot say: never equal to what is wanted. */
  readonly beyondModel?: true;
}

export interface PresentEntry {
  readonly service: Service;
  readonly destinations: readonly PresentDestination[];
}

/**
 * The operations that turn the `actual` table into the `desired` one, in the order to perform them. What is
 * equal is not touched, so no connection is cut that need not be. A service is identified by its key, a
 * destination by address and port within its service; a repeated key counts once, the first.
 *
 * Ownership: a desired service is wholly ours, with all of its destinations. Any other is removed only when
 * `owned` has its `serviceName`; services made by hand stay as they are.
 *
 * Order: within a service first what adds serving capacity (a new destination, a weight raised from 0), then
 * other edits, then what takes it away. So at no moment do fewer destinations serve than before or after,
 * whichever is less: a sorry server is in before the last real server goes, and the reverse. Services that go
 * are removed last of all. Linear in the sizes of the tables.
 */
export function plan(
  desired: readonly TableEntry[],
  actual: readonly PresentEntry[],
  owned: { has(name: string): boolean },
): Operation[] {
  const present = byName(actual);
  const wanted = byName(desired);
  const operations: Operation[] = [];
  for (const [name, entry] of wanted) {
    const { service } = entry;
    const found = present.get(name);
    if (found === undefined) operations.push({ kind: 'add service', service });
    else if (!sameService(service, found.service)) operations.push({ kind: 'edit service', service });
    planDestinations(service.key, entry.destinations, found?.destinations ?? [], operations);
  }
  for (const [name, { service }] of present) {
    if (!wanted.has(name) && owned.has(name)) operations.push({ kind: 'remove service', key: service.key });
  }
  return operations;
}

function planDestinations(
  key: ServiceKey,
  desired: readonly Destination[],
  actual: readonly PresentDestination[],
  operations: Operation[],
): void {
  const present = byEndpoint(actual);
  const wanted = byEndpoint(desired);
  const edits: Operation[] = [];
  for (const [name, destination] of wanted) {
    const found = present.get(name);
    if (found === undefined) operations.push({ kind: 'add destination', key, destination });
    else if (!sameDestination(destination, found)) {
      const raises = found.weight === 0 && destination.weight > 0;
      (raises ? operations : edits).push({ kind: 'edit destination', key, destination });
    }
  }
  for (const edit of edits) operations.push(edit);
  for (const [name, destination] of present) {
    if (!wanted.has(name)) operations.push({ kind: 'remove destination', key, destination });
  }
}

function byName<Entry extends PresentEntry>(table: readonly Entry[]): Map<string, Entry> {
  const map = new Map<string, Entry>();
  for (const entry of table) {
    const name = serviceName(entry.service.key);
    if (!map.has(name)) map.set(name, entry);
  }
  return map;
}

function byEndpoint<D extends Destination>(destinations: readonly D[]): Map<string, D> {
  const map = new Map<string, D>();
  for (const destination of destinations) {
    const name = endpointName(destination.address, destination.port);
    if (!map.has(name)) map.set(name, destination);
  }
  return map;
}

/** Equal in everything that an edit can change; the keys are taken to be equal. */
export function sameService(a: Service, b: Service): boolean {
  return (
    a.scheduler === b.scheduler &&
    a.flags === b.flags &&
    a.persistence === b.persistence &&
    a.granularity === b.granularity &&
    a.engine === b.engine
  );
}

/** Equal in everything that an edit can change; address and port are taken to be equal. */
export function sameDestination(wanted: Destination, found: PresentDestination): boolean {
  return (
    found.beyondModel !== true &&
    wanted.method === found.method &&
    wanted.weight === found.weight &&
    wanted.upper === found.upper &&
    wanted.lower === found.lower &&
    sameTunnel(wanted.tunnel, found.tunnel)
  );
}

const sameTunnel = (a: Tunnel | undefined, b: Tunnel | undefined): boolean =>
  a?.type === b?.type && a?.port === b?.port && a?.checksum === b?.checksum;

/** In words, for the log: `add destination 10.0.0.2:80 weight 3 of tcp 10.0.0.1:80`. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'add service':
    case 'edit service':
      return `${operation.kind} ${serviceName(operation.service.key)} (${operation.service.scheduler})`;
    case 'remove service':
      return `${operation.kind} ${serviceName(operation.key)}`;
    default: {
      const { destination, key, kind } = operation;
      const weight = kind === 'remove destination' ? '' : ` weight ${destination.weight}`;
      const server = endpointName(destination.address, destination.port);
      return `${kind} ${server}${weight} of ${serviceName(key)}`;
    }
  }
}
