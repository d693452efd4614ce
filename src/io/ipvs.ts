import { decodeFamily, getFamily } from '../core/netlink/genl.ts';
import {
  IPVS_FAMILY,
  type IpvsDaemon,
  type IpvsOperation,
  type IpvsServiceKey,
} from '../core/netlink/ipvs.ts';
import {
  decodeDaemon,
  decodeDestination,
  decodeInfo,
  decodeService,
  decodeTimeouts,
  type IpvsInfo,
  type ShownDestination,
  type ShownService,
  type ShownTimeouts,
} from '../core/netlink/ipvs-reply.ts';
import {
  dumpDaemons,
  dumpDestinations,
  dumpServices,
  encodeOperation,
  getInfo,
  getService,
  getTimeouts,
} from '../core/netlink/ipvs-request.ts';
import type { Message, Outcome, Request } from '../core/netlink/message.ts';
import { inNamespace } from './namespace.ts';
import { ENOBUFS, NETLINK, NetlinkError, NetlinkSocket, only } from './netlink.ts';

/** The kernel has no IPVS, or does not let us load it. */
export class NoIpvs extends Error {
  override name = 'NoIpvs';

  constructor(cause: unknown) {
    super(
      'the kernel has no IPVS (ip_vs): load it with "modprobe ip_vs"; if that fails, the kernel was built ' +
        'without CONFIG_IP_VS or its modules package is not installed',
      { cause },
    );
  }
}

/**
 * The IPVS table of a network namespace. Every call needs CAP_NET_ADMIN, reading too, and throws
 * NetlinkError (EPERM without it). The kernel tells no changes by itself: whoever wants to know reads again.
 */
export class IpvsClient {
  readonly #socket: NetlinkSocket;
  readonly #family: number;

  /**
   * Finds the family, at which kernels from 6.1 on load the module by themselves; that blocks meanwhile.
   * `namespace` is the path of another network namespace, whose table it is then.
   * Throws NoIpvs when there is none, SystemError when netlink itself or the namespace is refused.
   */
  constructor(namespace?: string) {
    this.#socket = inNamespace(namespace, () => new NetlinkSocket(NETLINK.GENERIC, 'IPVS'));
    try {
      const request = getFamily(IPVS_FAMILY);
      this.#family = only(request.asked, this.#socket.ask(request).map(decodeFamily)).id;
    } catch (error) {
      this.#socket.close();
      throw error instanceof NetlinkError && error.code === 'ENOENT' ? new NoIpvs(error) : error;
    }
  }

  /** In the order of the kernel's hash table. */
  services(): ShownService[] {
    return this.#socket.list(dumpServices(this.#family), decodeService);
  }

  /** Throws NetlinkError (ESRCH) when there is no such service. */
  service(key: IpvsServiceKey): ShownService {
    return this.#one(getService(this.#family, key), decodeService);
  }

  /** Newest first. Empty also when the service does not exist: the kernel makes no difference. */
  destinations(key: IpvsServiceKey): ShownDestination[] {
    const request = dumpDestinations(this.#family, key);
    return this.#socket.list(request, (message) => decodeDestination(message, key.family));
  }

  /** The running sync daemons: at most one for each role. */
  daemons(): IpvsDaemon[] {
    return this.#socket.list(dumpDaemons(this.#family), decodeDaemon);
  }

  timeouts(): ShownTimeouts {
    return this.#one(getTimeouts(this.#family), decodeTimeouts);
  }

  info(): IpvsInfo {
    return this.#one(getInfo(this.#family), decodeInfo);
  }

  /** Performs the operations in order, batched; the outcome of each, errno 0 for success. */
  apply(operations: readonly IpvsOperation[]): Outcome[] {
    const requests = operations.map((operation) => encodeOperation(this.#family, operation));
    return this.#socket.request(requests).map((outcome, i) => {
      const operation = operations[i];
      if (outcome.errno !== ENOBUFS || operation?.op !== 'stop-daemon') return outcome;
      return this.#isStopped(operation.state, operations.slice(i + 1)) ? { errno: 0 } : outcome;
    });
  }

  /**
   * A sync thread that had not begun to run when it was stopped makes the kernel's operation end with EINTR, and for
   * that netlink sends no answer (net/netlink/af_netlink.c, netlink_rcv_skb). Whether it is stopped, the list tells,
   or the outcome of a start that came after it.
   */
  #isStopped(state: number, later: readonly IpvsOperation[]): boolean {
    const startedAgain = later.some((one) => one.op === 'start-daemon' && one.daemon.state === state);
    return startedAgain || !this.daemons().some((daemon) => daemon.state === state);
  }

  close(): void {
    this.#socket.close();
  }

  #one<T>(request: Request, decode: (message: Message) => T | undefined): T {
    return only(request.asked, this.#socket.ask(request).map(decode));
  }
}
