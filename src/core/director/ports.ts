import type { Family, Ip } from '../ip.ts';
import type { Machine } from '../machine.ts';
import type { Link } from '../netlink/link.ts';
import type { Interfaces } from '../reconcile/interfaces.ts';
import { after, type Duration, type Instant, seconds } from '../time.ts';
import { VRRP_GROUP } from '../vrrp/packet.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';

/** Sockets that the kernel refused are tried again this often. */
const RETRY_PAUSE: Duration = seconds(1);

/** The sockets of one interface and family, shared by all virtual routers there. */
export interface Port {
  readonly name: string;
  readonly ifindex: number;
  readonly family: Family;
  /** What is heard is for virtual routers of this interface: that below, of a VMAC. */
  readonly home: string;
  /** The multicast groups that are heard, in order. */
  readonly groups: readonly Ip[];
  /** Groups that are joined for the sake of switches: what is heard there is not taken. */
  readonly reported: readonly Ip[];
  /** Adverts behind an authentication header are heard too. */
  readonly authenticated: boolean;
}

/** Tells ports apart while their interface is the same one. */
export const portKey = ({ name, ifindex, family }: Pick<Port, 'name' | 'ifindex' | 'family'>): string =>
  `${name} ${ifindex} IPv${family}`;

/** Where a virtual router hears and speaks. */
export interface Seat {
  readonly hears: Link;
  readonly speaks: Link;
  /** The interface below, where a VMAC has the group joined. */
  readonly below?: Link;
}

/**
 * `undefined` while an interface is missing. A VMAC hears what is sent from the same address elsewhere, and nobody else
 * does; with unicast peers it needs none.
 */
export function seatOf(settings: VrrpSettings, interfaces: Interfaces): Seat | undefined {
  const { interface: device, virtual, transmitBase = false, peers = [] } = settings;
  const base = interfaces.named(device);
  if (base === undefined) return undefined;
  if (virtual === undefined || (peers.length > 0 && virtual.sort.kind === 'macvlan'))
    return { hears: base, speaks: base };
  const own = interfaces.named(virtual.name);
  return own && { hears: own, speaks: transmitBase ? base : own, below: base };
}

/** The ports of these virtual routers, by their keys: what is not among them is to be closed. */
export function portsOf(routers: Iterable<VrrpSettings>, interfaces: Interfaces): ReadonlyMap<string, Port> {
  const ports = new Map<string, Port>();
  const add = (
    { name, ifindex }: Link,
    { family, interface: home }: VrrpSettings,
    more: Partial<Pick<Port, 'groups' | 'reported' | 'authenticated'>>,
  ): void => {
    const key = portKey({ name, ifindex, family });
    const known = ports.get(key);
    const both = (which: 'groups' | 'reported'): Ip[] =>
      [...new Set([...(known?.[which] ?? []), ...(more[which] ?? [])])].sort();
    const authenticated = known?.authenticated === true || more.authenticated === true;
    const [groups, reported] = [both('groups'), both('reported')];
    ports.set(key, { name, ifindex, family, home, groups, reported, authenticated });
  };
  for (const settings of routers) {
    const seat = seatOf(settings, interfaces);
    if (seat === undefined) continue;
    const { family, peers = [], destination = VRRP_GROUP[family], ah } = settings;
    const groups = peers.length === 0 ? [destination] : [];
    add(seat.hears, settings, { groups, authenticated: ah !== undefined });
    if (seat.below !== undefined) add(seat.below, settings, { reported: [destination] });
  }
  return ports;
}

export type PortsEvent =
  /** Exactly these from now on. */
  | { readonly type: 'want'; readonly ports: ReadonlyMap<string, Port> }
  /** What became of `ports`: those that could not be had, and why. */
  | { readonly type: 'done'; readonly failed: ReadonlyMap<string, string> };

export type PortsEffect =
  /** These are to be open, with exactly their groups, and no others; answered by `done`. */
  | { readonly type: 'ports'; readonly ports: readonly Port[] }
  /** Something is open now that was not, or is not any more. */
  | { readonly type: 'settled' }
  /** A lasting one is told once. */
  | { readonly type: 'problem'; readonly what: string };

/** Which sockets are open: desired state. */
export class Ports implements Machine<PortsEvent, PortsEffect> {
  #wanted: ReadonlyMap<string, Port> = new Map();
  #asked = '';
  #failed: ReadonlyMap<string, string> = new Map();
  /** The keys of those that were asked for and answered. */
  #known: ReadonlySet<string> = new Set();
  #retry: Instant | undefined;
  #effects: PortsEffect[] = [];

  handle(event: PortsEvent, now: Instant): void {
    if (event.type === 'want') this.#want(event.ports);
    else this.#done(event.failed, now);
  }

  deadline(): Instant | undefined {
    return this.#retry;
  }

  timeout(now: Instant): void {
    if (this.#retry === undefined || this.#retry > now) return;
    this.#retry = undefined;
    this.#effects.push({ type: 'ports', ports: [...this.#wanted.values()] });
  }

  take(): PortsEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    const [wanted, asked, failed, known] = [this.#wanted, this.#asked, this.#failed, this.#known];
    return { wanted, asked, failed, known, retry: this.#retry };
  }

  recall({ wanted, asked, failed, known, retry }: ReturnType<Ports['memory']>): void {
    [this.#wanted, this.#asked, this.#failed] = [wanted, asked, failed];
    [this.#known, this.#retry] = [known, retry];
  }

  /** Whether the sockets are there; `undefined` while that is not known yet, else why they are not. */
  state(port: Pick<Port, 'name' | 'ifindex' | 'family'>): 'open' | undefined | { readonly why: string } {
    const key = portKey(port);
    if (!this.#known.has(key)) return undefined;
    const why = this.#failed.get(key);
    return why === undefined ? 'open' : { why };
  }

  #want(ports: ReadonlyMap<string, Port>): void {
    const asked = JSON.stringify([...ports.values()]);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#wanted = ports;
    this.#known = new Set([...this.#known].filter((key) => ports.has(key)));
    this.#effects.push({ type: 'ports', ports: [...ports.values()] });
  }

  #done(failed: ReadonlyMap<string, string>, now: Instant): void {
    for (const [key, what] of failed) {
      if (this.#failed.get(key) !== what) this.#effects.push({ type: 'problem', what });
    }
    this.#failed = failed;
    this.#known = new Set(this.#wanted.keys());
    this.#retry = failed.size > 0 ? after(now, RETRY_PAUSE) : undefined;
    this.#effects.push({ type: 'settled' });
  }
}
