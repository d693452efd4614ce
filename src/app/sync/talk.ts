import type { ClusterSettings } from '../../core/fence/settings.ts';
import { familyOf, type Ip } from '../../core/ip.ts';
import { type BulkMessage, isOfHealth } from '../../core/sync/bulk/message.ts';
import { BulkPost, type BulkRejection } from '../../core/sync/bulk/post.ts';
import { SYNC_GROUP, SYNC_PORT } from '../../core/sync/message.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import { readKey } from '../../io/keyring.ts';
import { inNamespace } from '../../io/namespace.ts';
import { RouteSocket } from '../../io/route.ts';
import { SyncGroupSocket } from '../../io/syncgroup.ts';
import { UnicastSocket } from '../../io/unicast.ts';

const TTL = 1;

export interface TalkHandlers {
  heard(message: BulkMessage): void;
  rejected(reason: BulkRejection): void;
  error(error: Error): void;
}

/**
 * How the sync processes of the directors speak with each other: of surveys to the addresses of `heartbeat`, so that
 * the answer comes also where multicast does not; of copies in the group of the kernel's daemons, as what is copied
 * goes there, or with `sync_relay` to the same addresses.
 */
export class Talk {
  readonly #settings: SyncDaemonSettings;
  readonly #post: BulkPost;
  readonly #others: readonly Ip[];
  readonly #own = new Map<4 | 6, UnicastSocket>();
  readonly #extra: UnicastSocket[] = [];
  readonly #group: SyncGroupSocket | undefined;

  /** `namespace`: where the kernel's daemons are. Throws SystemError, BadKey. */
  constructor(
    settings: SyncDaemonSettings,
    { cluster, name, directors, keyFile }: ClusterSettings,
    namespace: string | undefined,
  ) {
    this.#settings = settings;
    const others = directors.filter((each) => each.name !== name);
    const names = others.map((each) => each.name);
    this.#post = new BulkPost({ cluster, name, others: names, syncId: settings.id }, readKey(keyFile));
    this.#others = others.flatMap(({ addresses }) => addresses);
    try {
      this.#bind(directors.find((each) => each.name === name)?.addresses ?? []);
      if (settings.relay === undefined) this.#group = openGroup(settings, namespace);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  listen({ heard, rejected, error }: TalkHandlers): void {
    const take = (datagram: Uint8Array): void => {
      const opened = this.#post.open(datagram);
      if ('rejection' in opened) rejected(opened.rejection);
      else if ('message' in opened) heard(opened.message);
    };
    this.#group?.listen(take, error);
    for (const socket of [...this.#own.values(), ...this.#extra])
      socket.listen((_, data) => take(data), error);
  }

  /** To all directors, whomever it is for. What the system does not take is lost, as what the network loses. */
  say(message: BulkMessage): void {
    const datagram = this.#post.close(message);
    if (this.#group !== undefined && !isOfHealth(message)) {
      this.#group.send([datagram], this.#settings.bulkPort);
      return;
    }
    for (const address of this.#others) {
      try {
        this.#own.get(familyOf(address))?.send(datagram, address, this.#settings.bulkPort);
      } catch {
        // Whoever needs it asks again.
      }
    }
  }

  /** Datagrams for the kernels of the group; not with `sync_relay`. */
  tell(datagrams: readonly Uint8Array[]): void {
    this.#group?.send(datagrams, this.#settings.port ?? SYNC_PORT);
  }

  close(): void {
    for (const socket of [...this.#own.values(), ...this.#extra]) socket.close();
    this.#group?.close();
  }

  /** Any of the addresses will do. */
  #bind(addresses: readonly Ip[]): void {
    let trouble: unknown;
    for (const address of addresses) {
      try {
        const socket = new UnicastSocket(address, this.#settings.bulkPort, 'bulk copy');
        const family = familyOf(address);
        if (this.#own.has(family)) this.#extra.push(socket);
        else this.#own.set(family, socket);
      } catch (error) {
        trouble ??= error;
      }
    }
    if (this.#own.size === 0 && trouble !== undefined) throw trouble;
  }
}

function openGroup(
  { interface: name, group = SYNC_GROUP as Ip, ttl = TTL, bulkPort }: SyncDaemonSettings,
  namespace: string | undefined,
): SyncGroupSocket {
  return inNamespace(namespace, () => {
    const route = new RouteSocket();
    try {
      const ifindex = route.links().find((link) => link.name === name)?.ifindex;
      if (ifindex === undefined) throw new Error(`there is no interface ${name}`);
      return new SyncGroupSocket({ device: { name, ifindex }, group, ttl }, bulkPort);
    } finally {
      route.close();
    }
  });
}
