import { randomBytes } from 'node:crypto';
import type { ClusterSettings } from '../../core/fence/settings.ts';
import type { Ip } from '../../core/ip.ts';
import type { Level } from '../../core/level.ts';
import { DAEMON_STATE, type IpvsDaemon } from '../../core/netlink/ipvs.ts';
import { Donor } from '../../core/sync/bulk/donor.ts';
import type {
  DonorEffect,
  DonorEvent,
  RecipientEffect,
  RecipientEvent,
} from '../../core/sync/bulk/events.ts';
import type { BulkFacts } from '../../core/sync/bulk/facts.ts';
import { givenLine, gotLine } from '../../core/sync/bulk/lines.ts';
import { identityOf, ListedTable } from '../../core/sync/bulk/listing.ts';
import type { BulkMessage } from '../../core/sync/bulk/message.ts';
import { BulkPost, type BulkRejection } from '../../core/sync/bulk/post.ts';
import { Recipient } from '../../core/sync/bulk/recipient.ts';
import { SYNC_GROUP, SYNC_PORT } from '../../core/sync/message.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import { changedPorts } from '../../io/connectiontable.ts';
import { type Driven, Driver } from '../../io/drive.ts';
import type { IpvsClient } from '../../io/ipvs.ts';
import { readKey } from '../../io/keyring.ts';
import { inNamespace } from '../../io/namespace.ts';
import { RouteSocket } from '../../io/route.ts';
import { SyncGroupSocket } from '../../io/syncgroup.ts';
import { TableReader } from './tablereader.ts';

/** The kernel's own choice where neither the configuration nor the kernel says one. */
const MAXLEN = 1452;
const TTL = 1;
const LIFE_BYTES = 12;

/** The parts of a director that takes part in copies. */
interface Works {
  readonly post: BulkPost;
  readonly socket: SyncGroupSocket;
  readonly donor: Driven<DonorEvent>;
  readonly recipient: Driven<RecipientEvent>;
  readonly asking: () => BulkFacts['asking'];
}

/** Copies of the whole connection table: from the master's kernel to one that has just become backup. */
export class BulkCopies {
  readonly #ipvs: IpvsClient;
  readonly #namespace: string | undefined;
  readonly #log: (level: Level, message: string) => void;
  readonly #driver = new Driver();
  readonly #given: TableReader;
  readonly #own: TableReader;
  #settings: SyncDaemonSettings | undefined;
  #cluster: ClusterSettings | undefined;
  #basis = '';
  #works: Works | undefined;
  #isBackup = false;
  #trouble: string | undefined;
  #table = new ListedTable([], []);
  #facts: Pick<BulkFacts, 'got' | 'given'> = {};
  #rejected: Partial<Record<BulkRejection, number>> = {};

  constructor(ipvs: IpvsClient, namespace: string | undefined, log: (level: Level, message: string) => void) {
    this.#ipvs = ipvs;
    this.#namespace = namespace;
    this.#log = log;
    this.#given = new TableReader(namespace);
    this.#own = new TableReader(namespace);
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
    else if (daemon.relay !== undefined) this.#trouble = 'off: sync_relay does not carry them';
    else if (cluster === undefined)
      this.#trouble = 'off: it needs the block heartbeat, which names the directors and their key';
    else {
      this.#cluster = cluster;
      this.#open(daemon, cluster);
    }
  }

