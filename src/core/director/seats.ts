import type { Interfaces } from '../reconcile/interfaces.ts';
import type { VrrpSettings } from '../vrrp/settings.ts';
import type { Actor, Ensemble } from './ensemble.ts';
import type { DirectorEffect } from './events.ts';
import { Ports, type PortsEvent, portKey, portsOf, seatOf } from './ports.ts';

interface Seated {
  readonly key: string;
  readonly settings: VrrpSettings;
}

/** Where the virtual routers hear and speak, and whether they can. */
export class Seats {
  readonly #interfaces: Interfaces;
  readonly #ports = new Ports();
  readonly #actor: Actor<PortsEvent>;
  /** Routers that wait for their sockets, or had none. */
  #waiting = new Set<string>();

  /** `settled`: sockets are open, or not, and who waited for them is to look again. */
  constructor(
    ensemble: Ensemble,
    interfaces: Interfaces,
    emit: (effect: DirectorEffect) => void,
    settled: () => void,
  ) {
    this.#interfaces = interfaces;
    this.#actor = ensemble.join(
      this.#ports,
      (effects) => {
        for (const effect of effects) {
          if (effect.type === 'settled') settled();
          else if (effect.type === 'ports') emit(effect);
          else emit({ type: 'log', level: 'error', message: effect.what });
        }
      },
      { kind: 'ports', name: 'sockets', machine: this.#ports },
    );
  }

  memory() {
    return { ports: this.#ports.memory(), waiting: new Set(this.#waiting) };
  }

  recall({ ports, waiting }: ReturnType<Seats['memory']>): void {
    this.#ports.recall(ports);
    this.#waiting = new Set(waiting);
  }

  /** The sockets of exactly these routers. */
  want(routers: readonly VrrpSettings[]): void {
    this.#actor.handle({ type: 'want', ports: portsOf(routers, this.#interfaces) });
  }

  done(failed: ReadonlyMap<string, string>): void {
    this.#actor.handle({ type: 'done', failed });
  }

  /** Those who wait for their sockets; they do no longer. */
  waiting(): ReadonlySet<string> {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    return waiting;
  }

  /** The port that a router speaks by, or why it has none. */
  seat({
    key,
    settings,
  }: Seated): 'opening' | { readonly port: string | undefined; readonly lame: string | undefined } {
    const seat = seatOf(settings, this.#interfaces);
    const nowhere = `no socket on ${settings.interface}`;
    if (seat === undefined) return { port: undefined, lame: nowhere };
    const { family } = settings;
    for (const { name, ifindex } of [seat.hears, seat.speaks, ...(seat.below ? [seat.below] : [])]) {
      const state = this.#ports.state({ name, ifindex, family });
      if (state === 'open') continue;
      this.#waiting.add(key);
      return state === undefined ? 'opening' : { port: undefined, lame: nowhere };
    }
    const { name, ifindex } = seat.speaks;
    return { port: portKey({ name, ifindex, family }), lame: undefined };
  }
}
