import { familyOf, type Ip } from '../../core/ip.ts';
import type { Interfaces } from '../../core/kernel/interfaces.ts';
import { seconds } from '../../core/time.ts';
import { announcement } from '../../core/vrrp/announce.ts';
import { Pacer, type PacerEffect, type PacerEvent } from '../../core/vrrp/pacer.ts';
import type { PacingSettings } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { SystemError } from '../../io/errno.ts';
import { FrameSender } from '../../io/packet.ts';
import { forwardsIpv6 } from '../../io/sysctl.ts';
import type { Level } from '../messages.ts';

/** A transmit queue that is still full after so many tries will not take the announcements at all. */
const SEND_TRIES = 50;
const RESEND_MS = 5;
/** What the kernel makes upon another interface, whose wire it shares. */
const UPON = ['macvlan', 'ipvlan'];
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
  readonly #pacer: Driven<PacerEvent>;
  readonly #frames = new FrameSender();

  constructor(around: Around) {
    this.#around = around;
    this.#pacer = around.driver.attach(new Pacer(AT_ONCE), (effects) => {
      for (const effect of effects) this.#send(effect);
    });
  }

  pace(pacing: PacingSettings): void {
    this.#pacer.handle({ type: 'configure', pacing });
  }

  announce(device: string, addresses: readonly Ip[], repeat: number): void {
    this.#pacer.handle({ type: 'announce', dev: device, lane: this.#below(device), addresses, repeat });
  }

  /** What waits to be announced is not ours any more. */
  forget(device: string, addresses: readonly Ip[]): void {
    this.#pacer.handle({ type: 'forget', dev: device, addresses });
  }

  #below(device: string): string {
    const { interfaces } = this.#around;
    const link = interfaces.named(device);
    if (link === undefined || !UPON.includes(link.kind ?? '')) return device;
    return interfaces.all().find(({ ifindex }) => ifindex === link.lower)?.name ?? device;
  }

  /** Round after round, as keepalived sends them. */
  #send({ dev: device, addresses, repeat }: PacerEffect): void {
    const link = this.#around.interfaces.named(device);
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
      else this.#around.log('warning', `${device} did not take ${rest.length} announcements`);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#around.log('warning', `${device}: not announced: ${error.message}`);
    }
  }
}
