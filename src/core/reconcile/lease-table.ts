import { unreachable } from '../assert.ts';
import { Writer } from '../bytes.ts';
import { familyOf, ipToBytes, isLinkLocal } from '../ip.ts';
import type { Request } from '../netlink/message.ts';
import {
  accept,
  addElements,
  compare,
  deleteChain,
  deleteElements,
  deleteSet,
  deleteTable,
  drop,
  type Element,
  type Expression,
  HOOK,
  isIn,
  loadHeader,
  loadMeta,
  lookUp,
  META_KEY,
  newBaseChain,
  newChain,
  newRule,
  newSet,
  newTable,
  SECOND_REGISTER,
  type SetKind,
  SHOWN_AS,
  shownAsBoth,
  type TableName,
} from '../netlink/nftables.ts';
import type { Guarded, LeaseStep } from './lease-events.ts';

/**
 * The tables of nf_tables that make leases of milliseconds, one for IP and one for ARP. Maps tell which lease a virtual
 * address belongs to; what is sent to it, or from it, goes to the chain of that lease, and is dropped there when the
 * lease has run out. A lease is a set of its own whose elements end: the kernel looks at the time with each packet. So
 * a renewal is as cheap for a thousand addresses as for one. The set has what all packets of the table have, as
 * nf_tables knows no constant to look for.
 *
 * The hooks come before all that could answer: on the way in before defragmentation, connection tracking and IPVS, and
 * on the way out after NAT and IPVS have set the source. ARP has hooks of its own; an answer of neighbour discovery has
 * the address as its source. Adverts pass in any case: without one nothing is renewed.
 *
 * All that is in the tables can be said in the language of nft(8): they are listed, saved and loaded with the others.
 */

const BEFORE_ALL = -450;
const AFTER_NAT = 350;
const ARP_PRIORITY = -10;
const NFPROTO = { 4: 2, 6: 10 } as const;
const VRRP = Uint8Array.of(112);
/** Of the addresses in the headers, and in ARP for Ethernet (hardware addresses of 6 bytes, IPv4's of 4). */
const OFFSET = {
  4: { source: 12, target: 16 },
  6: { source: 8, target: 24 },
  arp: { source: 14, target: 24 },
} as const;
const ARP_LENGTHS = { offset: 4, bytes: Uint8Array.of(6, 4) } as const;
const ARP_PROTOCOL = { offset: 2, length: 2 } as const;
type End = keyof (typeof OFFSET)['arp'];

const IPV4: SetKind = { name: 'vips', id: 1, key: { shownAs: SHOWN_AS.ipv4, bytes: 4 }, verdicts: true };
const IPV6: SetKind = { name: 'vips6', id: 2, key: { shownAs: SHOWN_AS.ipv6, bytes: 16 }, verdicts: true };
/** Link-local addresses, with their interface before them. */
const LOCAL: SetKind = {
  name: 'vips6_local',
  id: 3,
  key: { shownAs: shownAsBoth(SHOWN_AS.interface, SHOWN_AS.ipv6), bytes: 20 },
  verdicts: true,
};
const MAPS = { inet: [IPV4, IPV6, LOCAL], arp: [IPV4] } as const;

/** What all packets of a table have: a lease is good as long as its set has it. */
const CERTAIN = {
  inet: {
    key: { shownAs: SHOWN_AS.family, bytes: 1 },
    elements: [Uint8Array.of(NFPROTO[4]), Uint8Array.of(NFPROTO[6])],
    read: loadMeta(META_KEY.family),
  },
  arp: {
    key: { shownAs: SHOWN_AS.etherType, bytes: 2 },
    elements: [Uint8Array.of(8, 0)],
    read: loadHeader(ARP_PROTOCOL.offset, ARP_PROTOCOL.length),
  },
} as const;

/** The name of the chain and of the set of a lease. */
const leaseName = (lease: number): string => `lease${lease}`;
const LEASE_SETS = 100;
/** The kernel takes 255 characters. */
const NAME_LONGEST = 200;

/**
 * The name of the tables of the daemon with this run directory: there may be several in one network namespace. Letters
 * and underscores, as nft(8) writes names.
 */
export function leaseTableName(runDir: string): string {
  const own = runDir.replace(/^\/run\/vipkeeper/, '').replace(/[^A-Za-z0-9]+/g, '_');
  return `vipkeeper_lease${own.slice(-NAME_LONGEST)}`;
}

/** The messages of a transaction. */
export function requestsOfLeases(table: string, steps: readonly LeaseStep[]): Request[] {
  const requests = new LeaseTable(table);
  return steps.flatMap((step) => {
    switch (step.op) {
      case 'make':
        return requests.make();
      case 'remove':
        return requests.remove();
      case 'open':
        return requests.open(step.lease);
      case 'close':
        return requests.close(step.lease);
      case 'end':
        return requests.end(step.lease);
      case 'grant':
        return requests.grant(step.lease, step.timeout);
      case 'guard':
        return requests.guard(step.guarded, step.lease);
      case 'unguard':
        return requests.unguard(step.guarded);
      default:
        return unreachable(step);
    }
  });
}

/** The same; the messages of a step are made once, as long as somebody has that very step. */
export class LeaseRequests {
  #table = '';
  #made = new WeakMap<LeaseStep, readonly Request[]>();

  of(table: string, steps: readonly LeaseStep[]): Request[] {
    if (table !== this.#table) this.#made = new WeakMap();
    this.#table = table;
    return steps.flatMap((step) => {
      if (step.op === 'open') for (const each of step.next ?? []) this.#of(each);
      return this.#of(step);
    });
  }

  #of(step: LeaseStep): readonly Request[] {
    const made = this.#made.get(step);
    if (made !== undefined) return made;
    const requests = requestsOfLeases(this.#table, [step]);
    if (step.op === 'guard' || step.op === 'grant' || step.op === 'end') this.#made.set(step, requests);
    return requests;
  }
}

export class LeaseTable {
  readonly #inet: TableName;
  readonly #arp: TableName;

