import { type Family, familyOf } from '../../ip.ts';
import type { VirtualAddress, VirtualInterface, VrrpSettings } from '../../vrrp/settings.ts';
import type { Findings } from '../findings.ts';
import type { AddressLine } from '../grammar/address.ts';
import type { globalDefs } from '../grammar/global.ts';
import type { root } from '../grammar/root.ts';
import type { vrrpInstance } from '../grammar/vrrp.ts';
import type { Token } from '../lex.ts';
import type { Entry, Item, Section } from '../tree.ts';

type InstanceEntry = Entry<(typeof root)['vrrp_instance']>;
type InstanceSection = Section<typeof vrrpInstance>;
type Seat = Pick<VrrpSettings, 'interface' | 'vrid' | 'family'>;

/** IFNAMSIZ without the final zero. */
const LONGEST_NAME = 15;

const hex = (number: number): string => number.toString(16).padStart(2, '0');

/** The virtual router's MAC address (RFC 9568, 7.3). */
const virtualMac = (family: Family, vrid: number): string =>
  `00:00:5e:00:0${family === 4 ? 1 : 2}:${hex(vrid)}`;

/**
 * Gives VMACs their names. They come from the file alone, so that a restart and a reload find what is there: names
 * that are written are taken, and the others are numbered in the order of the file (keepalived looks at the host's
 * interfaces as well). One interface carries a MAC address once.
 */
export class Vmacs {
  readonly #findings: Findings;
  readonly #prefix: string;
  readonly #addressPrefix: string;
  readonly #prefixAt: Token | undefined;
  readonly #taken = new Map<string, Token>();
  readonly #byMac = new Map<string, string>();

  constructor(file: Section<typeof root>, global: Section<typeof globalDefs>, findings: Findings) {
    this.#findings = findings;
    this.#prefix = global.value('vmac_prefix') ?? 'vrrp';
    this.#addressPrefix = global.value('vmac_addr_prefix') ?? this.#prefix;
    this.#prefixAt = global.token('vmac_addr_prefix') ?? global.token('vmac_prefix');
    for (const { section } of file.all('vrrp_instance')) {
      for (const keyword of ['use_vmac', 'use_ipvlan'] as const) this.#reserve(section, keyword);
    }
  }

