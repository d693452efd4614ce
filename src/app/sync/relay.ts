import type { Ip } from '../../core/ip.ts';
import { SYNC_GROUP, SYNC_PORT } from '../../core/sync/message.ts';
import { THREADS } from '../../core/sync/relay/parcel.ts';
import { type ForPeer, Relay, type RelayFacts } from '../../core/sync/relay/relay.ts';
import { PRIVATE_LINK, type RelaySettings, type SyncDaemonSettings } from '../../core/sync/settings.ts';
import { now } from '../../io/clock.ts';
import { SystemError } from '../../io/errno.ts';
import { inNamespace } from '../../io/namespace.ts';
import { readRelayKeys } from '../../io/relaykeys.ts';
import { SyncEntry } from '../../io/syncentry.ts';
import { SyncTap } from '../../io/synctap.ts';
import { UnicastSocket } from '../../io/unicast.ts';
import type { Level } from '../messages.ts';
import type { PrivateLink } from './link.ts';

const GREETING_MS = 1_000;
/** Bytes for what the kernel sends at once: a datagram of 1400 costs 2304 of them. */
const TAP_BUFFER = 8 * 1024 * 1024;
const GROUP = SYNC_GROUP as Ip;

type Link = Pick<PrivateLink, 'ensure' | 'remove'>;

export interface RelayHandlers {
  log(level: Level, message: string): void;
  /** A datagram of another director's kernel came. */
  heard(from: Ip): void;
}

/** The ends of the relay: towards the other directors, and towards this host's kernel. */
interface Running {
  /** What it was made of: with other settings another one is made. */
  readonly basis: string;
  readonly relay: Relay;
  readonly socket: UnicastSocket;
  readonly timer: NodeJS.Timeout;
  readonly port: number;
  kernel: { readonly ifindex: number; readonly tap: SyncTap; readonly entry: SyncEntry } | undefined;
  /** The peers that were connected when that was told last. */
  connected: ReadonlySet<Ip>;
}

/** Carries connection sync between this host's kernel, on its private link, and the daemons of other directors. */
export class SyncRelay {
  readonly #namespace: string | undefined;
  readonly #link: Link;
  readonly #handlers: RelayHandlers;
  #running: Running | undefined;
  /** The link was made, and nobody has been told yet. */
  #isNew = false;

  /** `namespace`: where the IPVS table is. The datagrams of the other directors come where this process is. */
  constructor(namespace: string | undefined, link: Link, handlers: RelayHandlers) {
    this.#namespace = namespace;
    this.#link = link;
    this.#handlers = handlers;
  }

  /** Other settings, or other keys in the file. Throws BadKey, SystemError: without a relay nothing is carried. */
  configure({ relay, port = SYNC_PORT }: SyncDaemonSettings): void {
    const basis = JSON.stringify([relay, port]);
    if (this.#running?.basis === basis && relay !== undefined)
      this.#running.relay.rekey(readRelayKeys(relay.keyFile));
    else {
      this.close();
      if (relay !== undefined) this.#running = this.#open(basis, relay, port);
    }
  }

  /**
   * Before the kernel's daemons: sees to the private link. Whether it was made just now: daemons that run on
   * one of that name are deaf. Throws what hinders it.
   */
  settle(): boolean {
    const { ifindex, made } = this.#link.ensure();
    this.#isNew ||= made;
    const running = this.#running;
    if (running !== undefined && running.kernel?.ifindex !== ifindex) {
      this.#closeKernel(running);
      running.kernel = inNamespace(this.#namespace, () => this.#openKernel(running, ifindex));
    }
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }

  /** Sends what a kernel is to take in as the kernel of another director's: with the first thread's number. */
  carry(datagrams: readonly Uint8Array[]): void {
    const { relay } = this.#running ?? {};
    if (relay !== undefined) for (const datagram of datagrams) this.#send(relay.send(0, datagram));
  }

  /** After the kernel's daemons have gone from it. */
  removeLink(): void {
    if (this.#link.remove()) this.#handlers.log('info', `removed the interface ${PRIVATE_LINK}`);
  }

  facts(): RelayFacts | undefined {
    return this.#running?.relay.facts(now());
  }

  close(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    clearInterval(running.timer);
    running.socket.close();
    this.#closeKernel(running);
  }

  #open(basis: string, settings: RelaySettings, port: number): Running {
    const relay = new Relay(settings, readRelayKeys(settings.keyFile));
    const socket = new UnicastSocket(settings.local, settings.port, 'sync relay');
    const timer = setInterval(() => this.#greet(), GREETING_MS);
    const running = { basis, relay, socket, timer, port, kernel: undefined, connected: new Set<Ip>() };
    socket.listen(
      (from, datagram) => this.#take(from, datagram),
      (error) => this.#handlers.log('error', error.message),
    );
    setImmediate(() => this.#greet());
    return running;
  }

  #openKernel({ relay, port }: Running, ifindex: number): Running['kernel'] {
    const device = { name: PRIVATE_LINK, ifindex };
    const tap = new SyncTap(device, { group: GROUP, port, ports: THREADS }, TAP_BUFFER);
    const entry = new SyncEntry(device, GROUP);
    tap.listen({
      datagram: (tapped, isOwn) => {
        if (isOwn) this.#send(relay.send(tapped.port - port, tapped.payload));
      },
      error: (error) => this.#handlers.log('error', error.message),
    });
    return { ifindex, tap, entry };
  }

  #closeKernel(running: Running): void {
    running.kernel?.tap.close();
    running.kernel?.entry.close();
    running.kernel = undefined;
  }

  #take(from: Ip, datagram: Uint8Array): void {
    const running = this.#running;
    if (running === undefined) return;
    const { relay, kernel, port } = running;
    const taken = relay.take(from, datagram, now());
    if (taken.type === 'greeted' && taken.answer !== undefined && taken.replyTo !== undefined)
      this.#send([{ ...taken.replyTo, datagram: taken.answer }]);
    if (taken.type !== 'payload') return;
    this.#handlers.heard(from);
    try {
      kernel?.entry.give(port + taken.thread, taken.payload);
    } catch (error) {
      relay.undelivered(codeOf(error));
    }
  }

  #send(datagrams: readonly ForPeer[]): void {
    const running = this.#running;
    if (running === undefined) return;
    for (const { address, port, datagram } of datagrams) {
      try {
        running.socket.send(datagram, address, port);
      } catch (error) {
        running.relay.unsent(address, codeOf(error));
      }
    }
  }

  #greet(): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#send(running.relay.greetings());
    const complaint = running.relay.complaint(now());
    if (complaint !== undefined) this.#handlers.log('warning', complaint);
    const connected = new Set<Ip>();
    for (const { address, connected: is } of running.relay.facts(now()).peers) if (is) connected.add(address);
    for (const address of connected)
      if (!running.connected.has(address))
        this.#handlers.log('notice', `connection sync with ${address} is connected`);
    for (const address of running.connected)
      if (!connected.has(address))
        this.#handlers.log('warning', `connection sync with ${address}: it is silent`);
    running.connected = connected;
  }
}

/** Throws what is no error of the system. */
function codeOf(error: unknown): string {
  if (error instanceof SystemError) return error.code;
  throw error;
}
