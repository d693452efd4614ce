import type { Ip } from '../../core/ip.ts';
import type { Level } from '../../core/level.ts';
import { DAEMON_STATE, type IpvsDaemon } from '../../core/netlink/ipvs.ts';
import { type BulkSettings, MAXLEN } from '../../core/sync/bulk/events.ts';
import { identitiesOf, lasting } from '../../core/sync/bulk/listing.ts';
import type { BulkMessage } from '../../core/sync/bulk/message.ts';
import { Asker } from '../../core/sync/health/asker.ts';
import type { Cause, OwnGroup } from '../../core/sync/health/cause.ts';
import {
  type AskerEffect,
  type AskerEvent,
  coverageOf,
  type Survey,
  type TellerEffect,
  type TellerEvent,
} from '../../core/sync/health/events.ts';
import type { HealthFacts } from '../../core/sync/health/facts.ts';
import { alarmText, surveyText } from '../../core/sync/health/lines.ts';
import { Teller } from '../../core/sync/health/teller.ts';
import { SYNC_GROUP, SYNC_PORT } from '../../core/sync/message.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { inNamespace } from '../../io/namespace.ts';
import { RouteSocket } from '../../io/route.ts';
import { SyncCount, syncPorts } from '../../io/synccount.ts';
import { TableReader } from './tablereader.ts';

export interface HealthHandlers {
  say(message: BulkMessage): void;
  replayed(from: string): void;
  log(level: Level, message: string): void;
  /** A failover now would lose too much, or not any more. */
  alarm(on: boolean, cause: string): void;
}

/** Compares this director's connection table with the master's, or lets others compare theirs. */
export class SyncHealth {
  readonly #settings: SyncDaemonSettings;
  readonly #namespace: string | undefined;
  readonly #handlers: HealthHandlers;
  readonly #asker: Driven<AskerEvent>;
  readonly #teller: Driven<TellerEvent>;
  readonly #own: TableReader;
  readonly #given: TableReader;
  readonly #route: RouteSocket;
  #count: { readonly ifindex: number; readonly counter: SyncCount } | undefined;
  #device = { ifindex: 0, mtu: 0 };
  #maxlen = MAXLEN;
  #isBackup = false;
  #copying = false;
  #trouble: string | undefined;
  #facts: Omit<HealthFacts, 'limit' | 'told'> = { alarm: false, unanswered: false };
  #told = new Map<string, { readonly coverage: number | null; readonly at: number }>();

  /** Throws SystemError. */
  constructor(
    settings: SyncDaemonSettings,
    machines: BulkSettings,
    namespace: string | undefined,
    driver: Driver,
    handlers: HealthHandlers,
  ) {
    this.#settings = settings;
    this.#namespace = namespace;
    this.#handlers = handlers;
    this.#route = inNamespace(namespace, () => new RouteSocket());
    this.#own = new TableReader(namespace);
    this.#given = new TableReader(namespace);
    const asker = new Asker({ ...machines, alarm: settings.alarm });
    this.#asker = driver.attach(asker, (effects) => effects.forEach(this.#ask));
    this.#teller = driver.attach(new Teller(machines), (effects) => effects.forEach(this.#tell));
  }

