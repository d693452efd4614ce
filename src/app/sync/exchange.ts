import { randomBytes } from 'node:crypto';
import type { ClusterSettings } from '../../core/fence/settings.ts';
import type { Level } from '../../core/level.ts';
import { DAEMON_STATE, type IpvsDaemon } from '../../core/netlink/ipvs.ts';
import type { AlarmHappening } from '../../core/notify/happening.ts';
import type { BulkFacts } from '../../core/sync/bulk/facts.ts';
import { isOfHealth } from '../../core/sync/bulk/message.ts';
import type { BulkRejection } from '../../core/sync/bulk/post.ts';
import type { HealthFacts } from '../../core/sync/health/facts.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import { Driver } from '../../io/drive.ts';
import type { IpvsClient } from '../../io/ipvs.ts';
import { BulkCopies } from './bulk.ts';
import { SyncHealth } from './health.ts';
import { Talk } from './talk.ts';

const LIFE_BYTES = 12;

export interface ExchangeHandlers {
  log(level: Level, message: string): void;
  notify(happening: AlarmHappening): void;
  /** To the kernels of the other directors, by the relay. */
  carry(datagrams: readonly Uint8Array[]): void;
}

/** The parts of a director that exchanges connections with others. */
interface Works {
  readonly talk: Talk;
  readonly copies: BulkCopies;
  readonly health: SyncHealth;
}

/** What the sync processes of the directors do together: copies of connection tables, and comparing them. */
export class Exchange {
  readonly #ipvs: IpvsClient;
  readonly #namespace: string | undefined;
  readonly #handlers: ExchangeHandlers;
  readonly #driver = new Driver();
  #settings: SyncDaemonSettings | undefined;
  #cluster: ClusterSettings | undefined;
  #basis = '';
  #works: Works | undefined;
  #isBackup = false;
  #trouble: string | undefined;
  #copied: Pick<BulkFacts, 'got' | 'given'> = {};
  #rejected: Partial<Record<BulkRejection, number>> = {};

  constructor(ipvs: IpvsClient, namespace: string | undefined, handlers: ExchangeHandlers) {
    this.#ipvs = ipvs;
    this.#namespace = namespace;
    this.#handlers = handlers;
  }

  configure(daemon: SyncDaemonSettings, cluster: ClusterSettings | undefined): void {
    const basis = JSON.stringify([daemon, cluster]);
    if (basis === this.#basis) return;
    this.#basis = basis;
    this.#settings = daemon;
    this.#cluster = undefined;
    this.#close();
    this.#trouble = undefined;
    if (daemon.bulkPort === 0) this.#trouble = 'off: lvs_bulk_port is 0';
    else if (cluster === undefined)
      this.#trouble = 'off: it needs the block heartbeat, which names the directors and their key';
    else {
      this.#cluster = cluster;
      this.#open(daemon, cluster);
    }
  }

  /** The interface is another one: our socket is in the group on the one before. `know` opens it again. */
  reopen(): void {
    this.#close();
  }

  /** What runs in the kernel, and whether its backup was started just now. */
  know(running: readonly IpvsDaemon[], begun: boolean): void {
    // The interface, the address or the key may be there by now.
    if (this.#works === undefined && this.#cluster !== undefined && this.#settings !== undefined)
      this.#open(this.#settings, this.#cluster);
    this.#isBackup = running.some(({ state }) => state === DAEMON_STATE.backup);
    const { copies, health } = this.#works ?? {};
    copies?.know(running, begun);
    health?.know(running);
  }

  /** An operator wants a copy of the master's table now. */
  pull(): void {
    const { copies } = this.#works ?? {};
    if (this.#isBackup && copies?.asking?.from === undefined) copies?.pull();
  }

  facts(): { readonly bulk: BulkFacts; readonly health?: HealthFacts } {
    const { copies, health } = this.#works ?? {};
    const asking = copies?.asking;
    const bulk = {
      ...(this.#trouble !== undefined && { trouble: this.#trouble }),
      port: this.#settings?.bulkPort ?? 0,
      ...(asking !== undefined && { asking }),
      ...(copies?.facts ?? this.#copied),
      rejected: this.#rejected,
    };
    return { bulk, ...(health !== undefined && { health: health.facts() }) };
  }

  #open(daemon: SyncDaemonSettings, cluster: ClusterSettings): void {
    try {
      const talk = new Talk(daemon, cluster, this.#namespace);
      const works = this.#workWith(talk, daemon, cluster.name);
      talk.listen({
        heard: (message) => (isOfHealth(message) ? works.health : works.copies).heard(message),
        rejected: (reason) => this.#reject(reason),
        error: ({ message }) => this.#handlers.log('warning', `bulk copy: ${message}`),
      });
      this.#works = works;
      this.#trouble = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#trouble)
        this.#handlers.log('error', `bulk copies of the connection table are not possible: ${message}`);
      this.#trouble = message;
    }
  }

  #workWith(talk: Talk, daemon: SyncDaemonSettings, name: string): Works {
    const { log, notify, carry } = this.#handlers;
    const machines = { name, syncId: daemon.id, life: randomBytes(LIFE_BYTES).toString('hex') };
    const said = {
      say: talk.say.bind(talk),
      replayed: (from: string) => this.#reject('replayed', from),
      log,
    };
    const place = { namespace: this.#namespace, driver: this.#driver };
    const tell = daemon.relay === undefined ? talk.tell.bind(talk) : carry;
    const alarm = (on: boolean, cause: string): void => {
      const what = on ? 'INCOMPLETE' : 'COMPLETE';
      notify({ of: 'alarm', about: 'sync', name: daemon.instance ?? daemon.interface, what, cause });
      // What never came may come at once.
      if (on) this.pull();
    };
    const changed = (): void => health.copying(copies.asking?.from !== undefined);
    let health: SyncHealth;
    let copies: BulkCopies;
    try {
      health = new SyncHealth(daemon, machines, this.#namespace, this.#driver, { ...said, alarm });
      copies = new BulkCopies(this.#ipvs, machines, place, { ...said, tell, changed }, this.#copied);
      return { talk, health, copies };
    } catch (error) {
      talk.close();
      throw error;
    }
  }

  #close(): void {
    const { talk, copies, health } = this.#works ?? {};
    this.#copied = copies?.facts ?? this.#copied;
    this.#works = undefined;
    copies?.close();
    health?.close();
    talk?.close();
  }

  /** Whoever floods us must not fill the log. */
  #reject(reason: BulkRejection, from?: string): void {
    const count = (this.#rejected[reason] ?? 0) + 1;
    this.#rejected = { ...this.#rejected, [reason]: count };
    if (count > 1) return;
    const sender = from === undefined ? '' : ` of ${from}`;
    this.#handlers.log(
      'warning',
      `bulk copy: a datagram${sender} is not acted on: ${reason} (further ones are counted)`,
    );
  }
}
