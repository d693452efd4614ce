import { claimed } from '../../../src/core/director/claimed.ts';
import { Director } from '../../../src/core/director/director.ts';
import type { Ensemble } from '../../../src/core/director/ensemble.ts';
import {
  type DirectorEffect,
  type DirectorEvent,
  type MakeRouter,
  NO_SETTINGS,
} from '../../../src/core/director/events.ts';
import { Claims, type ClaimsEffect, type ClaimsEvent } from '../../../src/core/fence/claims.ts';
import type { Heartbeat } from '../../../src/core/fence/heartbeat-codec.ts';
import type { Parts } from '../../../src/core/fence/parts.ts';
import type { EtcdWord } from '../../../src/core/fence/protection-events.ts';
import { Watchdog, type WatchdogEffect, type WatchdogEvent } from '../../../src/core/fence/watchdog.ts';
import type { RouteEvent } from '../../../src/core/netlink/events.ts';
import { micros } from '../../../src/core/time.ts';
import type { Datagram } from '../../../src/core/vrrp/packet.ts';
import { type Day, type PlayedNode, settingsOf } from './day.ts';
import type { Host } from './host.ts';
import { TICK } from './leasetable.ts';
import { Process } from './process.ts';

const DIGEST = { hmac: () => new Uint8Array(64) };

/** What a director's VRRP process is connected with. */
export interface ElectorTies {
  /** What is wrong with its machines. */
  readonly parts: Parts | undefined;
  readonly makeRouter: MakeRouter | undefined;
  /** The clock that it reads stands while it does. */
  readonly standsStill: boolean;
  /** All its lives are the same one. */
  readonly nameless: boolean;
  advert(from: Elector, segment: number, datagram: Datagram): void;
  heartbeat(from: Elector, heartbeat: Heartbeat): void;
  /** For the supervisor. */
  etcd(word: EtcdWord): void;
  fence(wish: Extract<ClaimsEffect, { type: 'fence' }>): void;
  /** The kernel's watchdog bites after so long, unless it is fed again; `undefined`: it is off. */
  feed(timeout: number | undefined): void;
  say(message: string): void;
}

/** A director's VRRP process: what `app/vrrp/process.ts` and `votes.ts` wire, on a simulated kernel. */
export class Elector extends Process {
  readonly #day: Day;
  readonly #node: PlayedNode;
  readonly #ties: ElectorTies;
  #director: Director | undefined;
  #tell: (event: DirectorEvent) => void = () => {};
  #claim: (event: ClaimsEvent) => void = () => {};
  #watch: (event: WatchdogEvent) => void = () => {};
  #lives = 0;
  #ending = false;
  #hears: (() => boolean) | undefined;

  constructor(host: Host, day: Day, node: PlayedNode, ties: ElectorTies) {
    super(host, ties.standsStill);
    this.#day = day;
    this.#node = node;
    this.#ties = ties;
  }

