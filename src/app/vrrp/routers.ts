import { unreachable } from '../../core/assert.ts';
import type { Look } from '../../core/director/footing.ts';
import type { Ip } from '../../core/ip.ts';
import type { AddressesEvent, HeldAddress } from '../../core/kernel/events.ts';
import type { Interfaces } from '../../core/kernel/interfaces.ts';
import { placed } from '../../core/kernel/vmac-wants.ts';
import type { InstanceHappening } from '../../core/notify/happening.ts';
import { toSeconds } from '../../core/time.ts';
import type { Standing, VrrpEffect, VrrpEvent, VrrpState, VrrpStatus } from '../../core/vrrp/events.ts';
import { VrrpInstance } from '../../core/vrrp/instance.ts';
import type { VirtualAddress, VrrpSettings } from '../../core/vrrp/settings.ts';
import { isUnknown } from '../../core/vrrp/track.ts';
import { utc } from '../../io/clock.ts';
import { digest } from '../../io/digest.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { SystemError } from '../../io/errno.ts';
import type { VrrpSender } from '../../io/vrrp.ts';
import type { Level } from '../messages.ts';
import type { Announcer } from './announcer.ts';
import type { Ports } from './ports.ts';
import type { Votes } from './votes.ts';

/** What the virtual routers need of their process. */
export interface Surroundings {
  readonly driver: Driver;
  readonly interfaces: Interfaces;
  readonly announcer: Announcer;
  addresses(event: AddressesEvent): void;
  log(level: Level, message: string): void;
  /** A member of a sync group that is master heard a lesser one. */
  contested(group: string, key: string): void;
  readonly votes: Votes;
  /** A member of a sync group stands otherwise than before. */
  standing(group: string, key: string, standing: Standing): void;
  /** The state of a router changed. */
  changed(router: Router): void;
  /** What others may want to be told of. */
  happened(happening: InstanceHappening): void;
}

/** What identifies a virtual router on this host; the name does not. */
export const routerKey = ({
  interface: device,
  family,
  vrid,
  apart,
}: Pick<VrrpSettings, 'interface' | 'family' | 'vrid'> & { readonly apart?: string | undefined }): string =>
  `${device} IPv${family} VRID ${vrid}${apart === undefined ? '' : ` ${apart}`}`;

/** Whether a virtual router stays where it is: on another interface of its own it is another one. */
export const isSeatedAlike = (a: VrrpSettings, b: VrrpSettings | undefined): boolean =>
  b !== undefined && JSON.stringify(a.virtual) === JSON.stringify(b.virtual);

/** One virtual router at work: the machine, and the hands that perform its effects. */
export class Router {
  #settings: VrrpSettings;
  readonly #surroundings: Surroundings;
  readonly #ports: Ports;
  readonly #instance: VrrpInstance;
  readonly #driven: Driven<VrrpEvent>;
  /** Where its adverts leave; absent while it has no footing. */
  #sender: VrrpSender | undefined;
  #held: readonly HeldAddress[] = [];
  /** It is in FAULT, which others were not told of: nothing is known of what it tracks. */
  #unsaid = false;

  constructor(settings: VrrpSettings, ports: Ports, surroundings: Surroundings) {
    this.#settings = settings;
    this.#ports = ports;
    this.#surroundings = surroundings;
    const { driver } = surroundings;
    const instance = new VrrpInstance(settings, driver.recorder?.witness(digest) ?? digest);
    const perform = (effects: readonly VrrpEffect[]): void => {
      for (const effect of effects) this.#perform(effect);
    };
    const part = { kind: 'router', name: settings.name, birth: settings, memory: () => instance.memory() };
    this.#instance = instance;
    this.#driven = driver.attach(instance, perform, part);
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

  get state(): VrrpState {
    return this.#instance.state;
  }

  status(): VrrpStatus {
    return this.#instance.status();
  }

  handle(event: VrrpEvent): void {
    this.#driven.handle(event);
    this.#tellWhatIsKnown();
  }

  /** Its end: STOP with the daemon's, DELETED by a reload. */
  end(what: 'STOP' | 'DELETED'): void {
    const { state: from } = this.#instance;
    this.handle({ type: 'stop' });
    this.#happened(what, from, what === 'STOP' ? 'the daemon stops' : 'a reload removed it');
  }

  /**
   * Tells the machine what it stands on; `hindrance` is a reason not to serve that no interface gives, `occasion` one
   * to serve again.
   */
  reground({ tracked, link }: Look, hindrance: string | undefined, occasion?: string): void {
    for (const event of tracked) this.handle(event);
    const up = link.up && hindrance === undefined;
    if (up) this.#sender = this.#open();
    const seated = up && this.#sender !== undefined;
    const lame = up && !seated ? `no socket on ${this.#settings.interface}` : undefined;
    const again = seated ? occasion : undefined;
    this.handle({ ...link, up: seated, why: hindrance ?? lame ?? again ?? link.why });
  }

  /** Where it hears and speaks; a VMAC hears what is sent from the same address elsewhere, and nobody else does. */
  #open(): VrrpSender | undefined {
    const { interface: device, virtual, transmitBase = false, peers = [] } = this.#settings;
    const base = this.#surroundings.interfaces.named(device);
    if (base === undefined) return undefined;
    if (virtual === undefined || (peers.length > 0 && virtual.sort.kind === 'macvlan'))
      return this.#ports.open(base, this.#settings)?.sender;
    const own = this.#surroundings.interfaces.named(virtual.name);
    if (own === undefined) return undefined;
    const hears = this.#ports.open(own, this.#settings);
    const below = this.#ports.besides(base, this.#settings);
    return hears && below && (transmitBase ? below : hears.sender);
  }

