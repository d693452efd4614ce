import { unreachable } from '../core/assert.ts';
import type { Interfaces } from '../core/interfaces.ts';
import { type Family, familyOf, type Ip } from '../core/ip.ts';
import type { AddressesEvent, HeldAddress } from '../core/kernel/events.ts';
import type { InstanceHappening } from '../core/notify/happening.ts';
import { toSeconds } from '../core/time.ts';
import { announcement } from '../core/vrrp/announce.ts';
import { AH_PROTOCOL } from '../core/vrrp/auth-header.ts';
import type { Standing, VrrpEffect, VrrpEvent, VrrpState, VrrpStatus } from '../core/vrrp/events.ts';
import { VrrpInstance } from '../core/vrrp/instance.ts';
import type { LinkState } from '../core/vrrp/links.ts';
import { VRRP_GROUP, VRRP_PROTOCOL, vridOf } from '../core/vrrp/packet.ts';
import type { VirtualAddress, VrrpSettings } from '../core/vrrp/settings.ts';
import { isUnknown } from '../core/vrrp/track.ts';
import { utc } from '../io/clock.ts';
import { digest } from '../io/digest.ts';
import type { Driven, Driver } from '../io/drive.ts';
import { SystemError } from '../io/errno.ts';
import { FrameSender } from '../io/packet.ts';
import { forwardsIpv6 } from '../io/sysctl.ts';
import { type Device, type ReceivedAdvert, VrrpReceiver, VrrpSender } from '../io/vrrp.ts';
import type { Level } from './messages.ts';

/** A transmit queue that is still full after so many tries will not take the announcements at all. */
const SEND_TRIES = 50;
const RESEND_MS = 5;

/** What the virtual routers need of their process. */
export interface Surroundings {
  readonly driver: Driver;
  readonly interfaces: Interfaces;
  /** Whether an interface is believed to be up. */
  linkState(name: string): LinkState;
  addresses(event: AddressesEvent): void;
  log(level: Level, message: string): void;
  /** A member of a sync group stands otherwise than before. */
  standing(group: string, key: string, standing: Standing): void;
  /** The state of a router changed. */
  changed(): void;
  /** What others may want to be told of. */
  happened(happening: InstanceHappening): void;
}

/** What identifies a virtual router on this host; the name does not. */
export const routerKey = ({ interface: device, family, vrid }: VrrpSettings): string =>
  `${device} IPv${family} VRID ${vrid}`;

/** One virtual router at work: the machine, and the hands that perform its effects. */
export class Router {
  #settings: VrrpSettings;
  readonly #surroundings: Surroundings;
  readonly #ports: Ports;
  readonly #instance: VrrpInstance;
  readonly #driven: Driven<VrrpEvent>;
  #port: Port | undefined;
  #trouble: string | undefined;
  /** The state that others were told of. */
  #told: VrrpState = 'INIT';

  constructor(settings: VrrpSettings, ports: Ports, surroundings: Surroundings) {
    this.#settings = settings;
    this.#ports = ports;
    this.#surroundings = surroundings;
    this.#instance = new VrrpInstance(settings, digest);
    this.#driven = surroundings.driver.attach(this.#instance, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
    this.readClock();
  }

  /** Tells a router whose adverts carry the time what time it is. */
  readClock(): void {
    if (this.settings.hmac !== undefined) this.handle({ type: 'clock', utc: utc() });
  }

  get settings(): VrrpSettings {
    return this.#settings;
  }

  /** In place: what runs goes on. `settings` are of the same virtual router. */
  configure(settings: VrrpSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.readClock();
    this.handle({ type: 'configure', settings });
  }

  status(): VrrpStatus {
    return this.#instance.status();
  }