  constructor(name: string) {
    this.#inet = { family: 'inet', name };
    this.#arp = { family: 'arp', name };
  }

  /** Makes the tables anew, without any address, whatever was there. */
  make(): Request[] {
    const [inet, arp] = [this.#inet, this.#arp];
    return [
      ...this.remove(),
      newTable(inet),
      ...MAPS.inet.map((kind) => newSet(inet, kind)),
      newBaseChain(inet, 'in', HOOK.prerouting, BEFORE_ALL),
      newBaseChain(inet, 'out', HOOK.postrouting, AFTER_NAT),
      ...rulesFor('target').map((steps) => newRule(inet, 'in', steps)),
      ...rulesFor('source').map((steps) => newRule(inet, 'out', steps)),
      newTable(arp),
      ...MAPS.arp.map((kind) => newSet(arp, kind)),
      newBaseChain(arp, 'in', HOOK.arpInput, ARP_PRIORITY),
      newBaseChain(arp, 'out', HOOK.arpOutput, ARP_PRIORITY),
      newRule(arp, 'in', arpRule('target')),
      newRule(arp, 'out', arpRule('source')),
    ];
  }

  /** Removes the tables, whether they are there or not. */
  remove(): Request[] {
    return this.#both((table) => [newTable(table), deleteTable(table)]);
  }

  /** A new lease, which is not good yet. */
  open(lease: number): Request[] {
    const name = leaseName(lease);
    return this.#both((table) => {
      const { key, read } = CERTAIN[table.family];
      const adverts = table.family === 'inet' ? [[loadMeta(META_KEY.protocol), compare(VRRP), accept]] : [];
      const rules = [[read, isIn(name), accept], ...adverts, [drop]];
      return [
        newSet(table, { name, id: LEASE_SETS + lease, key, timeout: true }),
        newChain(table, name),
        ...rules.map((steps) => newRule(table, name, steps)),
      ];
    });
  }

  /** The lease is no more; no address belongs to it. */
  close(lease: number): Request[] {
    const name = leaseName(lease);
    return this.#both((table) => [deleteChain(table, name), deleteSet(table, name)]);
  }

  /** These addresses, which belong to no lease yet, belong to this one. */
  guard(guarded: readonly Guarded[], lease: number): Request[] {
    return this.#each(guarded, (table, set, elements) =>
      addElements(
        table,
        set,
        elements.map((element) => ({ ...element, chain: leaseName(lease) })),
      ),
    );
  }

  /** These belong to no lease from now on; ENOENT when one belongs to none. */
  unguard(guarded: readonly Guarded[]): Request[] {
    return this.#each(guarded, deleteElements);
  }

  /** The lease, which has run out or was never good, is good for so many milliseconds. */
  grant(lease: number, timeout: number): Request[] {
    return this.#both((table) =>
      addElements(
        table,
        leaseName(lease),
        CERTAIN[table.family].elements.map((key) => ({ key, timeout })),
      ),
    );
  }

  /** The lease is over now; ENOENT when it has run out. */
  end(lease: number): Request[] {
    return this.#both((table) =>
      deleteElements(
        table,
        leaseName(lease),
        CERTAIN[table.family].elements.map((key) => ({ key })),
      ),
    );
  }

  #both(make: (table: TableName) => Request[]): Request[] {
    return [this.#inet, this.#arp].flatMap(make);
  }

  #each(guarded: readonly Guarded[], change: typeof addElements): Request[] {
    const elements = new Map<SetKind, Element[]>([IPV4, IPV6, LOCAL].map((kind) => [kind, []]));
    for (const where of guarded) elements.get(kindOf(where))?.push(elementOf(where));
    return this.#both((table) =>
      MAPS[table.family].flatMap((kind) => change(table, kind.name, elements.get(kind) ?? [])),
    );
  }
}

function kindOf({ address, ifindex }: Guarded): SetKind {
  if (familyOf(address) === 4) return IPV4;
  return ifindex !== undefined && isLinkLocal(address) ? LOCAL : IPV6;
}

function elementOf(where: Guarded): Element {
  const key = new Writer(20);
  if (kindOf(where) === LOCAL) key.u32host(where.ifindex ?? 0);
  return { key: key.bytes(ipToBytes(where.address)).finish() };
}

/** The rules for the packets' source or target: IPv4, IPv6, and IPv6 on one interface. */
function rulesFor(end: End): Expression[][] {
  const interfaceKey = end === 'source' ? META_KEY.outputInterface : META_KEY.inputInterface;
  const is = (family: 4 | 6): Expression[] => [
    loadMeta(META_KEY.family),
    compare(Uint8Array.of(NFPROTO[family])),
  ];
  return [
    [...is(4), loadHeader(OFFSET[4][end], IPV4.key.bytes), lookUp(IPV4.name)],
    [...is(6), loadHeader(OFFSET[6][end], IPV6.key.bytes), lookUp(IPV6.name)],
    [
      ...is(6),
      loadMeta(interfaceKey),
      loadHeader(OFFSET[6][end], IPV6.key.bytes, SECOND_REGISTER),
      lookUp(LOCAL.name),
    ],
  ];
}

const arpRule = (end: End): Expression[] => [
  loadHeader(ARP_LENGTHS.offset, ARP_LENGTHS.bytes.length),
  compare(ARP_LENGTHS.bytes),
  loadHeader(OFFSET.arp[end], IPV4.key.bytes),
  lookUp(IPV4.name),
];