  /** What runs in the kernel, and whether its backup was started just now. */
  know(running: readonly IpvsDaemon[], begun: boolean): void {
    // The interface or the key may be there by now.
    if (this.#works === undefined && this.#cluster !== undefined && this.#settings !== undefined)
      this.#open(this.#settings, this.#cluster);
    if (this.#works === undefined) return;
    const master = running.find(({ state }) => state === DAEMON_STATE.master);
    const maxlen = master === undefined ? undefined : (master.maxLength ?? MAXLEN);
    this.#works.donor.handle({ type: 'serve', maxlen });
    const backs = running.some(({ state }) => state === DAEMON_STATE.backup);
    if (!backs) this.#works.recipient.handle({ type: 'stop' });
    else if (begun || !this.#isBackup) this.#works.recipient.handle({ type: 'want' });
    this.#isBackup = backs;
  }

  facts(): BulkFacts {
    const asking = this.#works?.asking();
    return {
      ...(this.#trouble !== undefined && { trouble: this.#trouble }),
      port: this.#settings?.bulkPort ?? 0,
      ...(asking !== undefined && { asking }),
      ...this.#facts,
      rejected: this.#rejected,
    };
  }

  #open(daemon: SyncDaemonSettings, cluster: ClusterSettings): void {
    try {
      const { name, directors } = cluster;
      const others = directors.map((director) => director.name).filter((each) => each !== name);
      const post = new BulkPost(
        { cluster: cluster.cluster, name, others, syncId: daemon.id },
        readKey(cluster.keyFile),
      );
      const socket = this.#openSocket(daemon);
      const life = randomBytes(LIFE_BYTES).toString('hex');
      const machines = { name, syncId: daemon.id, life };
      const recipient = new Recipient(machines);
      const works: Works = {
        post,
        socket,
        donor: this.#driver.attach(new Donor(machines), (effects) => effects.forEach(this.#donate)),
        recipient: this.#driver.attach(recipient, (effects) => effects.forEach(this.#receive)),
        asking: () => recipient.asking,
      };
      this.#works = works;
      this.#trouble = undefined;
      this.#isBackup = false;
      socket.listen(
        (datagram) => this.#heard(works, datagram),
        ({ message }) => this.#log('warning', `bulk copy: ${message}`),
      );
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#trouble)
        this.#log('error', `bulk copies of the connection table are not possible: ${message}`);
      this.#trouble = message;
    }
  }

  #openSocket({ interface: name, group = SYNC_GROUP as Ip, ttl = TTL, bulkPort }: SyncDaemonSettings) {
    return inNamespace(this.#namespace, () => {
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

  #close(): void {
    this.#works?.donor.detach();
    this.#works?.recipient.detach();
    this.#works?.socket.close();
    this.#works = undefined;
    for (const reader of [this.#given, this.#own]) reader.close();
  }

  #heard({ post, donor, recipient }: Works, datagram: Uint8Array): void {
    const opened = post.open(datagram);
    if ('rejection' in opened) this.#reject(opened.rejection);
    else if ('message' in opened) {
      const { message } = opened;
      const toDonor = ['request', 'accept', 'missing'].includes(message.type);
      (toDonor ? donor : recipient).handle({ type: 'heard', message });
    }
  }

  /** Whoever floods us must not fill the log. */
  #reject(reason: BulkRejection, from?: string): void {
    const count = (this.#rejected[reason] ?? 0) + 1;
    this.#rejected = { ...this.#rejected, [reason]: count };
    if (count > 1) return;
    const sender = from === undefined ? '' : ` of ${from}`;
    this.#log(
      'warning',
      `bulk copy: a datagram${sender} is not acted on: ${reason} (further ones are counted)`,
    );
  }

  readonly #donate = (effect: DonorEffect): void => {
    switch (effect.type) {
      case 'say':
        this.#say(effect.message);
        break;
      case 'tell':
        this.#works?.socket.send(effect.datagrams, this.#settings?.port ?? SYNC_PORT);
        break;
      case 'read':
        this.#readTable(effect.reading);
        break;
      case 'replayed':
        this.#reject('replayed', effect.from);
        break;
      default: {
        this.#given.close();
        const { type: _, ...given } = effect;
        this.#facts = { ...this.#facts, given: { ...given, at: Date.now() } };
        const { level, message } = givenLine(given);
        this.#log(level, message);
      }
    }
  };

  readonly #receive = (effect: RecipientEffect): void => {
    const recipient = this.#works?.recipient;
    switch (effect.type) {
      case 'say':
        this.#say(effect.message);
        break;
      case 'read':
        this.#own.read(effect.reading, {
          rows: (rows, last) => {
            const identities = rows.flatMap((row) => identityOf(row) ?? []);
            recipient?.handle({ type: 'rows', reading: effect.reading, identities, last });
          },
          failed: (why) => recipient?.handle({ type: 'unread', reading: effect.reading, why }),
        });
        break;
      case 'replayed':
        this.#reject('replayed', effect.from);
        break;
      case 'unanswered':
        this.#log('warning', UNANSWERED);
        break;
      default: {
        this.#own.close();
        const { type: _, ...got } = effect;
        this.#facts = { ...this.#facts, got: { ...got, at: Date.now() } };
        const { level, message } = gotLine(got);
        this.#log(level, message);
      }
    }
  };

  #say(message: BulkMessage): void {
    const { post, socket } = this.#works ?? {};
    if (post !== undefined) socket?.send([post.close(message)], this.#settings?.bulkPort ?? 0);
  }

  #readTable(reading: number): void {
    const donor = this.#works?.donor;
    if (reading !== this.#given.reading) this.#table = this.#serviceTable();
    this.#given.read(reading, {
      rows: (rows, last) => donor?.handle({ type: 'rows', reading, carried: this.#table.carry(rows), last }),
      failed: (why) => donor?.handle({ type: 'unread', reading, why }),
    });
  }

  #serviceTable(): ListedTable {
    const services = this.#ipvs.services().map(({ key, timeout }) => ({
      ...key,
      timeout,
      destinations: this.#ipvs.destinations(key),
    }));
    return new ListedTable(services, changedPorts(this.#namespace));
  }
}

const UNANSWERED =
  'bulk copy: no director answers; the connections that this one does not hear of by itself will be lost with the ' +
  'master. Either none is master, or another daemon runs there, or multicast does not arrive';
