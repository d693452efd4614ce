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

/** The lines of `virtual_ipaddress`, each address once: keepalived's own sample has one twice. */
export function advertised(
  section: Section<typeof vrrpInstance>,
  repeated: (line: Item<AddressLine>, first: Token) => void = () => {},
): readonly Item<AddressLine>[] {
  const seen = new Map<string, Token>();
  return section.items('virtual_ipaddress').filter((line) => {
    const key = `${line.value.prefix.ip} ${line.value.options.dev ?? ''}`;
    const first = seen.get(key);
    if (first !== undefined) repeated(line, first);
    seen.set(key, first ?? line.at);
    return first === undefined;
  });
}

/**
 * The addresses of all instances. The same address twice on one interface is an error: whichever instance
 * becomes backup would take it from the other. On two interfaces it is a warning, link-local ones aside.
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
        this.#findings.error(at, `the address ${ip} is used twice`, { related });
      } else if (elsewhere !== undefined && !isLinkLocal(ip)) {
        const related = { what: 'the other is here', span: elsewhere };
        this.#findings.warning(at, `the address ${ip} is used on two interfaces`, { related });
      }
      this.#onInterface.set(key, at);
      this.#anywhere.set(ip, at);
    }
  }
}
