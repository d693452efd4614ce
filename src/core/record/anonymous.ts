import {
  compareIp,
  familyOf,
  type Ip,
  ipFromBytes,
  isLinkLocal,
  isLoopback,
  isMulticast,
  parseIp,
} from '../ip.ts';
import { nameOfClaim } from '../vrrp/group.ts';
import { changedAdvert, isAdvert } from './advert.ts';
import { plainText, plainValue } from './plain.ts';
import type { Segment } from './track.ts';

/**
 * A recording with other addresses and names. The same stays the same, and of two addresses the higher one stays the
 * higher: the machines come to the same decisions.
 */

/** Properties that hold a name that somebody chose, and what it is called instead. */
const NAMES: Readonly<Record<string, string>> = {
  name: 'name',
  interface: 'interface',
  dev: 'interface',
  label: 'interface',
  device: 'interface',
  group: 'group',
  member: 'name',
  claim: 'group',
  cluster: 'cluster',
  table: 'table',
  leaseTable: 'table',
  director: 'director',
  witness: 'director',
  etcd: 'director',
  host: 'host',
  helo: 'host',
  session: 'session',
  file: 'file',
  path: 'path',
  key: 'key',
  certificate: 'file',
  ca: 'file',
  sni: 'host',
  keyFile: 'file',
  passwordFile: 'file',
  user: 'user',
  prefix: 'path',
  pattern: 'pattern',
  digest: 'digest',
};
/** ... or several. */
const LISTS: Readonly<Record<string, string>> = {
  members: 'name',
  directors: 'director',
  endpoints: 'host',
  command: 'word',
};
/** What somebody's `name` is, where something else stands beside it. */
const BESIDE: Readonly<Record<string, string>> = { ifindex: 'interface', directors: 'director' };

/** As texts have them: IPv6, then IPv4, which may have a port behind it. */
const IPV6 = '[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:\\.\\d{1,3}){0,3}(?![\\w:])';
const IPV4 = '\\d{1,3}(?:\\.\\d{1,3}){3}(?!\\.?\\w)';
const ADDRESS = new RegExp(`(?<![\\w.:])(?:${IPV6}|${IPV4})`, 'g');
/** What looks like addresses in a text; a colon behind one belongs to the sentence. */
const addressesIn = (text: string): { readonly word: string; readonly index: number }[] =>
  Array.from(text.matchAll(ADDRESS), ({ 0: word, index }) => ({ word: word.replace(/(?<!:):$/, ''), index }));

/** The key of a virtual router or a socket, which has an interface's name in it. */
const MADE = / IPv[46]\b/;
const isKept = (address: Ip): boolean =>
  isMulticast(address) || isLoopback(address) || address === '0.0.0.0' || address === '::';