  handle(event: VrrpEvent): void {
    this.#driven.handle(event);
    if (this.#told !== this.#instance.state) this.#tellState();
  }

  /** Its end: STOP with the daemon's, DELETED by a reload. */
  end(what: 'STOP' | 'DELETED'): void {
    const { state: from } = this.#instance;
    this.handle({ type: 'stop' });
    this.#happened(what, from, what === 'STOP' ? 'the daemon stops' : 'a reload removed it');
  }

  /** Tells the machine what it stands on; `hindrance` is a reason not to serve that no interface gives. */
  reground(virtual: ReadonlySet<Ip>, hindrance: string | undefined): void {
    const { interface: device, family, source, track = [], trackPrimary = true } = this.#settings;
    for (const { kind, name } of track) {
      if (kind !== 'interface') continue;
      const { up: good, why } = this.#surroundings.linkState(name);
      this.handle({ type: 'track', kind, name, good, why });
    }
    const state = this.#surroundings.linkState(device);
    const believed =
      trackPrimary || state.up ? state : { up: true, why: `${state.why}, which does not matter` };
    const footing = this.#surroundings.interfaces.footing(device, family, source, virtual, believed);
    const link = this.#surroundings.interfaces.named(device);
    const up = footing.up && hindrance === undefined;
    if (up && link !== undefined) this.#port = this.#ports.open(link.name, link.ifindex, this.#settings);
    this.handle({
      type: 'link',
      up: up && this.#port !== undefined,
      source: footing.source,
      why: hindrance ?? (this.#port === undefined && up ? `no socket on ${device}` : footing.why),
    });
  }

  /** Announces the addresses again: they were put back. */
  announce(addresses: readonly VirtualAddress[]): void {
    if (this.status().state === 'MASTER') this.#announce(addresses, 1);
  }

  close(): void {
    this.#driven.detach();
  }

  #perform(effect: VrrpEffect): void {
    const around = this.#surroundings;
    const { name } = this.#settings;
    const owner = routerKey(this.#settings);
    switch (effect.type) {
      case 'send':
        this.#send(effect);
        break;
      case 'hold': {
        const { lease } = effect;
        around.addresses({ type: 'hold', owner, addresses: this.#placed(effect.addresses), lease });
        break;
      }
      case 'release':
        around.addresses({ type: 'release', owner, leftovers: this.#placed(effect.addresses) });
        break;
      case 'announce':
        this.#announce(effect.addresses, effect.repeat);
        break;
      case 'standing':
        around.standing(effect.group, owner, effect.standing);
        break;
      case 'transition':
        around.log('notice', `${name}: ${effect.from} -> ${effect.to}: ${effect.cause}`);
        around.changed();
        this.#tellState();
        break;
      case 'priority':
        around.log('notice', `${name}: effective priority ${effect.priority}`);
        this.#tellPriority();
        break;
      case 'contested':
        this.#happened('MASTER_RX_LOWER_PRI', 'MASTER', 'a lesser router believes to be master');
        break;
      default:
        around.log('warning', `${name}: ${describe(effect)}`);
    }
  }

  /**
   * Tells others of a new state. A router that only awaits the first news of what it tracks is in FAULT, but that is
   * nobody's concern yet, as in keepalived.
   */
  #tellState(): void {
    const { state, cause, faults } = this.status();
    if (state === 'FAULT' && this.#told === 'INIT' && faults.every(isUnknown)) return;
    const from = this.#told;
    this.#told = state;
    if (state !== 'INIT') this.#happened(state, from, cause);
  }

  #tellPriority(): void {
    const { state } = this.#instance;
    const what = state === 'MASTER' ? 'MASTER_PRIORITY' : 'BACKUP_PRIORITY';
    this.#happened(what, state, 'what is tracked changed');
  }

  #happened(what: InstanceHappening['what'], from: string, cause: string): void {
    const { name, priority } = this.status();
    this.#surroundings.happened({ of: 'instance', name, what, from, priority, cause });
  }

  /** With the interface of each address named. */
  #placed(addresses: readonly VirtualAddress[]): HeldAddress[] {
    return addresses.map((address) => ({ ...address, dev: address.dev ?? this.#settings.interface }));
  }

  #send({ payload, destination, source, ttl, header }: Extract<VrrpEffect, { type: 'send' }>): void {
    try {
      this.#port?.sender.send(payload, destination, source, ttl, header);
      // An advert that resigns or gives way is no authority to hold addresses, or to put back expired ones.
      if (this.#instance.state === 'MASTER') {
        this.#surroundings.addresses({ type: 'renew', owner: routerKey(this.#settings) });
      }
      this.#trouble = undefined;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // Once for each kind of trouble: a cut link would say it with every advert.
      if (this.#trouble !== error.message) {
        this.#surroundings.log('error', `${this.#settings.name}: no advert sent: ${error.message}`);
      }
      this.#trouble = error.message;
    }
  }

  #announce(addresses: readonly VirtualAddress[], repeat: number): void {
    const byDevice = new Map<string, Ip[]>();
    for (const { dev, address } of this.#placed(addresses)) {
      const list = byDevice.get(dev) ?? [];
      list.push(address.ip);
      byDevice.set(dev, list);
    }
    for (const [device, list] of byDevice) this.#ports.announce(device, list, repeat);
  }
}

/** What a router noticed, in words. */
function describe(effect: Extract<VrrpEffect, { type: 'rejected' | 'noticed' | 'stalled' }>): string {
  switch (effect.type) {
    case 'rejected':
      return `dropped ${effect.count} adverts of ${effect.source}: ${effect.reason}`;
    case 'noticed':
      return `${effect.count} adverts of ${effect.source} with unexpected ${effect.notice}`;
    case 'stalled':
      return `this process was stalled for ${toSeconds(effect.late).toFixed(2)} s: ${effect.what}`;
    default:
      return unreachable(effect);
  }
}

/** The sockets of one interface and family, shared by all virtual routers there. */
interface Port {
  readonly ifindex: number;
  readonly receiver: VrrpReceiver;
  /** Hears adverts behind an authentication header, where a router wants them. */
  authenticated?: VrrpReceiver;
  readonly sender: VrrpSender;
  /** The multicast groups that the receiver has joined. */
  readonly joined: Set<Ip>;
}

/** All sockets of the VRRP process: one pair for each interface and family, one for frames. */
export class Ports {
  readonly #surroundings: Surroundings;
  readonly #deliver: (device: string, family: Family, vrid: number, advert: ReceivedAdvert) => void;
  readonly #ports = new Map<string, Port>();
  readonly #frames = new FrameSender();

  constructor(
    surroundings: Surroundings,
    deliver: (device: string, family: Family, vrid: number, advert: ReceivedAdvert) => void,
  ) {
    this.#surroundings = surroundings;
    this.#deliver = deliver;
  }

  /** Datagrams that were no VRRP in IP, on all sockets. */
  get malformed(): number {
    let sum = 0;
    for (const { receiver, authenticated } of this.#ports.values()) {
      sum += receiver.malformed + (authenticated?.malformed ?? 0);
    }
    return sum;
  }

  /**
   * The sockets of this interface for a virtual router; new ones when it was made anew. `undefined`, logged, when
   * there can be none.
   */
  open(device: string, ifindex: number, router: VrrpSettings): Port | undefined {
    const { family, peers = [], destination = VRRP_GROUP[family] } = router;
    const key = `${device} ${family}`;
    const known = this.#ports.get(key);
    if (known?.ifindex !== ifindex) this.#close(key);
    try {
      const port = this.#ports.get(key) ?? this.#make(device, ifindex, family);
      if (router.ah !== undefined) {
        port.authenticated ??= this.#listen(family, { name: device, ifindex }, [...port.joined], AH_PROTOCOL);
      }
      if (peers.length === 0 && !port.joined.has(destination)) {
        port.receiver.join(destination);
        port.authenticated?.join(destination);
        port.joined.add(destination);
      }
      return port;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#surroundings.log('error', error.message);
      return undefined;
    }
  }

  #make(device: string, ifindex: number, family: Family): Port {
    const bound = { name: device, ifindex };
    const receiver = this.#listen(family, bound, [], VRRP_PROTOCOL);
    const port = { ifindex, receiver, sender: new VrrpSender(family, bound), joined: new Set<Ip>() };
    this.#ports.set(`${device} ${family}`, port);
    return port;
  }

  #listen(family: Family, device: Device, groups: readonly Ip[], protocol: number): VrrpReceiver {
    const receiver = new VrrpReceiver(family, device, groups, protocol);
    receiver.listen({
      advert: (advert) => {
        const vrid = vridOf(advert.payload);
        if (vrid !== undefined) this.#deliver(device.name, family, vrid, advert);
      },
      error: (error) => this.#surroundings.log('error', error.message),
    });
    return receiver;
  }

  #close(key: string): void {
    const port = this.#ports.get(key);
    port?.receiver.close();
    port?.authenticated?.close();
    port?.sender.close();
    this.#ports.delete(key);
  }

  /** Gratuitous ARP and unsolicited neighbour advertisements: round after round, as keepalived sends them. */
  announce(device: string, addresses: readonly Ip[], repeat: number): void {
    const link = this.#surroundings.interfaces.named(device);
    if (link?.mac === undefined) return;
    const { ifindex, mac } = link;
    const forwards = addresses.some((address) => familyOf(address) === 6) && forwardsIpv6(device);
    const round = addresses.map((address) => announcement(address, mac, forwards));
    this.#sendFrames(device, ifindex, Array.from({ length: repeat }, () => round).flat(), SEND_TRIES);
  }

  /** A full transmit queue takes the rest a little later. */
  #sendFrames(device: string, ifindex: number, frames: readonly Uint8Array[], tries: number): void {
    try {
      const rest = frames.slice(this.#frames.send(ifindex, frames));
      if (rest.length === 0) return;
      if (tries > 1) setTimeout(() => this.#sendFrames(device, ifindex, rest, tries - 1), RESEND_MS);
      else this.#surroundings.log('warning', `${device} did not take ${rest.length} announcements`);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#surroundings.log('warning', `${device}: not announced: ${error.message}`);
    }
  }
}
