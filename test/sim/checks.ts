import { type Duration, micros } from '../../src/core/time.ts';
import type { VrrpEffect, VrrpState } from '../../src/core/vrrp/events.ts';
import { downInterval, listenInterval } from '../../src/core/vrrp/intervals.ts';
import type { Datagram } from '../../src/core/vrrp/packet.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/**
 * Looks at the routers from outside and complains. It knows true time, every packet's fate and who slept,
 * but nothing of a machine's inside except the state it shows.
 */

/** What a check found. Names the check; the runner adds the seed. */
export class Complaint extends Error {
  override name = 'Complaint';
  readonly check: CheckName;

  constructor(check: CheckName, what: string) {
    super(`${check}: ${what}`);
    this.check = check;
  }
}

export type CheckName =
  /** Two routers that hear each other stay master both. */
  | 'two masters'
  /** A takeover although a better master's advert was in the socket a short while before. */
  | 'hasty takeover'
  /** A takeover right after a sleep, in which nothing could be heard. */
  | 'sleepy takeover'
  /** A nopreempt router wakes up and takes mastership back from who took over in the meantime. */
  | 'usurper'
  /** The kernel's addresses and the state disagree, or a lease outlives its holder. */
  | 'addresses'
  /** A master without a carrier or an address that it needs, and that it was told of. */
  | 'footing'
  /** An announcement of addresses that are not there. */
  | 'announcement'
  /** Neighbours last learned another router's MAC than the master's. */
  | 'neighbours'
  /** When all is well again: not one master, or the wrong one, or no rest. */
  | 'outcome'
  /** A sync group of which some are master and some are not. */
  | 'split group'
  /** A router that wakes again and again without end. */
  | 'livelock';

/** The reason that planned hand-overs are given: who resigned does not preempt. */
export const RESIGN_CAUSE = 'asked to hand over';
/** What the others of its sync group say then. */
const GROUP_RESIGNS = /^sync group .* hands over$/;
/** Clocks may be off by half a thousandth each; a hundredth is generous. */
const TOLERANCE = 0.99;
/** The machine believes silence after three stalled listening periods: its bound against endless waiting. */
const SLEEPS_EXCUSED = 3;
/** A router wakes a few times an advert interval; busy segments with duplicates reach some dozens. */
const WAKES_PER_INTERVAL = 400;
const LEASE_SLACK = 2_000_000;

interface Watched {
  state: VrrpState;
  since: number;
  /** The last advert in the socket that must have been followed. */
  heard: { at: number; source: string; interval: Duration; resigned: boolean } | undefined;
  /** Sleeps since then. */
  sleeps: number;
  /** Told to hand over: does not preempt. */
  yields: boolean;
  /** When it last renewed its addresses. */
  renewed: number;
  /** When it last announced them, and when it last gave way. */
  announced: number;
  gaveWay: number;
  windowStart: number;
  wakes: number;
}

export class Watch {
  readonly #world: World;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #records = new Map<Host, Watched>();
  /** When a packet between two hosts was last lost: `low` * 16 + `high`. */
  readonly #lost = new Map<number, number>();
  /** Beyond one and a half advert intervals, how long two masters may take to notice. */
  readonly #slack: number;
  #lastTransition = 0;
  /** Kept for the report of a swarm. */
  transitions = 0;

  constructor(world: World, slack: number, trace?: (line: string) => void) {
    this.#world = world;
    this.#slack = slack;
    this.#trace = trace;
  }

