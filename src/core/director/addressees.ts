import { addressee } from '../vrrp/namesakes.ts';
import type { Datagram } from '../vrrp/packet.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import { type Router, routerKey } from './router.ts';

/** Which virtual router a packet is for. */
export class Addressees {
  readonly #routers: ReadonlyMap<string, Router>;
  /** The keys of VRIDs that several routers have on one interface. */
  #shared: ReadonlySet<string> = new Set();

  constructor(routers: ReadonlyMap<string, Router>) {
    this.#routers = routers;
  }

  configure(instances: readonly VrrpSettings[]): void {
    const apart = instances.filter((settings) => settings.apart !== undefined);
    this.#shared = new Set(apart.map((settings) => routerKey({ ...settings, apart: undefined })));
  }

  /** `key`: of the interface, family and VRID, as routers without a namesake have it. */
  of(key: string, datagram: Datagram): Router | undefined {
    return this.#shared.has(key) ? addressee(this.#namesakes(key), datagram) : this.#routers.get(key);
  }

  /** All routers of a VRID that several have on one interface. */
  #namesakes(key: string): Router[] {
    return [...this.#routers].flatMap(([is, router]) =>
      is === key || is.startsWith(`${key} `) ? [router] : [],
    );
  }
}
