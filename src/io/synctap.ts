import { familyOf } from '../core/ip.ts';
import { readTapped, type SyncTarget, type TappedDatagram, tapFilter } from '../core/sync/tap.ts';
import { joinGroup } from './membership.ts';
import { AF, sockaddrPacket } from './sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from './socket.ts';

const ETH_P_ALL = 3;
/** None, until the filter is in place. */
const NOTHING = 0;
/** The largest UDP datagram. */
const ROOM = { data: 65_536, slots: 16 };
/** In struct sockaddr_ll. */
const PACKET_TYPE_AT = 10;
const PACKET_OUTGOING = 4;

export interface TapHandlers {
  /** `isOwn`: this host sent it. */
  datagram(datagram: TappedDatagram, isOwn: boolean): void;
  error(error: Error): void;
}

/** Hears the sync datagrams on an interface, those that this host sends too, and joins their group. */
export class SyncTap {
  readonly #tap: Socket;
  readonly #member: Socket;

  /**
   * Throws SystemError: `EPERM` without CAP_NET_RAW, `ENODEV` and the like where the interface does not do. `buffer`:
   * bytes for what waits, which takes CAP_NET_ADMIN.
   */
  constructor(
    device: { readonly name: string; readonly ifindex: number },
    target: SyncTarget,
    buffer?: number,
  ) {
    const what = `sync listener on ${device.name}`;
    this.#member = new Socket(familyOf(target.group) === 4 ? AF.INET : AF.INET6, SOCK.DGRAM, 0, what);
    try {
      this.#tap = new Socket(AF.PACKET, SOCK.DGRAM, NOTHING, what);
      try {
        if (buffer !== undefined) this.#tap.setOption(SOL_SOCKET, SO.RCVBUFFORCE, buffer);
        this.#tap.attachFilter(tapFilter(target));
        this.#tap.bind(sockaddrPacket(device.ifindex, ETH_P_ALL));
        joinGroup(this.#member, target.group, device.ifindex);
      } catch (error) {
        this.#tap.close();
        throw error;
      }
    } catch (error) {
      this.#member.close();
      throw error;
    }
  }

  listen({ datagram, error }: TapHandlers): void {
    this.#tap.reserve(ROOM);
    this.#tap.listen({
      datagram: ({ data, name }) => {
        const tapped = readTapped(data);
        if (tapped !== undefined) datagram(tapped, name[PACKET_TYPE_AT] === PACKET_OUTGOING);
      },
      error,
    });
  }

  close(): void {
    this.#tap.close();
    this.#member.close();
  }
}