  /** Announces the addresses again: they were put back. */
  announce(addresses: readonly VirtualAddress[]): void {
    if (this.#instance.state === 'MASTER') this.#announce(addresses, 1);
  }

  /** These interfaces can send again, or have another MAC address: neighbours are told who is there. */
  risen(devs: ReadonlySet<string>): void {
    const { addresses, excluded, announce } = this.#settings;
    const there = placed([...addresses, ...excluded], this.#settings).filter(({ dev }) => devs.has(dev));
    if (there.length > 0 && this.#instance.state === 'MASTER') this.#announce(there, announce.repeat);
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
        const addresses = placed(effect.addresses, this.#settings);
        this.#keep(addresses);
        const until = around.votes.until(this.#settings.group);
        const unsent = !this.#instance.advertLeft;
        around.addresses({ type: 'hold', owner, addresses, lease, until, unsent });
        break;
      }
      case 'release':
        this.#keep([]);
        around.addresses({ type: 'release', owner, leftovers: placed(effect.addresses, this.#settings) });
        break;
      case 'announce':
        this.#announce(effect.addresses, effect.repeat);
        break;
      case 'standing':
        around.standing(effect.group, owner, effect.standing);
        break;
      case 'transition':
        around.log('notice', `${name}: ${effect.from} -> ${effect.to}: ${effect.cause}`);
        around.changed(this);
        this.#tellState(effect);
        break;
      case 'priority':
        around.log('notice', `${name}: effective priority ${effect.priority}`);
        this.#tellPriority();
        break;
      case 'contested':
        if (this.#settings.group !== undefined) around.contested(this.#settings.group, owner);
        this.#happened('MASTER_RX_LOWER_PRI', 'MASTER', 'a lesser router believes to be master');
        break;
      case 'other-master':
        this.#tellOther(effect);
        break;
      default:
        around.log('warning', `${name}: ${describe(effect)}`);
    }
  }

  /**
   * Tells others of a new state. A router that only awaits the first news of what it tracks is in FAULT, but that is
   * nobody's concern yet, as in keepalived.
   */
  #tellState({ from, to, cause }: Extract<VrrpEffect, { type: 'transition' }>): void {
    const before = this.#unsaid ? 'INIT' : from;
    this.#unsaid = to === 'FAULT' && from === 'INIT' && this.status().faults.every(isUnknown);
    if (to !== 'INIT' && !this.#unsaid) this.#happened(to, before, cause);
  }

  #tellWhatIsKnown(): void {
    if (!this.#unsaid || this.status().faults.every(isUnknown)) return;
    this.#unsaid = false;
    this.#happened('FAULT', 'INIT', this.status().faults.join('; '));
  }

  /** Two serve: nobody but an operator can end that. */
  #tellOther({ address, why }: Extract<VrrpEffect, { type: 'other-master' }>): void {
    const { name } = this.#settings;
    this.#surroundings.changed(this);
    if (why === undefined) {
      this.#surroundings.log('notice', `${name}: ${address} no longer claims it`);
      return;
    }
    this.#surroundings.log('crit', `${name}: ${address} also claims it (${why})`);
    this.#happened('OTHER_MASTER', this.#instance.state, `${address} also claims ${name} (${why})`);
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

  #send({ payload, destination, source, ttl, header }: Extract<VrrpEffect, { type: 'send' }>): void {
    if (this.#sender === undefined) {
      this.handle({ type: 'unsent', code: 'ENODEV', destination });
      return;
    }
    try {
      this.#sender.send(payload, destination, source, ttl, header);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.handle({ type: 'unsent', code: error.code, destination });
      return;
    }
    this.handle({ type: 'sent' });
    // An advert that resigns or gives way is no authority to hold addresses, or to put back expired ones.
    if (this.#instance.state === 'MASTER') {
      const until = this.#surroundings.votes.until(this.#settings.group);
      this.#surroundings.addresses({ type: 'renew', owner: routerKey(this.#settings), until });
    }
  }

  #announce(addresses: readonly VirtualAddress[], repeat: number): void {
    const byDevice = new Map<string, Ip[]>();
    for (const { dev, address } of placed(addresses, this.#settings)) {
      const list = byDevice.get(dev) ?? [];
      list.push(address.ip);
      byDevice.set(dev, list);
    }
    for (const [device, list] of byDevice) this.#surroundings.announcer.announce(device, list, repeat);
  }

  /** What waits to be announced, and is held no longer, is not announced. */
  #keep(held: readonly HeldAddress[]): void {
    const still = new Set(held.map(({ dev, address }) => `${dev} ${address.ip}`));
    for (const { dev, address } of this.#held) {
      if (!still.has(`${dev} ${address.ip}`)) this.#surroundings.announcer.forget(dev, [address.ip]);
    }
    this.#held = held;
  }
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** What a router noticed, in words. */
function describe(
  effect: Extract<VrrpEffect, { type: 'rejected' | 'noticed' | 'not-sent' | 'stalled' }>,
): string {
  switch (effect.type) {
    case 'rejected': {
      const why = effect.why === undefined ? '' : ` (${effect.why})`;
      return `dropped ${count(effect.count, 'advert')} of ${effect.source}: ${effect.reason}${why}`;
    }
    case 'noticed':
      return `${count(effect.count, 'advert')} of ${effect.source} with unexpected ${effect.notice}`;
    case 'not-sent':
      return `${count(effect.count, 'advert')} could not be sent: ${effect.why}`;
    case 'stalled':
      return `this process was stalled for ${toSeconds(effect.late).toFixed(2)} s: ${effect.what}`;
    default:
      return unreachable(effect);
  }
}