/** Hardware addresses; those of virtual routers (RFC 9568, 7.3) tell no more than the VRID. */
const MAC = /^(?!00:00:5e:00:0[12]:)(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** The same lines, with stand-ins. */
export function anonymous(lines: readonly string[]): string[] {
  const values = lines.filter((line) => line !== '').map(plainValue);
  const found = new Found();
  for (const value of values) {
    // What the tracks are called stands in what they hold, where somebody chose it.
    const { base, items } = value as Partial<Segment>;
    found.look(base === undefined ? value : [base, items]);
  }
  const substitute = found.substitution();
  const address = (given: Ip): Ip => substitute.addresses.get(given) ?? given;
  const change = (value: unknown): unknown => {
    if (typeof value === 'string') return substitute.text(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    if (!isAdvert(value)) return value;
    // Its addresses that are text are changed with all text.
    const { payload, header } = changedAdvert(value, { address, password: (same) => same });
    return { ...value, payload, ...(header !== undefined && { header }) };
  };
  return values.map((value) => plainText(value, change));
}

/** Whether a name is found within other words without mistake; one that is not tells nothing, and stays. */
const isTelling = (name: string): boolean => name.length > 1 && !/^\d+$/.test(name);

/** All addresses and names in a recording. */
class Found {
  readonly #addresses = new Set<Ip>();
  readonly #macs = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #seen = new Set<object>();

  look(value: unknown): void {
    if (typeof value === 'string') this.#text(value);
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return;
    this.#seen.add(value);
    if (value instanceof Map) {
      for (const [key, each] of value) for (const part of [key, each]) this.look(part);
    } else if (Array.isArray(value) || value instanceof Set) {
      for (const part of value) this.look(part);
    } else if (value instanceof Uint8Array) return;
    else this.#object(value as Readonly<Record<string, unknown>>);
  }

  #object(fields: Readonly<Record<string, unknown>>): void {
    if (isAdvert(fields)) this.#advert(fields);
    const own = Object.keys(BESIDE).find((beside) => beside in fields);
    for (const [name, each] of Object.entries(fields)) {
      const [one, several] = [(name === 'name' && BESIDE[own ?? '']) || NAMES[name], LISTS[name]];
      if (one !== undefined && typeof each === 'string') this.#name(each, one);
      if (several !== undefined && Array.isArray(each))
        for (const part of each) {
          const named = typeof part === 'string' ? part : (part as { readonly name?: unknown } | null)?.name;
          if (typeof named === 'string') this.#name(named, several);
        }
      this.look(each);
    }
  }

  #text(text: string): void {
    if (MAC.test(text)) this.#macs.add(text);
    for (const { word } of addressesIn(text)) this.#address(parseIp(word));
  }

  #address(address: Ip | undefined): void {
    if (address !== undefined && !isKept(address)) this.#addresses.add(address);
  }

  /** Those in the payload: they stand nowhere else where another router has others. */
  #advert(advert: Parameters<typeof changedAdvert>[0]): void {
    changedAdvert(advert, {
      address: (address) => {
        this.#address(address);
        return address;
      },
      password: (same) => same,
    });
  }

  #name(given: string, kind: string): void {
    const name = nameOfClaim(given);
    // One that is made of an address changes with that.
    if (!isTelling(name) || MADE.test(name) || new RegExp(ADDRESS).test(name) || this.#names.has(name))
      return;
    this.#names.set(name, kind);
  }

  substitution(): Substitution {
    return new Substitution(this.#addresses, this.#macs, this.#names);
  }
}

/** IPv4 addresses come from the network for benchmarks (RFC 2544), IPv6 ones from fd00::, or stay link-local. */
const FIRST_4 = 0xc612_0000;

class Substitution {
  readonly addresses = new Map<Ip, Ip>();
  readonly #names = new Map<string, string>();
  readonly #macs = new Map<string, string>();
  readonly #pattern: RegExp | undefined;

  constructor(addresses: ReadonlySet<Ip>, macs: ReadonlySet<string>, names: ReadonlyMap<string, string>) {
    for (const mac of macs) this.#macs.set(mac, standInMac(this.#macs.size + 1));
    let [n4, n6] = [0, 0];
    for (const address of [...addresses].sort(compareIp)) {
      const stand = familyOf(address) === 4 ? fourth(++n4) : sixth(++n6, isLinkLocal(address));
      this.addresses.set(address, stand);
    }
    const counts = new Map<string, number>();
    for (const [name, kind] of names) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      this.#names.set(name, `${kind}${count}`);
    }
    const words = [...this.#names.keys()].sort((a, b) => b.length - a.length).map(escaped);
    if (words.length > 0) this.#pattern = new RegExp(`(?<![\\w])(?:${words.join('|')})(?![\\w])`, 'g');
  }

  /** Addresses first: a name may look like a part of one. */
  text(text: string): string {
    const whole = this.#names.get(text) ?? this.#macs.get(text);
    if (whole !== undefined) return whole;
    let out = '';
    let from = 0;
    for (const { word, index } of addressesIn(text)) {
      const address = parseIp(word);
      if (address === undefined) continue;
      out += this.#named(text.slice(from, index)) + (this.addresses.get(address) ?? address);
      from = index + word.length;
    }
    return out + this.#named(text.slice(from));
  }

  #named(text: string): string {
    if (this.#pattern === undefined) return text;
    return text.replace(this.#pattern, (name) => this.#names.get(name) ?? name);
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** One that is administered locally. */
function standInMac(n: number): string {
  const [high, low] = [n >>> 8, n].map((part) => (part & 255).toString(16).padStart(2, '0'));
  return `02:00:5e:10:${high}:${low}`;
}

function fourth(n: number): Ip {
  const value = FIRST_4 + n;
  return ipFromBytes(Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255));
}

function sixth(n: number, linkLocal: boolean): Ip {
  const bytes = new Uint8Array(16);
  bytes.set(linkLocal ? [0xfe, 0x80] : [0xfd, 0]);
  bytes.set([(n >>> 8) & 255, n & 255], 14);
  return ipFromBytes(bytes);
}
