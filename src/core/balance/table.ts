import { unreachable } from '../assert.ts';
import type { Service, ServiceKey } from './model.ts';
import { serviceName } from './model.ts';
import type { Operation, PresentDestination, PresentEntry } from './plan.ts';

/** One reading of the kernel: all services, and the destinations of some of them. */
export interface Reading {
  readonly services: readonly Service[];
  readonly destinations: readonly {
    readonly key: ServiceKey;
    readonly list: readonly PresentDestination[];
  }[];
}

/**
 * What we last knew of the kernel's table: read, and since then changed by what we did ourselves. Between two
 * readings it lets a change of one server be planned without asking the kernel for thousands.
 */
export class KnownTable {
  readonly #services = new Map<string, Service>();
  readonly #destinations = new Map<string, readonly PresentDestination[]>();

  services(): Service[] {
    return Array.from(this.#services.values());
  }

  memory() {
    return { services: new Map(this.#services), destinations: new Map(this.#destinations) };
  }

  recall({ services, destinations }: ReturnType<KnownTable['memory']>): void {
    for (const [name, service] of services) this.#services.set(name, service);
    for (const [name, list] of destinations) this.#destinations.set(name, list);
  }

  /** Whether its destinations are known: it was read with them, or was not there. */
  isRead(name: string): boolean {
    return !this.#services.has(name) || this.#destinations.has(name);
  }

  /** The entry as a table of one or none. */
  entry(name: string): [] | [PresentEntry] {
    const service = this.#services.get(name);
    return service === undefined ? [] : [{ service, destinations: this.#destinations.get(name) ?? [] }];
  }

  /** Services that the reading lacks are gone; destinations that it does not speak of are as they were. */
  update(reading: Reading): void {
    this.#services.clear();
    for (const service of reading.services) this.#services.set(serviceName(service.key), service);
    for (const { key, list } of reading.destinations) this.#destinations.set(serviceName(key), list);
    for (const name of this.#destinations.keys()) {
      if (!this.#services.has(name)) this.#destinations.delete(name);
    }
  }

  /** An operation that the kernel has performed. */
  performed(operation: Operation): void {
    switch (operation.kind) {
      case 'add service':
        this.#destinations.set(serviceName(operation.service.key), []);
        this.#services.set(serviceName(operation.service.key), operation.service);
        return;
      case 'edit service':
        this.#services.set(serviceName(operation.service.key), operation.service);
        return;
      case 'remove service':
        this.#services.delete(serviceName(operation.key));
        this.#destinations.delete(serviceName(operation.key));
        return;
      case 'add destination':
      case 'edit destination':
      case 'remove destination': {
        const name = serviceName(operation.key);
        const { destination, kind } = operation;
        const others = (this.#destinations.get(name) ?? []).filter((d) => !sameEndpoint(d, destination));
        this.#destinations.set(name, kind === 'remove destination' ? others : [...others, destination]);
        return;
      }
      default:
        unreachable(operation);
    }
  }

  clear(): void {
    this.#services.clear();
    this.#destinations.clear();
  }
}

const sameEndpoint = (a: PresentDestination, b: PresentDestination): boolean =>
  a.address === b.address && a.port === b.port;
