import { Director } from '../director/director.ts';
import {
  type Answer,
  type DirectorBirth,
  type DirectorEffect,
  type DirectorEvent,
  type DirectorSettings,
  NO_SETTINGS,
} from '../director/events.ts';
import { ip } from '../ip.ts';
import { FOREVER } from '../netlink/address.ts';
import { LINK_FLAG, type Link, OPER_STATE } from '../netlink/link.ts';
import { type Instant, seconds } from '../time.ts';
import type { VrrpState } from '../vrrp/events.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';

/** From the silence at the start to adverts as a master, with repeated announcements; more would be a defect. */
const MOST_TIMEOUTS = 60;

const DEV = 'rehearsal';
const LINK: Link = {
  ifindex: 1,
  name: DEV,
  type: 1,
  flags: LINK_FLAG.up | LINK_FLAG.running | LINK_FLAG.lowerUp,
  mac: '02:00:00:00:00:01',
  mtu: 1500,
  operState: OPER_STATE.up,
};
const SOURCE = { 4: ip('192.0.2.1'), 6: ip('fe80::1') } as const;
const LENGTH = { 4: 24, 6: 64 } as const;

const COMMON = {
  interface: DEV,
  vrid: 1,
  priority: 100,
  initial: 'BACKUP',
  advertInterval: seconds(1),
  preempt: true,
  excluded: [],
  plainChecksum: false,
  downAdverts: 3,
  quietToLower: false,
  announce: { repeat: 5, delay: seconds(5), refresh: seconds(0), refreshRepeat: 1 },
  lease: seconds(4),
  term: seconds(3),
} as const;
const ROUTERS: readonly VrrpSettings[] = [
  {
    ...COMMON,
    name: 'IPv4',
    family: 4,
    version: 2,
    addresses: [{ address: { ip: ip('192.0.2.100'), length: 24 }, scope: 0 }],
  },
  {
    ...COMMON,
    name: 'IPv6',
    family: 6,
    version: 3,
    addresses: [
      { address: { ip: ip('fe80::100'), length: 64 }, scope: 253 },
      { address: { ip: ip('2001:db8::100'), length: 64 }, scope: 0 },
    ],
  },
];
const SETTINGS: DirectorSettings = { ...NO_SETTINGS, instances: ROUTERS, leaseTable: 'rehearsal' };

/**
 * A takeover that nobody sees: a director of its own waits for a master, takes over, serves, and gives up, on an
 * interface that does not exist and in a time that is only counted.
 *
 * What JavaScript does for the first time is slow, and what it has not done for a second is half as fast: a backup does
 * most of a takeover then.
 */
export class Rehearsal {
  readonly #director: Director;
  readonly #encode: (effect: DirectorEffect) => void;
  #time: Instant;

  /** Up to where backups wait. The effects go to `encode`, which must not act on them. */
  constructor(birth: DirectorBirth, encode: (effect: DirectorEffect) => void) {
    this.#director = new Director(birth);
    this.#encode = encode;
    this.#time = birth.begun;
    this.#tell({ type: 'clock', utc: 0 });
    this.#tell({ type: 'read', links: [LINK], addresses: ([4, 6] as const).map(ownAddress) });
    this.#tell({ type: 'configure', settings: SETTINGS, protected: false });
    this.#goOn(() => this.#are('BACKUP'));
  }

  /** They take over. */
  takeOver(): void {
    this.#goOn(() => this.#are('MASTER'));
  }

  /** All of it, to the end. */
  play(): void {
    this.#goOn(() => false);
    this.#tell({ type: 'maintenance', on: true });
    this.#tell({ type: 'stop' });
  }

  #are(wanted: VrrpState): boolean {
    return Array.from(this.#director.routers.values()).every(({ state }) => state === wanted);
  }

  #goOn(isThere: () => boolean): void {
    for (let timeouts = 0; timeouts < MOST_TIMEOUTS && !isThere(); timeouts++) {
      const due = this.#director.deadline();
      if (due === undefined) return;
      this.#time = due;
      this.#director.timeout(due);
      this.#perform();
    }
  }

  #tell(event: DirectorEvent): void {
    this.#director.handle(event, this.#time);
    this.#perform();
  }

  #perform(): void {
    for (let effects = this.#director.take(); effects.length > 0; effects = this.#director.take()) {
      for (const effect of effects) {
        this.#encode(effect);
        const answer = answerTo(effect);
        if (answer !== undefined) this.#director.handle(answer, this.#time);
      }
    }
  }
}

const ownAddress = (family: 4 | 6) => ({
  ifindex: LINK.ifindex,
  address: { ip: SOURCE[family], length: LENGTH[family] },
  scope: family === 4 ? 0 : 253,
  flags: 0,
  valid: FOREVER,
  preferred: FOREVER,
});

/** Of a kernel and a wire that refuse nothing. */
function answerTo(effect: DirectorEffect): Answer | undefined {
  switch (effect.type) {
    case 'send':
      return { type: 'sent', router: effect.router };
    case 'ports':
      return { type: 'ports', failed: new Map() };
    case 'addresses':
      return { type: 'addresses', results: effect.changes.map(({ id }) => ({ id, errno: 0 })) };
    case 'leases':
      return { type: 'leased', outcome: { errno: 0 } };
    case 'frames':
      return { type: 'framed', outcome: { type: 'sent', id: effect.id, taken: effect.addresses.length } };
    case 'look':
      return { type: 'looked' };
    default:
      return undefined;
  }
}
