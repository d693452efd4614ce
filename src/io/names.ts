import { readFileSync } from 'node:fs';
import { type Ip, parseIp } from '../core/ip.ts';
import type { NameDirectory } from '../core/ipvsadm/endpoint.ts';
import { type PortNames, parseServices } from '../core/ipvsadm/services.ts';
import type { NameSource } from '../core/ipvsadm/values.ts';

const SERVICES_FILE = '/etc/services';
/** So many questions to the resolver at a time. */
const AT_ONCE = 32;

/**
 * The machine's names of hosts (its resolver: `/etc/hosts`, DNS, whatever nsswitch.conf says) and of ports.
 * The resolver answers later, so names are asked for by `findHost` and `findNames` and then read from here.
 */
export class SystemNames {
  readonly #addresses = new Map<string, Ip | null>();
  readonly #names = new Map<Ip, string>();
  #ports: PortNames | undefined;

  /** For reading a command line. */
  readonly source: NameSource = {
    host: (name) => this.#addresses.get(name),
    port: (name, protocol) => this.#portNames().port(name, protocol),
  };

  /** For a listing. */
  readonly directory: NameDirectory = {
    host: (address) => this.#names.get(address),
    service: (port, protocol) => this.#portNames().name(port, protocol),
  };

  /** Asks for the IPv4 address of a host. */
  async findHost(name: string): Promise<void> {
    const { lookup } = await import('node:dns/promises');
    const found = await lookup(name, { family: 4 }).catch(() => undefined);
    this.#addresses.set(name, found === undefined ? null : (parseIp(found.address) ?? null));
  }

  /** Asks for the names of addresses; one that has none costs a question too. */
  async findNames(addresses: Iterable<Ip>): Promise<void> {
    const { lookupService } = await import('node:dns/promises');
    const waiting = [...new Set(addresses)];
    const ask = async (): Promise<void> => {
      for (let address = waiting.pop(); address !== undefined; address = waiting.pop()) {
        const found = await lookupService(address, 0).catch(() => undefined);
        if (found !== undefined) this.#names.set(address, found.hostname);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, ask));
  }

  #portNames(): PortNames {
    this.#ports ??= parseServices(readServices());
    return this.#ports;
  }
}

function readServices(): string {
  try {
    return readFileSync(SERVICES_FILE, 'utf8');
  } catch {
    // Without the file ports are numbers, as for every other program.
    return '';
  }
}