  #reserve(section: InstanceSection, keyword: 'use_vmac' | 'use_ipvlan'): void {
    const name = section.value(keyword)?.name;
    const at = section.token(keyword);
    if (name === undefined || at === undefined) return;
    const first = this.#taken.get(name);
    if (first === undefined) this.#taken.set(name, at);
    else {
      const related = { what: 'the first is here', span: first };
      this.#findings.error(at, `${keyword}: the interface ${name} is there twice`, { related });
    }
  }

  /** The virtual router's own interface, if it has one, and whether its adverts leave from the one below. */
  own(
    { section }: InstanceEntry,
    seat: Seat,
    unicast: boolean,
  ): Pick<VrrpSettings, 'virtual' | 'transmitBase'> {
    const base = section.token('vmac_xmit_base');
    const at = section.token('use_vmac');
    if (at === undefined && base !== undefined) {
      this.#findings.warning(base, 'vmac_xmit_base has no effect without use_vmac');
    }
    if (section.has('use_ipvlan')) return this.#ipvlan(section, seat);
    const words = section.value('use_vmac');
    if (at === undefined || words === undefined) return {};
    const written = words.mac?.split(':').length === 5 ? `${words.mac}:${hex(seat.vrid)}` : words.mac;
    const mac = written ?? virtualMac(seat.family, seat.vrid);
    const name = words.name ?? this.#nameOf(seat, mac, this.#prefix, at);
    this.#place(seat.interface, mac, name, at);
    const group = words.group === undefined ? {} : { group: words.group };
    const virtual: VirtualInterface = { name, ...group, sort: { kind: 'macvlan', mac } };
    if (unicast && base === undefined) {
      this.#findings.warning(at, 'use_vmac with unicast_peer: adverts leave from the interface below', {
        hint: 'write vmac_xmit_base, as keepalived asks for',
      });
    }
    return { virtual, ...(unicast || base !== undefined ? { transmitBase: true } : {}) };
  }

  #ipvlan(section: InstanceSection, seat: Seat): Pick<VrrpSettings, 'virtual'> {
    const words = section.value('use_ipvlan');
    const at = section.token('use_ipvlan');
    if (words === undefined || at === undefined) return {};
    if (section.has('use_vmac')) this.#findings.error(at, 'use_vmac and use_ipvlan: write one of them');
    const { address, group, mode = 'bridge' } = words;
    if (address === undefined && seat.family === 4) {
      this.#findings.error(at, 'use_ipvlan needs an IPv4 address of its own', {
        hint: 'write use_ipvlan NAME ADDRESS: all ipvlans have one MAC address, and are told apart by theirs',
      });
    } else if (address !== undefined && familyOf(address.ip) !== seat.family) {
      this.#findings.error(at, `use_ipvlan: ${address.ip} is no IPv${seat.family} address`);
    }
    const name = words.name ?? this.#nameOf(seat, 'ipvlan', this.#prefix, at);
    const virtual: VirtualInterface = {
      name,
      ...(group === undefined ? {} : { group }),
      ...(address === undefined ? {} : { address }),
      sort: { kind: 'ipvlan', mode },
    };
    return { virtual };
  }

  /** `settings` with the VMACs of addresses that are to have one of their own; `lines` are theirs, in order. */
  placed({ section }: InstanceEntry, settings: VrrpSettings, lines: AddressLines): VrrpSettings {
    const all = section.has('use_vmac_addr');
    const place = (address: VirtualAddress, line: Item<AddressLine> | undefined): VirtualAddress => {
      const { interface: device, vrid, family, virtual } = settings;
      const own = familyOf(address.address.ip);
      const base = address.dev ?? device;
      const wanted = line?.value.options.use_vmac === true || (all && (base !== device || own !== family));
      if (line === undefined || !wanted) return address;
      const here = virtual?.sort.kind === 'macvlan' && base === device && own === family;
      const mac = here && virtual?.sort.kind === 'macvlan' ? virtual.sort.mac : virtualMac(own, vrid);
      const name = this.#nameOf({ interface: base, vrid, family: own }, mac, this.#addressPrefix, line.at);
      this.#byMac.set(`${base} ${mac}`, name);
      return { ...address, vmac: { name, mac } };
    };
    return {
      ...settings,
      addresses: settings.addresses.map((address, i) => place(address, lines.addresses[i])),
      excluded: settings.excluded.map((address, i) => place(address, lines.excluded[i])),
    };
  }

  /** The name of the VMAC that is there already, else the first that is free: vrrp.7, vrrp6.7, vrrp1.7, ... */
  #nameOf({ interface: base, vrid, family }: Seat, mac: string, prefix: string, at: Token): string {
    const known = this.#byMac.get(`${base} ${mac}`);
    if (known !== undefined && mac !== 'ipvlan') return known;
    const numbers = [
      '',
      ...(family === 6 ? ['6'] : []),
      ...Array.from({ length: 255 }, (_, i) => `${i + 1}`),
    ];
    const names = numbers.map((number) => `${prefix}${number}.${vrid}`);
    const name = names.find((free) => !this.#taken.has(free)) ?? '';
    if (name.length > LONGEST_NAME || name === '') {
      this.#findings.error(
        this.#prefixAt ?? at,
        `${name} is too long for an interface: at most 15 characters`,
      );
    }
    this.#taken.set(name, at);
    return name;
  }

  #place(base: string, mac: string, name: string, at: Token): void {
    const known = this.#byMac.get(`${base} ${mac}`);
    if (known !== undefined && known !== name) {
      this.#findings.error(at, `use_vmac: ${known} on ${base} has the MAC address ${mac} already`);
    }
    this.#byMac.set(`${base} ${mac}`, name);
  }
}

/** The lines that an instance's addresses were made from. */
export interface AddressLines {
  readonly addresses: readonly Item<AddressLine>[];
  readonly excluded: readonly Item<AddressLine>[];
}