  protected begin(ensemble: Ensemble): void {
    const { host } = this;
    const { parts, makeRouter } = this.#ties;
    const birth = { begun: this.now, marks: true, tick: micros(TICK), digest: DIGEST };
    const director = new Director({ ...birth, ...(makeRouter && { makeRouter }) });
    this.#director = director;
    this.#tell = ensemble.join(director, (effects) => {
      for (const effect of effects) this.#perform(effect);
      if (director.begun && effects.some(({ type }) => type === 'changed' || type === 'ready'))
        this.#claim({ type: 'clean' });
    }).handle;
    const claims = new Claims(parts);
    this.#ending = false;
    this.#hears = () => claims.protection?.hears === true;
    this.#claim = ensemble.join(claims, (effects) => {
      for (const effect of effects) this.#performClaims(effect);
    }).handle;
    const { watchdog } = this.#day;
    if (watchdog !== undefined) {
      const machine = new Watchdog({ device: '/dev/watchdog', timeout: watchdog }, this.now);
      this.#watch = ensemble.join(machine, (effects) => {
        for (const effect of effects) this.#performWatchdog(effect);
      }).handle;
    }
    this.#tell({ type: 'clock', utc: host.utc });
    this.#tell({ type: 'read', links: host.kernel.links, addresses: host.kernel.addresses });
    const settings = settingsOf(this.#day, this.#node);
    const { groups, settings: voted, protects } = claimed(settings);
    if (!this.#ties.nameless) this.#lives += 1;
    const life = `${host.name}#${this.#lives}`;
    this.#claim({ type: 'configure', settings: voted, life, utc: host.utc });
    this.#tell({
      type: 'configure',
      settings: {
        ...NO_SETTINGS,
        instances: settings.instances,
        groups,
        ...(this.#day.filtered && { leaseTable: 'sim' }),
      },
      protected: protects,
    });
  }

  hear(event: RouteEvent): void {
    this.post(() => this.#tell({ type: 'news', events: [event] }));
  }

  take(event: ClaimsEvent): void {
    this.post(() => this.#claim(event));
  }

  heartbeat(heartbeat: Heartbeat): void {
    this.post(() => this.#claim({ type: 'heartbeat', heartbeat, utc: this.host.utc }));
  }

  advert(segment: number, datagram: Datagram): void {
    const [, vrid = 0] = datagram.payload;
    this.post(() => this.#tell({ type: 'packet', home: `eth${segment}`, vrid, ...datagram }));
  }

  /** SIGTERM: another director takes over first, where one is heard. */
  stop(): void {
    this.post(() => {
      this.#ending = true;
      if (this.#hears?.() === true) this.#handOver(false);
      else this.#end();
    });
  }

  /** The operator wants another director to take over. */
  switchOver(): void {
    this.post(() => this.#handOver(true));
  }

  #handOver(stays: boolean): void {
    this.#tell({ type: 'hand-over', stays, alone: false, why: 'asked to hand over' });
  }

  #end(): void {
    this.#tell({ type: 'stop' });
    this.#ties.feed(undefined);
    this.kill();
  }

  #perform(effect: DirectorEffect): void {
    const { host } = this;
    switch (effect.type) {
      case 'send': {
        const { router, payload, source, destination, ttl } = effect;
        const segment = Number(/^eth(\d)/.exec(router)?.[1]);
        this.#ties.advert(this, segment, { payload, source, destination, ttl });
        this.#tell({ type: 'sent', router });
        break;
      }
      case 'ports':
        this.#tell({ type: 'ports', failed: new Map() });
        break;
      case 'addresses': {
        const results = effect.changes.map((change) => ({ id: change.id, errno: host.kernel.apply(change) }));
        host.look();
        this.#tell({ type: 'addresses', results });
        break;
      }
      case 'leases': {
        const errno = host.leases.apply(effect.steps);
        host.look();
        this.#tell({ type: 'leased', outcome: { errno } });
        break;
      }
      case 'look':
        this.#tell({ type: 'looked' });
        break;
      case 'frames': {
        const outcome = { type: 'sent', id: effect.id, taken: effect.addresses.length } as const;
        this.#tell({ type: 'framed', outcome });
        break;
      }
      case 'ask':
        this.#tell({ type: 'asked', router: effect.router });
        break;
      case 'weigh': {
        const { router, group: claim, master } = effect;
        this.#claim({ type: 'weigh', router, claim, master });
        break;
      }
      case 'fence':
        this.#claim({ type: 'shoot', claim: effect.group, master: effect.master, why: effect.why });
        break;
      case 'want':
        this.#claim({ type: 'want', claim: effect.group, priority: effect.priority, why: effect.why });
        break;
      case 'let-go':
        this.#claim({ type: 'let-go', claim: effect.group, why: effect.why });
        break;
      case 'say':
        this.#claim(effect);
        break;
      case 'handed-over':
        for (const { unit, outcome, to = '', why = '' } of effect.given)
          this.#ties.say(`hand-over of ${unit}: ${outcome} ${to}${why}`);
        if (this.#ending) this.#end();
        break;
      case 'log':
        this.#ties.say(effect.message);
        break;
      default:
        break;
    }
  }

  #performClaims(effect: ClaimsEffect): void {
    switch (effect.type) {
      case 'send':
        this.#ties.heartbeat(this, effect.heartbeat);
        break;
      case 'voted': {
        const { claim: group, event, until } = effect;
        this.#tell({ type: 'voted', group, event, until });
        break;
      }
      case 'weighed':
      case 'said':
        this.#tell(effect);
        break;
      case 'etcd':
        this.#ties.etcd(effect.word);
        break;
      case 'fence':
        this.#ties.fence(effect);
        break;
      case 'log':
        this.#ties.say(effect.message);
        break;
      default:
        break;
    }
  }

  #performWatchdog(effect: WatchdogEffect): void {
    switch (effect.type) {
      case 'open':
        this.#ties.feed(effect.settings.timeout);
        this.#watch({ type: 'opened', timeout: effect.settings.timeout });
        break;
      case 'look':
        this.#watch({ type: 'found', illegal: this.#director?.lingering() ?? [] });
        break;
      case 'feed':
        this.#ties.feed(this.#day.watchdog);
        break;
      case 'log':
        this.#ties.say(effect.message);
        break;
    }
  }
}
