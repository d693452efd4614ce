import { type Ip, ip } from '../../../src/core/ip.ts';
import { type Instant, instant, millis, seconds, toSeconds } from '../../../src/core/time.ts';
import type { VrrpEffect, VrrpEvent } from '../../../src/core/vrrp/events.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import { encodeAdvert, passwordBytes, VRRP_GROUP } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';

/** Version 3 over IPv4, priority 100, adverts each second, no lease, one burst of announcements. */
export const SETTINGS: VrrpSettings = {
  name: 'VI_1',
  interface: 'eth0',
  family: 4,
  version: 3,
  vrid: 51,
  priority: 100,
  initial: 'BACKUP',
  advertInterval: seconds(1),
  preempt: true,
  addresses: [{ address: { ip: ip('10.0.0.100'), length: 24 }, scope: 0 }],
  excluded: [],
  plainChecksum: false,
  downAdverts: 3,
  quietToLower: false,
  announce: { repeat: 5, delay: seconds(0), refresh: seconds(0), refreshRepeat: 1 },
  lease: seconds(0),
};

export const OWN = ip('10.0.0.5');
export const PEER = ip('10.0.0.1');

/** The clock's reading `s` seconds into a test: not zero at its beginning, as in life. */
export const at = (s: number): Instant => instant(1e9 + s * 1e6);

/** A machine with its effects told in short words, so that a test reads like a story. */
export class Router {
  readonly settings: VrrpSettings;
  readonly machine: VrrpInstance;
  /** Why adverts do not leave: the errno's name. */
  unsent: string | undefined;
  #now = at(0);

  constructor(settings: Partial<VrrpSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
    this.machine = new VrrpInstance(this.settings);
  }

  /** Link up, then start, at second `s`. */
  static started(settings: Partial<VrrpSettings> = {}, s = 0): Router {
    const router = new Router(settings);
    router.machine.handle({ type: 'link', up: true, source: OWN, why: 'eth0 is up' }, at(s));
    router.event({ type: 'start' }, s);
    return router;
  }

  /** A master at 0 s, since some seconds: nobody answered. */
  static master(settings: Partial<VrrpSettings> = {}): Router {
    const router = Router.started(settings, -10);
    router.until(0);
    return router;
  }

  get state(): string {
    return this.machine.status().state;
  }

  /** Seconds from the test's beginning to the deadline. */
  get deadline(): number | undefined {
    const due = this.machine.deadline();
    return due === undefined ? undefined : Number(toSeconds(millis((due - 1e9) / 1e3)).toFixed(6));
  }

  event(event: VrrpEvent, s: number): string[] {
    this.#now = at(s);
    this.machine.handle(event, at(s));
    return this.effects();
  }

  /** An advert of a peer that is configured alike but for `priority` and `changes`. */
  advert(priority: number, s: number, source: Ip = PEER, changes: Partial<VrrpSettings> = {}): string[] {
    return this.event(this.packet(priority, source, changes), s);
  }

  /** The event of such an advert. */
  packet(priority: number, source: Ip = PEER, changes: Partial<VrrpSettings> = {}): VrrpEvent {
    const { version, vrid, family, advertInterval, addresses, password } = { ...this.settings, ...changes };
    const payload = encodeAdvert(
      { version, vrid, priority, interval: advertInterval, addresses: addresses.map((a) => a.address.ip) },
      {
        source,
        destination: VRRP_GROUP[family],
        password: password === undefined ? undefined : passwordBytes(password),
      },
    );
    return { type: 'packet', payload, source, destination: VRRP_GROUP[family], ttl: 255 };
  }

  timeout(s: number): string[] {
    this.#now = at(s);
    this.machine.timeout(at(s));
    return this.effects();
  }

  /** Calls `timeout` at each deadline up to second `s`, punctually. Returns what happened, with the times. */
  until(s: number): string[] {
    const told: string[] = [];
    for (
      let due = this.machine.deadline();
      due !== undefined && due <= at(s);
      due = this.machine.deadline()
    ) {
      this.#now = due;
      this.machine.timeout(due);
      told.push(...this.effects().map((effect) => `${((due - 1e9) / 1e6).toFixed(2)} ${effect}`));
    }
    return told;
  }

  /** Performs them: each advert leaves, unless `unsent` says why it does not. */
  effects(): string[] {
    const told: string[] = [];
    for (let effects = this.machine.take(); effects.length > 0; effects = this.machine.take()) {
      for (const effect of effects) {
        told.push(tell(effect));
        if (effect.type === 'send') this.machine.handle(this.#outcome(effect.destination), this.#now);
      }
    }
    return told;
  }

  #outcome(destination: Ip): VrrpEvent {
    return this.unsent === undefined ? { type: 'sent' } : { type: 'unsent', code: this.unsent, destination };
  }
}

function tell(effect: VrrpEffect): string {
  switch (effect.type) {
    case 'send':
      return `advert ${effect.payload[2]}`;
    case 'hold':
      return effect.lease > 0 ? `hold for ${toSeconds(effect.lease)} s` : 'hold';
    case 'release':
      return 'release';
    case 'announce':
      return `announce x${effect.repeat}`;
    case 'transition':
      return `${effect.from} -> ${effect.to}: ${effect.cause}`;
    case 'standing':
      return `stands ${effect.standing.state} ${effect.standing.fault ?? effect.standing.candidate ?? '-'}`;
    case 'priority':
      return `priority ${effect.priority}`;
    case 'contested':
      return 'contested';
    case 'rejected':
      return `rejected ${effect.reason} from ${effect.source} x${effect.count}${effect.why ? `: ${effect.why}` : ''}`;
    case 'other-master':
      return effect.why === undefined
        ? `${effect.address} claims no longer`
        : `${effect.address} claims: ${effect.why}`;
    case 'not-sent':
      return `not sent x${effect.count}: ${effect.why}`;
    case 'noticed':
      return `noticed ${effect.notice} from ${effect.source} x${effect.count}`;
    case 'ask':
      return `ask for ${[effect.master, ...effect.addresses.map(({ address }) => address.ip)].join(' ')}`;
    case 'listen':
      return 'listen';
    case 'weigh':
      return `weigh ${effect.master}`;
    case 'decided':
      return `decided ${effect.decision.verdict}: ${effect.decision.why}`;
    case 'still-served':
      return 'still served';
    case 'fence':
      return effect.why === undefined ? `spare ${effect.master}` : `fence ${effect.master}: ${effect.why}`;
    case 'stalled':
      return `stalled ${toSeconds(effect.late).toFixed(2)} s: ${effect.what}`;
  }
}
