import type { Destination, Service, TableEntry } from '../../../src/core/balance/model.ts';
import { endpointName, serviceName } from '../../../src/core/balance/model.ts';
import type { Operation } from '../../../src/core/balance/plan.ts';

/** An IPVS table that behaves as the kernel's does: it refuses what the kernel refuses, and says why. */
export class ModelKernel {
  readonly #services = new Map<string, { service: Service; destinations: Map<string, Destination> }>();

  constructor(table: readonly TableEntry[]) {
    for (const { service, destinations } of table) {
      this.apply({ kind: 'add service', service });
      for (const destination of destinations) {
        this.apply({ kind: 'add destination', key: service.key, destination });
      }
    }
  }

  /** Performs one operation; throws an Error named by the kernel's errno. */
  apply(operation: Operation): void {
    if (operation.kind === 'add service' || operation.kind === 'edit service') {
      const name = serviceName(operation.service.key);
      const found = this.#services.get(name);
      if ((found === undefined) !== (operation.kind === 'add service')) {
        throw new Error(found === undefined ? 'ESRCH' : 'EEXIST');
      }
      const destinations = found?.destinations ?? new Map<string, Destination>();
      this.#services.set(name, { service: operation.service, destinations });
      return;
    }
    const found = this.#services.get(serviceName(operation.key));
    if (found === undefined) throw new Error('ESRCH');
    if (operation.kind === 'remove service') {
      this.#services.delete(serviceName(operation.key));
      return;
    }
    const { destination } = operation;
    const name = endpointName(destination.address, destination.port);
    const exists = found.destinations.has(name);
    if (exists && operation.kind === 'add destination') throw new Error('EEXIST');
    if (!exists && operation.kind !== 'add destination') throw new Error('ENOENT');
    if (operation.kind === 'remove destination') found.destinations.delete(name);
    else found.destinations.set(name, destination);
  }

  table(): TableEntry[] {
    return Array.from(this.#services.values(), ({ service, destinations }) => ({
      service,
      destinations: Array.from(destinations.values()),
    }));
  }

  /** How many destinations of the service take new connections. */
  serving(service: string): number {
    let count = 0;
    for (const { weight } of this.#services.get(service)?.destinations.values() ?? []) {
      if (weight > 0) count += 1;
    }
    return count;
  }
}

/** The table in an order of its own, for comparing. */
export function sorted(table: readonly TableEntry[]): TableEntry[] {
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return table
    .map(({ service, destinations }) => ({
      service,
      destinations: destinations.toSorted((a, b) =>
        byText(endpointName(a.address, a.port), endpointName(b.address, b.port)),
      ),
    }))
    .toSorted((a, b) => byText(serviceName(a.service.key), serviceName(b.service.key)));
}
