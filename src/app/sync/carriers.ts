import type { Ip } from '../../core/ip.ts';
import { SYNC_GROUP, SYNC_PORT } from '../../core/sync/message.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import { type Duration, toMillis } from '../../core/time.ts';
import { inNamespace } from '../../io/namespace.ts';
import { RouteSocket } from '../../io/route.ts';
import { syncPorts } from '../../io/synccount.ts';
import { SyncTap } from '../../io/synctap.ts';

/** In each datagram of both versions. */
const SYNC_ID_AT = 1;

/** Tells for a while which other directors send connection sync: evidence for who waits for adverts. */
export class Carriers {
  readonly #namespace: string | undefined;
  readonly #tell: (from: Ip) => void;
  readonly #complain: (why: string) => void;
  #tap: SyncTap | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Who was told of since somebody listens. */
  readonly #told = new Set<Ip>();

  constructor(namespace: string | undefined, tell: (from: Ip) => void, complain: (why: string) => void) {
    this.#namespace = namespace;
    this.#tell = tell;
    this.#complain = complain;
  }

  /** Listens for so long from now on. What the relay brings is told by `heard`. */
  listen(settings: SyncDaemonSettings, lasts: Duration): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), toMillis(lasts));
    this.#told.clear();
    if (settings.relay !== undefined || this.#tap !== undefined) return;
    try {
      this.#tap = inNamespace(this.#namespace, () => this.#open(settings));
    } catch (error) {
      this.#complain(`who sends connection sync is not known: ${(error as Error).message}`);
    }
  }

  /** A datagram of another director's kernel. */
  heard(from: Ip): void {
    if (this.#timer === undefined || this.#told.has(from)) return;
    this.#told.add(from);
    this.#tell(from);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tap?.close();
    this.#tap = undefined;
  }

  #open({ interface: name, id, group = SYNC_GROUP as Ip, port = SYNC_PORT }: SyncDaemonSettings): SyncTap {
    const route = new RouteSocket();
    const link = route.links().find((each) => each.name === name);
    route.close();
    if (link === undefined) throw new Error(`there is no interface ${name}`);
    const tap = new SyncTap({ name, ifindex: link.ifindex }, { group, port, ports: syncPorts() });
    tap.listen({
      datagram: ({ source, payload }, isOwn) => {
        if (!isOwn && payload[SYNC_ID_AT] === id) this.heard(source);
      },
      error: ({ message }) => this.#complain(message),
    });
    return tap;
  }
}
