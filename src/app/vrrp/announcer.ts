import { Announcements, type AnnouncementsEffect } from '../../core/director/announcements.ts';
import { familyOf, type Ip } from '../../core/ip.ts';
import type { Interfaces } from '../../core/kernel/interfaces.ts';
import { seconds } from '../../core/time.ts';
import { announcement } from '../../core/vrrp/announce.ts';
import type { PacingSettings } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { SystemError } from '../../io/errno.ts';
import { FrameSender } from '../../io/packet.ts';
import { forwardsIpv6 } from '../../io/sysctl.ts';
import type { Level } from '../messages.ts';

/** What the kernel makes upon another interface, whose wire it shares. */
const UPON = ['macvlan', 'ipvlan'];
/** The transmit queue has no room. */
const FULL = ['ENOBUFS', 'EAGAIN'];
export const AT_ONCE: PacingSettings = { garp: seconds(0), gna: seconds(0), groups: [] };

/** What announcing needs of its process. */
interface Around {
  readonly driver: Driver;
  readonly interfaces: Interfaces;
  log(level: Level, message: string): void;
}

/** Tells links who has an address now: gratuitous ARP and unsolicited neighbour advertisements, paced. */
export class Announcer {
  readonly #around: Around;
  readonly #driven: Driven<Parameters<Announcements['handle']>[0]>;
  readonly #frames = new FrameSender();

  constructor(around: Around) {
    this.#around = around;
    this.#driven = around.driver.attach(new Announcements(AT_ONCE), (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  pace(pacing: PacingSettings): void {
    this.#driven.handle({ type: 'configure', pacing });
  }

  announce(device: string, addresses: readonly Ip[], repeat: number): void {
    this.#driven.handle({ type: 'announce', dev: device, lane: this.#below(device), addresses, repeat });
  }

  /** What waits to be announced is not ours any more. */
  forget(device: string, addresses: readonly Ip[]): void {
    this.#driven.handle({ type: 'forget', dev: device, addresses });
  }

  /** Interfaces that can send again. */
  risen(devs: ReadonlySet<string>): void {
    this.#driven.handle({ type: 'risen', devs });
  }

  #below(device: string): string {
    const { interfaces } = this.#around;
    const link = interfaces.named(device);
    if (link?.lower === undefined || !UPON.includes(link.kind ?? '')) return device;
    return interfaces.numbered(link.lower)?.name ?? device;
  }

  #perform(effect: AnnouncementsEffect): void {
    if (effect.type === 'problem') {
      this.#around.log('warning', `${effect.dev}: not announced, tried again: ${effect.what}`);
      return;
    }
    const { id } = effect;
    this.#driven.handle({ type: 'sent', id, ...this.#send(effect.dev, effect.addresses) });
  }

  #send(device: string, addresses: readonly Ip[]): { taken: number; trouble?: string } {
    const link = this.#around.interfaces.named(device);
    if (link === undefined) return { taken: 0, trouble: `there is no interface ${device}` };
    // One without a hardware address has no neighbours to tell.
    if (link.mac === undefined) return { taken: addresses.length };
    const { ifindex, mac } = link;
    const forwards = addresses.some((address) => familyOf(address) === 6) && forwardsIpv6(device);
    const frames = addresses.map((address) => announcement(address, mac, forwards));
    try {
      return { taken: this.#frames.send(ifindex, frames) };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return FULL.includes(error.code) ? { taken: 0 } : { taken: 0, trouble: error.message };
    }
  }
}
