import { familyOf } from '../ip.ts';
import type { Level } from '../level.ts';
import type { Instant } from '../time.ts';
import type { VrrpEvent } from '../vrrp/events.ts';
import { addressee } from '../vrrp/namesakes.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { routerKey } from './identity.ts';
import type { Router } from './router.ts';
import { UnknownVrids } from './unknown-vrids.ts';

type Packet = Extract<VrrpEvent, { type: 'packet' }>;

/** Which virtual router a packet is for; packets for none are counted. */
export class Addressees {
  readonly #routers: ReadonlyMap<string, Router>;
  readonly #unknownVrids: UnknownVrids;
  /** The keys of VRIDs that several routers have on one interface. */
  #shared: ReadonlySet<string> = new Set();

  constructor(routers: ReadonlyMap<string, Router>, log: (level: Level, message: string) => void) {
    this.#routers = routers;
    this.#unknownVrids = new UnknownVrids(log);
  }

  memory() {
    return { unknownVrids: this.#unknownVrids.memory(), shared: this.#shared };
  }

  recall({ unknownVrids, shared }: ReturnType<Addressees['memory']>): void {
    this.#unknownVrids.recall(unknownVrids);
    this.#shared = shared;
  }

  /** `logUnknown`: packets for none are said in the log, too. */
  configure(instances: readonly VrrpSettings[], logUnknown: boolean): void {
    this.#unknownVrids.logged = logUnknown;
    const apart = instances.filter((settings) => settings.apart !== undefined);
    this.#shared = new Set(apart.map((settings) => routerKey({ ...settings, apart: undefined })));
  }

  /** How many packets were for none. */
  get unknownVrids(): number {
    return this.#unknownVrids.count;
  }

  /** Hands over a packet that came in for virtual routers of the interface `home`. */
  deliver(home: string, vrid: number, datagram: Packet, now: Instant): void {
    const { source } = datagram;
    const router = this.#of(home, vrid, datagram);
    if (router === undefined) this.#unknownVrids.heard(home, vrid, source, now);
    else router.handle(datagram);
  }

  #of(home: string, vrid: number, datagram: Packet): Router | undefined {
    // As routers without a namesake have it.
    const key = `${home} IPv${familyOf(datagram.source)} VRID ${vrid}`;
    return this.#shared.has(key) ? addressee(this.#namesakes(key), datagram) : this.#routers.get(key);
  }

  /** All routers of a VRID that several have on one interface. */
  #namesakes(key: string): Router[] {
    return [...this.#routers].flatMap(([is, router]) =>
      is === key || is.startsWith(`${key} `) ? [router] : [],
    );
  }
}
