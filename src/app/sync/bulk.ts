import type { Level } from '../../core/level.ts';
import { DAEMON_STATE, type IpvsDaemon } from '../../core/netlink/ipvs.ts';
import { Donor } from '../../core/sync/bulk/donor.ts';
import {
  type BulkSettings,
  type DonorEffect,
  type DonorEvent,
  MAXLEN,
  type RecipientEffect,
  type RecipientEvent,
} from '../../core/sync/bulk/events.ts';
import type { BulkFacts } from '../../core/sync/bulk/facts.ts';
import { givenLine, gotLine } from '../../core/sync/bulk/lines.ts';
import { identitiesOf, ListedTable } from '../../core/sync/bulk/listing.ts';
import type { BulkMessage } from '../../core/sync/bulk/message.ts';
import { Recipient } from '../../core/sync/bulk/recipient.ts';
import { changedPorts } from '../../io/connectiontable.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import type { IpvsClient } from '../../io/ipvs.ts';
import { TableReader } from './tablereader.ts';

export interface CopyHandlers {
  say(message: BulkMessage): void;
  /** Datagrams for the kernels of the other directors. */
  tell(datagrams: readonly Uint8Array[]): void;
  replayed(from: string): void;
  /** A copy may have begun or ended. */
  changed(): void;
  log(level: Level, message: string): void;
}

/** Copies of the whole connection table: from the master's kernel to one that has just become backup. */
export class BulkCopies {
  readonly #ipvs: IpvsClient;
  readonly #namespace: string | undefined;
  readonly #handlers: CopyHandlers;
  readonly #given: TableReader;
  readonly #own: TableReader;
  readonly #recipient: Recipient;
  readonly #receiving: Driven<RecipientEvent>;
  readonly #donating: Driven<DonorEvent>;
  #isBackup = false;
  #table = new ListedTable([], []);
  #facts: Pick<BulkFacts, 'got' | 'given'>;

  /** `before`: of copies with other settings. */
  constructor(
    ipvs: IpvsClient,
    machines: BulkSettings,
    place: { readonly namespace: string | undefined; readonly driver: Driver },
    handlers: CopyHandlers,
    before: Pick<BulkFacts, 'got' | 'given'>,
  ) {
    this.#ipvs = ipvs;
    this.#namespace = place.namespace;
    this.#handlers = handlers;
    this.#facts = before;
    this.#given = new TableReader(place.namespace);
    this.#own = new TableReader(place.namespace);
    this.#recipient = new Recipient(machines);
    const { driver } = place;
    this.#donating = driver.attach(new Donor(machines), (effects) => effects.forEach(this.#donate));
    this.#receiving = driver.attach(this.#recipient, (effects) => {
      effects.forEach(this.#receive);
      handlers.changed();
    });
  }

  /** What runs in the kernel, and whether its backup was started just now. */
  know(running: readonly IpvsDaemon[], begun: boolean): void {
    const master = running.find(({ state }) => state === DAEMON_STATE.master);
    const maxlen = master === undefined ? undefined : (master.maxLength ?? MAXLEN);
    this.#donating.handle({ type: 'serve', maxlen });
    const backs = running.some(({ state }) => state === DAEMON_STATE.backup);
    if (!backs) this.#receiving.handle({ type: 'stop' });
    else if (begun || !this.#isBackup) this.pull();
    this.#isBackup = backs;
  }

  /** Asks for the whole table. */
  pull(): void {
    this.#receiving.handle({ type: 'want' });
  }

  get asking(): BulkFacts['asking'] {
    return this.#recipient.asking;
  }

  /** The last copies. */
  get facts(): Pick<BulkFacts, 'got' | 'given'> {
    return this.#facts;
  }

  heard(message: BulkMessage): void {
    const toDonor = ['request', 'accept', 'missing'].includes(message.type);
    (toDonor ? this.#donating : this.#receiving).handle({ type: 'heard', message });
  }

  close(): void {
    this.#donating.detach();
    this.#receiving.detach();
    for (const reader of [this.#given, this.#own]) reader.close();
  }

  readonly #donate = (effect: DonorEffect): void => {
    switch (effect.type) {
      case 'say':
        this.#handlers.say(effect.message);
        break;
      case 'tell':
        this.#handlers.tell(effect.datagrams);
        break;
      case 'read':
        this.#readTable(effect.reading);
        break;
      case 'replayed':
        this.#handlers.replayed(effect.from);
        break;
      default: {
        this.#given.close();
        const { type: _, ...given } = effect;
        this.#facts = { ...this.#facts, given: { ...given, at: Date.now() } };
        const { level, message } = givenLine(given);
        this.#handlers.log(level, message);
      }
    }
  };

  readonly #receive = (effect: RecipientEffect): void => {
    switch (effect.type) {
      case 'say':
        this.#handlers.say(effect.message);
        break;
      case 'read':
        this.#own.compare(effect.reading, identitiesOf, this.#receiving.handle);
        break;
      case 'replayed':
        this.#handlers.replayed(effect.from);
        break;
      case 'unanswered':
        this.#handlers.log('warning', UNANSWERED);
        break;
      default: {
        this.#own.close();
        const { type: _, ...got } = effect;
        this.#facts = { ...this.#facts, got: { ...got, at: Date.now() } };
        const { level, message } = gotLine(got);
        this.#handlers.log(level, message);
      }
    }
  };

  #readTable(reading: number): void {
    if (reading !== this.#given.reading) this.#table = this.#serviceTable();
    this.#given.read(reading, {
      rows: (rows, last) =>
        this.#donating.handle({ type: 'rows', reading, carried: this.#table.carry(rows), last }),
      failed: (why) => this.#donating.handle({ type: 'unread', reading, why }),
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