  started(host: Host): void {
    this.#say(host, 'starts');
    const now = this.#world.now;
    this.#records.set(host, {
      state: 'INIT',
      since: now,
      heard: undefined,
      sleeps: 0,
      yields: false,
      renewed: now,
      announced: -1,
      gaveWay: -1,
      windowStart: now,
      wakes: 0,
    });
  }

  slept(host: Host): void {
    this.#say(host, `sleeps until ${seconds(host.sleptTo)}`);
    const record = this.#records.get(host);
    if (record !== undefined) record.sleeps += 1;
  }

  lost(from: Host, to: Host): void {
    this.#lost.set(pairOf(from, to), this.#world.now);
  }

  /** An undamaged advert is in the socket of `host`. */
  arrived(host: Host, { payload, source }: Datagram): void {
    const record = this.#records.get(host);
    if (record === undefined || host.process.blocked) return;
    const priority = payload[2] ?? 0;
    const { settings } = host;
    if (priority === 0) {
      record.heard ??= { at: this.#world.now, source, interval: settings.advertInterval, resigned: false };
      if (record.heard.source === source) record.heard.resigned = true;
    } else if (priority >= settings.priority || !preempts(host) || record.yields) {
      record.heard = { at: this.#world.now, source, interval: intervalOf(payload), resigned: false };
      record.sleeps = host.asleep ? 1 : 0;
    }
  }

  effect(host: Host, effect: VrrpEffect): void {
    const record = this.#records.get(host);
    if (record === undefined) return;
    if (effect.type !== 'announce') this.#say(host, tell(effect));
    // An advert that resigns is no authority; that of VRID 0 only asks whether adverts leave.
    if (effect.type === 'send' && effect.payload[1] !== 0 && effect.payload[2] !== 0)
      record.renewed = this.#world.now;
    if (effect.type === 'announce') this.#announced(host, record);
    if (effect.type !== 'transition') return;
    if (effect.to === 'MASTER') this.#tookOver(host, record, effect.cause);
    else if (effect.from === 'MASTER') this.#steppedDown(host, record, effect.cause);
    if (effect.from === 'MASTER') record.gaveWay = this.#world.now;
    if (effect.to === 'INIT') record.yields = false;
    // Only who gives way follows the one it heard; otherwise nobody is followed at first.
    const gaveWay =
      effect.from === 'MASTER' &&
      effect.to === 'BACKUP' &&
      effect.cause.includes(record.heard?.source ?? '-');
    if (!gaveWay) record.heard = undefined;
    if (effect.cause === RESIGN_CAUSE || GROUP_RESIGNS.test(effect.cause)) record.yields = true;
    record.state = effect.to;
    record.since = this.#world.now;
    this.#lastTransition = this.#world.now;
    this.transitions += 1;
  }

  #announced(host: Host, record: Watched): void {
    record.announced = this.#world.now;
    if (!host.holds && this.#world.now >= host.process.excusedTo)
      this.#complain('announcement', `${nameOf(host)} is ${host.state} and announces what it does not hold`);
  }

  #tookOver(host: Host, record: Watched, cause: string): void {
    const now = this.#world.now;
    const { heard } = record;
    record.yields = false;
    if (record.state !== 'BACKUP' || heard?.resigned) return;
    const own = host.settings.advertInterval;
    if (heard !== undefined) {
      const patience = downInterval(host.settings, heard.interval) * TOLERANCE;
      const silence = now - heard.at;
      if (silence < patience) {
        this.#complain(
          'hasty takeover',
          `${nameOf(host)} took over (${cause}) ${seconds(silence)} after ${heard.source} was heard`,
        );
      }
    }
    const longest = micros(Math.max(own, heard?.interval ?? 0));
    const least = micros(Math.min(own, heard?.interval ?? own));
    const noticed = host.sleptTo - host.sleptFrom > 2 * longest && host.sleptTo > (heard?.at ?? record.since);
    const awake = now - host.sleptTo;
    const enough = listenInterval(host.settings, least) * TOLERANCE;
    if (noticed && record.sleeps <= SLEEPS_EXCUSED && awake < enough) {
      this.#complain(
        'sleepy takeover',
        `${nameOf(host)} took over (${cause}) ${seconds(awake)} after a sleep`,
      );
    }
  }

  #steppedDown(host: Host, record: Watched, cause: string): void {
    for (const other of this.#records.keys()) {
      const slept = other.sleptTo - other.sleptFrom;
      const tookOverMeanwhile = record.since > other.sleptFrom && record.since < other.sleptTo;
      const justAwake = this.#world.now - other.sleptTo < other.settings.advertInterval;
      const heardSince = (this.#lost.get(pairOf(host, other)) ?? 0) < other.sleptTo;
      const patience = other.settings.downAdverts * other.settings.advertInterval;
      if (preempts(other) || slept < patience + 2 * other.settings.advertInterval) continue;
      if (cause.endsWith(` from ${other.source}`) && tookOverMeanwhile && justAwake && heardSince) {
        this.#complain('usurper', `${nameOf(other)} woke and took over from ${nameOf(host)} with nopreempt`);
      }
    }
  }

  /** After each turn of a host's shell. */
  woke(host: Host): void {
    const record = this.#records.get(host);
    if (record === undefined) return;
    const now = this.#world.now;
    const excused = this.#world.now < host.process.excusedTo;
    if (!excused && host.holds !== (host.state === 'MASTER')) {
      this.#complain(
        'addresses',
        `${nameOf(host)} is ${host.state} and holds ${host.holds ? 'them' : 'none'}`,
      );
    }
    const { missing } = host;
    if (host.state === 'MASTER' && missing !== undefined && !host.process.deafToNews)
      this.#complain('footing', `${nameOf(host)} is master, and ${missing}`);
    if (now - record.windowStart > host.settings.advertInterval) {
      record.windowStart = now;
      record.wakes = 0;
    }
    record.wakes += 1;
    if (record.wakes > WAKES_PER_INTERVAL) {
      this.#complain('livelock', `${nameOf(host)} woke ${record.wakes} times in one advert interval`);
    }
    for (const other of this.#records.keys()) {
      if (other === host) continue;
      this.#oneYields(host, other);
      this.#leaseEnded(other);
    }
  }

  #oneYields(a: Host, b: Host): void {
    if (a.state !== 'MASTER' || b.state !== 'MASTER' || a.asleep || b.asleep) return;
    const [first, second] = [this.#records.get(a), this.#records.get(b)];
    if (first === undefined || second === undefined) return;
    const together = Math.max(first.since, second.since, a.sleptTo, b.sleptTo);
    const since = Math.max(together, this.#lost.get(pairOf(a, b)) ?? 0);
    const bound = 1.5 * Math.max(a.settings.advertInterval, b.settings.advertInterval) + this.#slack;
    if (this.#world.now - since > bound) {
      this.#complain('two masters', `${nameOf(a)} and ${nameOf(b)} for ${seconds(this.#world.now - since)}`);
    }
  }

  /** Who sleeps or is dead loses its addresses by the kernel, where there is a lease. */
  #leaseEnded(host: Host): void {
    const { lease } = host.settings;
    const renewed = this.#records.get(host)?.renewed ?? 0;
    if (lease > 0 && host.holds && this.#world.now - renewed > lease + LEASE_SLACK) {
      this.#complain('addresses', `${nameOf(host)} holds them ${seconds(lease)} after its lease`);
    }
  }

  /** When everything has been well for a while: who must be master, and since when. */
  outcome(hosts: readonly Host[], quietSince: number): void {
    const masters = hosts.filter((host) => host.state === 'MASTER');
    const [master] = masters;
    if (master === undefined || masters.length > 1) {
      this.#complain('outcome', `masters: ${masters.map(nameOf).join(', ') || 'none'}`);
    }
    const better = hosts.find(
      (host) =>
        host.settings.priority > master.settings.priority &&
        preempts(host) &&
        this.#records.get(host)?.yields !== true,
    );
    if (better !== undefined) {
      this.#complain('outcome', `${nameOf(master)} is master, but ${nameOf(better)} should preempt it`);
    }
    const holders = hosts.filter((host) => host.holds).map(nameOf);
    if (holders.length !== 1 || holders[0] !== nameOf(master)) {
      this.#complain('outcome', `${nameOf(master)} is master, the addresses are on: ${holders.join(', ')}`);
    }
    this.#neighbours(master);
    if (this.#lastTransition > quietSince) {
      this.#complain('outcome', `still changing states at ${seconds(this.#lastTransition)}`);
    }
  }

  /** The last announcement must be the master's, unless packets between it and the loser were lost since. */
  #neighbours(master: Host): void {
    const announced = this.#records.get(master)?.announced ?? 0;
    for (const [host, record] of this.#records) {
      const lost = (this.#lost.get(pairOf(host, master)) ?? -1) >= record.gaveWay;
      if (host !== master && record.announced > announced && !lost) {
        const ago = seconds(record.announced - announced);
        this.#complain('neighbours', `${nameOf(host)} announced ${ago} after the master ${nameOf(master)}`);
      }
    }
  }

  /** A director whose routers are master in part. */
  split(hosts: readonly Host[]): never {
    this.#complain('split group', hosts.map((host) => `${nameOf(host)} ${host.state}`).join(', '));
  }

  #complain(check: CheckName, what: string): never {
    throw new Complaint(check, `at ${seconds(this.#world.now)}: ${what}`);
  }

  #say(host: Host, what: string): void {
    this.#trace?.(`${seconds(this.#world.now).padStart(12)}  ${nameOf(host).padEnd(14)} ${what}`);
  }

  /** A line of the trace that belongs to no host. */
  note(what: string): void {
    this.#trace?.(`${seconds(this.#world.now).padStart(12)}  ${what}`);
  }
}

const pairOf = (a: Host, b: Host): number => Math.min(a.index, b.index) * 16 + Math.max(a.index, b.index);
export const nameOf = (host: Host): string => `${host.source}/${host.settings.priority}`;
const preempts = ({ settings }: Host): boolean => settings.preempt || settings.priority === 255;
const seconds = (us: number): string => `${(us / 1e6).toFixed(4)} s`;

/** Straight from the bytes: the outside does not use the codec that it judges. */
function intervalOf(payload: Uint8Array): Duration {
  const [version = 0, , , , high = 0, low = 0] = payload;
  return micros(version >> 4 === 2 ? low * 1e6 : (((high & 0x0f) << 8) | low) * 1e4);
}

function tell(effect: VrrpEffect): string {
  switch (effect.type) {
    case 'send':
      return `sends priority ${effect.payload[2]}`;
    case 'transition':
      return `${effect.from} -> ${effect.to}: ${effect.cause}`;
    case 'stalled':
      return `stalled for ${seconds(effect.late)}: ${effect.what}`;
    default:
      return effect.type;
  }
}