  /** What runs in the kernel. */
  know(running: readonly IpvsDaemon[]): void {
    this.#look();
    const master = running.find(({ state }) => state === DAEMON_STATE.master);
    const backup = running.find(({ state }) => state === DAEMON_STATE.backup);
    this.#maxlen = backup?.maxLength ?? MAXLEN;
    const maxlen = master?.maxLength ?? MAXLEN;
    if (master === undefined) this.#told.clear();
    this.#teller.handle({ type: 'serve', master: master && { maxlen, mtu: this.#device.mtu } });
    this.#isBackup = backup !== undefined;
    if (!this.#isBackup) {
      const { survey: _, cause: __, datagrams: ___, ...facts } = this.#facts;
      this.#facts = { ...facts, unanswered: false };
    }
    this.copying(this.#copying);
  }

  /** Whether a copy is under way. */
  copying(on: boolean): void {
    this.#copying = on;
    this.#asker.handle({ type: 'watch', on: this.#isBackup, copying: on });
  }

  heard(message: BulkMessage): void {
    const toTeller = message.type === 'survey' || message.type === 'choose';
    if (toTeller) {
      const sent = this.#count?.counter.counts().sent ?? 0;
      this.#teller.handle({ type: 'heard', message, sent });
    } else this.#asker.handle({ type: 'heard', message, own: this.#group() });
  }

  facts(): HealthFacts {
    const told = [...this.#told].map(([director, each]) => ({ director, ...each }));
    return { ...this.#facts, limit: this.#settings.alarm, told };
  }

  close(): void {
    this.#asker.handle({ type: 'watch', on: false, copying: false });
    this.#asker.detach();
    this.#teller.detach();
    this.#count?.counter.close();
    this.#route.close();
    for (const reader of [this.#own, this.#given]) reader.close();
  }

  /** The interface may be another one by now. */
  #look(): void {
    const { interface: name, relay, id, group = SYNC_GROUP as Ip, port = SYNC_PORT } = this.#settings;
    const link = this.#route.links().find((each) => each.name === name);
    this.#device = { ifindex: link?.ifindex ?? 0, mtu: link?.mtu ?? 0 };
    if (relay !== undefined || this.#count?.ifindex === this.#device.ifindex) return;
    this.#count?.counter.close();
    this.#count = undefined;
    if (link === undefined) return;
    const { ifindex } = link;
    try {
      const counter = inNamespace(
        this.#namespace,
        () => new SyncCount({ name, ifindex }, { group, port, ports: syncPorts() }, id),
      );
      this.#count = { ifindex, counter };
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#trouble)
        this.#handlers.log('warning', `datagrams of connection sync are not counted: ${message}`);
      this.#trouble = message;
    }
  }

  /** What this host knows of its part in the group at this moment. */
  #group(): OwnGroup {
    const { interface: name, id: syncId } = this.#settings;
    const base = { interface: name, syncId, maxlen: this.#maxlen, mtu: this.#device.mtu };
    if (this.#count === undefined) return { ...base, others: [] };
    const { counter } = this.#count;
    return { ...base, heard: counter.counts().heard, others: counter.others() };
  }

  readonly #ask = (effect: AskerEffect): void => {
    const { log } = this.#handlers;
    switch (effect.type) {
      case 'say':
        this.#handlers.say(effect.message);
        break;
      case 'read':
        this.#own.compare(effect.reading, identitiesOf, this.#asker.handle);
        break;
      case 'replayed':
        this.#handlers.replayed(effect.from);
        break;
      case 'unanswered':
        this.#facts = { ...this.#facts, unanswered: true };
        break;
      case 'unreadable':
        this.#own.close();
        log('warning', `sync health: the connection table can't be read: ${effect.why}`);
        break;
      case 'cause':
        this.#caused(effect.cause);
        break;
      case 'alarm':
        this.#alarmed(effect.on, effect.survey);
        break;
      default: {
        this.#own.close();
        const { type: _, ...survey } = effect;
        this.#surveyed(survey);
      }
    }
  };

  #surveyed(survey: Survey): void {
    const { datagrams } = survey;
    const before = this.#facts.datagrams ?? { sent: 0, heard: 0, lost: 0 };
    this.#facts = {
      ...this.#facts,
      unanswered: false,
      survey: { ...survey, coverage: coverageOf(survey), at: Date.now() },
      ...(datagrams !== undefined && {
        datagrams: {
          sent: before.sent + datagrams.sent,
          heard: before.heard + datagrams.heard,
          // One that is on its way at a survey has come at the next.
          lost: Math.max(0, before.lost + datagrams.sent - datagrams.heard),
        },
      }),
    };
  }

  #caused(cause: Cause | undefined): void {
    const { cause: _, ...facts } = this.#facts;
    this.#facts = { ...facts, ...(cause !== undefined && { cause }) };
    const { log } = this.#handlers;
    if (cause === undefined) log('notice', 'sync health: nothing is wrong with the sync group any more');
    else log('error', `sync health: ${cause.text}`);
  }

  #alarmed(on: boolean, survey: Survey | undefined): void {
    this.#facts = { ...this.#facts, alarm: on };
    const limit = this.#settings.alarm;
    const text = !on
      ? survey === undefined
        ? 'nothing is compared here any more'
        : surveyText(survey)
      : survey === undefined
        ? ''
        : alarmText(survey, limit, this.#facts.cause);
    this.#handlers.log(on ? 'crit' : 'notice', `sync health: ${on ? '' : 'the alarm is over: '}${text}`);
    this.#handlers.alarm(on, text);
  }

  readonly #tell = (effect: TellerEffect): void => {
    switch (effect.type) {
      case 'say':
        this.#handlers.say(effect.message);
        break;
      case 'read':
        this.#given.compare(effect.reading, lasting, this.#teller.handle);
        break;
      case 'replayed':
        this.#handlers.replayed(effect.from);
        break;
      default:
        this.#told.set(effect.director, { coverage: effect.coverage ?? null, at: Date.now() });
    }
  };
}
