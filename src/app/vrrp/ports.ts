import type { Family, Ip } from '../../core/ip.ts';
import type { Interfaces } from '../../core/kernel/interfaces.ts';
import type { Link } from '../../core/netlink/link.ts';
import { AH_PROTOCOL } from '../../core/vrrp/auth-header.ts';
import { VRRP_GROUP, VRRP_PROTOCOL, vridOf } from '../../core/vrrp/packet.ts';
import type { VrrpSettings } from '../../core/vrrp/settings.ts';
import { SystemError } from '../../io/errno.ts';
import { type Device, type ReceivedAdvert, VrrpReceiver, VrrpSender } from '../../io/vrrp.ts';
import type { Level } from '../messages.ts';

/** The sockets of one interface and family, shared by all virtual routers there. */
interface Port {
  readonly ifindex: number;
  readonly receiver: VrrpReceiver;
  /** Hears adverts behind an authentication header, where a router wants them. */
  authenticated?: VrrpReceiver;
  readonly sender: VrrpSender;
  /** The multicast groups that the receiver has joined. */
  readonly joined: Set<Ip>;
  /** Those that the sender has joined, which hears nothing. */
  readonly reported: Set<Ip>;
}

/** What the sockets need of their process. */
export interface PortSurroundings {
  readonly interfaces: Interfaces;
  log(level: Level, message: string): void;
}

/** The sockets of the VRRP process for adverts: one pair for each interface and family. */
export class Ports {
  readonly #surroundings: PortSurroundings;
  readonly #deliver: (device: string, family: Family, vrid: number, advert: ReceivedAdvert) => void;
  readonly #ports = new Map<string, Port>();

  constructor(
    surroundings: PortSurroundings,
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
   * The sockets of this interface for a virtual router, which hears there what is for its own `interface`; new ones
   * when it was made anew. `undefined`, logged, when there can be none.
   */
  open(link: Link, router: VrrpSettings): Port | undefined {
    const { family, peers = [], destination = VRRP_GROUP[family] } = router;
    return this.#try(() => {
      const port = this.#port(link, router);
      if (router.ah !== undefined) {
        port.authenticated ??= this.#listen(router, link, [...port.joined], AH_PROTOCOL);
      }
      if (peers.length === 0 && !port.joined.has(destination)) {
        port.receiver.join(destination);
        port.authenticated?.join(destination);
        port.joined.add(destination);
      }
      return port;
    });
  }

  /**
   * A sender on the interface below a virtual router's own. It joins the group there for the sake of switches: what the
   * VMAC itself says of its memberships must not leave, or they would look for its address at each backup.
   */
  besides(base: Link, router: VrrpSettings): VrrpSender | undefined {
    const { family, destination = VRRP_GROUP[family] } = router;
    return this.#try(() => {
      const { sender, reported } = this.#port(base, router);
      if (!reported.has(destination)) sender.join(destination);
      reported.add(destination);
      return sender;
    });
  }

  #try<T>(open: () => T): T | undefined {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#surroundings.log('error', error.message);
      return undefined;
    }
  }

  #port({ name, ifindex }: Link, router: VrrpSettings): Port {
    const { family } = router;
    const key = `${name} ${family}`;
    const known = this.#ports.get(key);
    if (known?.ifindex === ifindex) return known;
    this.#close(key);
    const bound = { name, ifindex };
    const receiver = this.#listen(router, bound, [], VRRP_PROTOCOL);
    const sender = new VrrpSender(family, bound);
    const port = { ifindex, receiver, sender, joined: new Set<Ip>(), reported: new Set<Ip>() };
    this.#ports.set(key, port);
    return port;
  }

  #listen(
    { family, interface: home }: VrrpSettings,
    device: Device,
    groups: readonly Ip[],
    protocol: number,
  ): VrrpReceiver {
    const receiver = new VrrpReceiver(family, device, groups, protocol);
    receiver.listen({
      advert: (advert) => {
        const vrid = vridOf(advert.payload);
        if (vrid === undefined) receiver.malformed++;
        else this.#deliver(home, family, vrid, advert);
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
}
