import { type Port, portKey } from '../../core/director/ports.ts';
import type { Ip } from '../../core/ip.ts';
import { AH_PROTOCOL } from '../../core/vrrp/auth-header.ts';
import { VRRP_PROTOCOL, vridOf } from '../../core/vrrp/packet.ts';
import { SystemError } from '../../io/errno.ts';
import { type ReceivedAdvert, VrrpReceiver, VrrpSender } from '../../io/vrrp.ts';

type Deliver = (home: string, vrid: number, advert: ReceivedAdvert) => void;

/** The sockets of one interface and family, with the groups that each has joined. */
interface Open {
  readonly receiver: VrrpReceiver;
  /** Hears adverts behind an authentication header, where a router wants them. */
  authenticated?: VrrpReceiver;
  readonly sender: VrrpSender;
  readonly joined: Set<Ip>;
  readonly reported: Set<Ip>;
}

/** The sockets of the VRRP process for adverts: one pair for each interface and family. */
export class Ports {
  readonly #deliver: Deliver;
  readonly #failed: (error: SystemError) => void;
  readonly #open = new Map<string, Open>();
  /** Of sockets that are closed by now. */
  #malformed = 0;

  constructor(deliver: Deliver, failed: (error: SystemError) => void) {
    this.#deliver = deliver;
    this.#failed = failed;
  }

  /** Datagrams that were no VRRP in IP, on all sockets. */
  get malformed(): number {
    let sum = this.#malformed;
    for (const open of this.#open.values()) sum += malformedOf(open);
    return sum;
  }

  /** Has exactly these open, in exactly their groups. Gives those that could not be had, by their keys, and why. */
  open(ports: readonly Port[]): ReadonlyMap<string, string> {
    const wanted = new Set(ports.map(portKey));
    for (const key of [...this.#open.keys()]) if (!wanted.has(key)) this.#close(key);
    const failed = new Map<string, string>();
    for (const port of ports) {
      const key = portKey(port);
      try {
        this.#have(key, port);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        this.#close(key);
        failed.set(key, error.message);
      }
    }
    return failed;
  }

  /** Sends an advert; the name of the errno when it does not leave. */
  send(
    key: string,
    payload: Uint8Array,
    destination: Ip,
    source: Ip,
    ttl: number,
    header: Uint8Array | undefined,
  ): string | undefined {
    try {
      const open = this.#open.get(key);
      open?.sender.send(payload, destination, source, ttl, header);
      return open === undefined ? 'ENODEV' : undefined;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return error.code;
    }
  }

  #have(key: string, port: Port): void {
    const open = this.#open.get(key) ?? this.#make(key, port);
    for (const group of open.joined) {
      if (port.groups.includes(group)) continue;
      open.receiver.leave(group);
      open.authenticated?.leave(group);
      open.joined.delete(group);
    }
    if (!port.authenticated) {
      open.authenticated?.close();
      delete open.authenticated;
    } else open.authenticated ??= this.#listen(port, [...open.joined], AH_PROTOCOL);
    for (const group of port.groups) {
      if (open.joined.has(group)) continue;
      open.receiver.join(group);
      open.authenticated?.join(group);
      open.joined.add(group);
    }
    for (const group of open.reported) {
      if (port.reported.includes(group)) continue;
      open.sender.leave(group);
      open.reported.delete(group);
    }
    for (const group of port.reported) {
      if (!open.reported.has(group)) open.sender.join(group);
      open.reported.add(group);
    }
  }

  #make(key: string, port: Port): Open {
    const receiver = this.#listen(port, [], VRRP_PROTOCOL);
    const sender = new VrrpSender(port.family, port);
    const open = { receiver, sender, joined: new Set<Ip>(), reported: new Set<Ip>() };
    this.#open.set(key, open);
    return open;
  }

  #listen(port: Port, groups: readonly Ip[], protocol: number): VrrpReceiver {
    const receiver = new VrrpReceiver(port.family, port, groups, protocol);
    receiver.listen({
      advert: (advert) => {
        const vrid = vridOf(advert.payload);
        if (vrid === undefined) receiver.malformed++;
        else this.#deliver(port.home, vrid, advert);
      },
      error: this.#failed,
    });
    return receiver;
  }

  #close(key: string): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#malformed += malformedOf(open);
    open.receiver.close();
    open.authenticated?.close();
    open.sender.close();
    this.#open.delete(key);
  }
}

const malformedOf = ({ receiver, authenticated }: Open): number =>
  receiver.malformed + (authenticated?.malformed ?? 0);
