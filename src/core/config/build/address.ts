import {
  type Family,
  familyBits,
  familyOf,
  type Ip,
  ipFromBytes,
  ipToBytes,
  isLinkLocal,
  type Prefix,
} from '../../ip.ts';
import {
  ADDRESS_FLAGS,
  type AddressFlag,
  type VirtualAddress,
  type VrrpSettings,
} from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { AddressLine } from '../grammar/address.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Token } from '../lex.ts';
import type { Item, Section } from '../tree.ts';

/** An address line as the instance keeps it. */
export function virtualAddress({ value, at }: Item<AddressLine>, findings: Findings): VirtualAddress {
  const { prefix, options } = value;
  const broadcast = options.brd ?? options.broadcast;
  if (familyOf(prefix.ip) === 6 && (options.label !== undefined || broadcast !== undefined)) {
    findings.warning(at, 'label and broadcast are for IPv4 addresses only');
  }
  const { peer } = options;
  if (peer !== undefined && familyOf(peer.ip) !== familyOf(prefix.ip)) {
    findings.error(at, 'an address and its peer are of one family');
  }
  return {
    // The prefix length of an address with a peer is the peer's.
    address: peer === undefined ? prefix : { ip: prefix.ip, length: peer.length },
    ...(peer === undefined ? {} : { peer: peer.ip }),
    ...(options.dev === undefined ? {} : { dev: options.dev }),
    ...(options.label === undefined ? {} : { label: options.label }),
    ...(broadcast === undefined || broadcast === '-' ? {} : { broadcast: broadcastOf(prefix, broadcast) }),
    scope: options.scope ?? 0,
    ...extrasOf(options, familyOf(prefix.ip), at, findings),
  };
}

const IPV6_FLAGS: readonly AddressFlag[] = ['home', 'mngtmpaddr', '-nodad'];

/** What the kernel is told beside the address itself. */
function extrasOf(options: AddressLine['options'], family: Family, at: Token, findings: Findings) {
  const flags = ADDRESS_FLAGS.filter((flag) => options[flag] !== undefined);
  const wrong = family === 4 ? flags.filter((flag) => IPV6_FLAGS.includes(flag)) : [];
  if (wrong.length > 0) findings.warning(at, `${wrong.join(' and ')}: for IPv6 addresses only`);
  const kept = flags.filter((flag) => !wrong.includes(flag));
  const { preferred_lft: preferred } = options;
  return {
    ...(kept.length === 0 ? {} : { flags: kept }),
    ...(preferred === undefined ? {} : { preferred }),
    ...(options.no_track === undefined ? {} : { tracked: false }),
  };
}

/** The broadcast address: as written, or for `+` the prefix's own with all host bits set. */
function broadcastOf({ ip, length }: Prefix, written: Ip | '+'): Ip {
  if (written !== '+') return written;
  const hostBits = familyBits(familyOf(ip)) - length;
  const bytes = ipToBytes(ip);
  for (let bit = 0; bit < hostBits; bit++) {
    const at = bytes.length - 1 - (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
  }
  return ipFromBytes(bytes);
}

/** The address lines of an instance. */
export interface AddressLines {
  readonly advertised: readonly Item<AddressLine>[];
  readonly excluded: readonly Item<AddressLine>[];
}

/**
 * The lines of `virtual_ipaddress` and `virtual_ipaddress_excluded`. What is more than an advert holds, `most`, comes
 * last of those that are not advertised, as in keepalived: both ends send the same ones.
 */
export function addressLines(
  section: Section<typeof vrrpInstance>,
  family: Family,
  most: number,
  findings: Findings,
): AddressLines {
  const lines = once(section, findings).filter(({ value }) => familyOf(value.prefix.ip) === family);
  const excluded = section.items('virtual_ipaddress_excluded');
  const [first] = lines.slice(most);
  if (first === undefined) return { advertised: lines, excluded };
  const more = lines.length - most - 1;
  const message = `an advert holds ${most} addresses: this one and ${more} more are not advertised`;
  const hint = 'put them into virtual_ipaddress_excluded; keepalived does the same with them';
  findings.warning(first.at, message, { hint });
  return { advertised: lines.slice(0, most), excluded: [...excluded, ...lines.slice(most)] };
}

const DEFAULT_MTU = 1500;
/** The field for their number has one byte (RFC 9568, 5.2.5). */
const MOST_ADVERTISED = 255;

/**
 * How many addresses an advert holds. keepalived counts the Ethernet header too (vrrp/vrrp.c, vrrp_complete_instance),
 * and both ends should come to the same.
 */
export function mostAdvertised(family: Family, version: 2 | 3, ah: boolean, mtu = DEFAULT_MTU): number {
  const [ethernet, header, vrrp, authentication, digest] = [14, family === 4 ? 20 : 40, 8, 8, 24];
  const password = family === 4 && version === 2 ? authentication + (ah ? digest : 0) : 0;
  const room = mtu - ethernet - header - vrrp - password;
  return Math.max(1, Math.min(MOST_ADVERTISED, Math.floor(room / (familyBits(family) / 8))));
}

/** The lines of `virtual_ipaddress`, each address once: keepalived's own sample has one twice. */
function once(section: Section<typeof vrrpInstance>, findings: Findings): readonly Item<AddressLine>[] {
  const seen = new Map<string, Token>();
  return section.items('virtual_ipaddress').filter((line) => {
    const key = `${line.value.prefix.ip} ${line.value.options.dev ?? ''}`;
    const first = seen.get(key);
    if (first !== undefined) {
      const related = { what: 'the first is here', span: first };
      findings.warning(line.at, `${line.value.prefix.ip} is there twice: the first counts`, { related });
    }
    seen.set(key, first ?? line.at);
    return first === undefined;
  });
}

/**
 * The addresses of all instances. The same address twice is a warning, link-local ones on two interfaces aside: it
 * stays while any of those that have it is master.
 */
export class UsedAddresses {
  readonly #findings: Findings;
  readonly #onInterface = new Map<string, Token>();
  readonly #anywhere = new Map<string, Token>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  add(instance: VrrpSettings, ...blocks: (readonly Item<AddressLine>[])[]): void {
    for (const { value, at } of blocks.flat()) {
      const { ip } = value.prefix;
      const key = `${value.options.dev ?? instance.interface} ${ip}`;
      const same = this.#onInterface.get(key);
      const elsewhere = this.#anywhere.get(ip);
      if (same !== undefined) {
        const related = { what: 'the first is here', span: same };
        const dev = value.options.dev ?? instance.interface;
        const message = `${ip} on ${dev} is there twice: it stays while one of both is master`;
        this.#findings.warning(at, message, { related });
      } else if (elsewhere !== undefined && !isLinkLocal(ip)) {
        const related = { what: 'the other is here', span: elsewhere };
        this.#findings.warning(at, `the address ${ip} is used on two interfaces`, { related });
      }
      this.#onInterface.set(key, at);
      this.#anywhere.set(ip, at);
    }
  }
}
