import { unreachable } from '../../core/assert.ts';
import type { AddressesEvent } from '../../core/kernel/events.ts';
import type { Original } from '../../core/kernel/originals.ts';
import {
  linkRequest,
  type MakeEffect,
  type Step,
  stepsOf,
  type VmacsEffect,
  type VmacsEvent,
} from '../../core/kernel/vmac-events.ts';
import { wantedLinks } from '../../core/kernel/vmac-wants.ts';
import { Vmacs } from '../../core/kernel/vmacs.ts';
import type { Link } from '../../core/netlink/link.ts';
import type { Outcome } from '../../core/netlink/message.ts';
import { seconds } from '../../core/time.ts';
import type { VrrpSettings } from '../../core/vrrp/settings.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { errnoName } from '../../io/errno.ts';
import { explainOutcome } from '../../io/netlink.ts';
import type { RouteSocket } from '../../io/route.ts';
import { isStillOurs, PromoteSecondaries, ReversePath, writeSysctl } from '../../io/sysctl.ts';
import type { Level } from '../messages.ts';

/** What the interfaces of virtual routers need of their process. */
export interface VmacSurroundings {
  readonly driver: Driver;
  log(level: Level, message: string): void;
  /** What was changed on interfaces may be different. */
  changed(): void;
}

/** The interfaces of virtual routers (VMACs) at work. */
export class VmacLinks {
  readonly #around: VmacSurroundings;
  readonly #route: RouteSocket;
  readonly #vmacs = new Vmacs();
  readonly #driven: Driven<VmacsEvent>;
  readonly #reversePath = new ReversePath();
  readonly #promoted = new PromoteSecondaries();

  readonly #addresses: (event: AddressesEvent) => void;
  /** Strict reverse-path checks would do harm. */
  #asymmetric = false;
  /** Those that have an address of their own: ipvlans. */
  #addressed = new Set<string>();

  constructor(around: VmacSurroundings, route: RouteSocket, addresses: (event: AddressesEvent) => void) {
    this.#around = around;
    this.#route = route;
    this.#addresses = addresses;
    this.#driven = around.driver.attach(this.#vmacs, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  /** Before the first `want`: what an earlier life changed on interfaces, and did not put back. */
  inherit(originals: readonly Original[]): void {
    const ours = originals.filter(isStillOurs);
    this.#driven.handle({ type: 'inherit', originals: ours });
    for (const which of [this.#reversePath, this.#promoted]) which.inherit(ours);
  }

  /** What is changed on interfaces now. */
  originals(): Original[] {
    return [this.#vmacs, this.#reversePath, this.#promoted].flatMap((which) => which.originals());
  }

  /**
   * Exactly what these virtual routers need; it is there when this returns, but for what the kernel refused. `look` is
   * called when it was made, and is to bring the kernel's news.
   */
  want(instances: readonly VrrpSettings[], look: () => void = () => undefined): void {
    this.#driven.handle({ type: 'want', links: wantedLinks(instances) });
    // An earlier life may have needed it.
    if (!this.#asymmetric) this.#relax(false);
    const promoting = instances.filter(({ promoteSecondaries }) => promoteSecondaries);
    const trouble = this.#promoted.want(promoting.map((settings) => settings.interface));
    if (trouble !== undefined) this.#warn(trouble);
    look();
    this.#address(instances);
  }

  /** Gives those that are to have an address of their own theirs. */
  #address(instances: readonly VrrpSettings[]): void {
    const before = this.#addressed;
    this.#addressed = new Set();
    for (const { virtual } of instances) {
      if (virtual?.address === undefined) continue;
      const { name: dev, address } = virtual;
      const held = { dev, address, scope: 0 };
      this.#addresses({ type: 'hold', owner: dev, addresses: [held], lease: seconds(0) });
      this.#addressed.add(dev);
      before.delete(dev);
    }
    for (const owner of before) this.#addresses({ type: 'release', owner });
  }

  /** All interfaces there are now. */
  links(links: readonly Link[]): void {
    this.#driven.handle({ type: 'links', links });
  }

  #perform(effect: VmacsEffect): void {
    switch (effect.type) {
      case 'make':
        this.#driven.handle({ type: 'made', name: effect.link.name, ...this.#make(effect) });
        break;
      case 'remove':
      case 'mtu':
      case 'conf': {
        const request = linkRequest(effect);
        const [outcome = { errno: 0 }] = this.#route.apply([request]);
        const gone = effect.type === 'remove' && errnoName(outcome.errno) === 'ENODEV';
        if (outcome.errno !== 0 && !gone) this.#warn(`${request.asked}: ${explainOutcome(outcome)}`);
        if (effect.type === 'conf') this.#around.changed();
        break;
      }
      case 'asymmetric':
        this.#asymmetric = effect.on;
        this.#relax(effect.on);
        this.#around.changed();
        break;
      case 'adopted':
        this.#around.log('notice', `the interface ${effect.name} was there already`);
        break;
      case 'problem':
        this.#around.log('error', `the interface ${effect.name}: ${explainOutcome(effect)}`);
        break;
      default:
        unreachable(effect);
    }
  }

  /** Does all steps up to the first that fails and must not. */
  #make(effect: MakeEffect): Outcome {
    for (const step of stepsOf(effect)) {
      const outcome = this.#step(step);
      if (outcome.errno !== 0) return outcome;
    }
    return { errno: 0 };
  }

  #step(step: Step): Outcome {
    if (step.type === 'request') {
      const [outcome = { errno: 0 }] = this.#route.apply([step.request]);
      return step.optional ? { errno: 0 } : outcome;
    }
    const why = writeSysctl(step.path, step.value);
    if (why !== undefined) this.#warn(`net/${step.path} could not be set to ${step.value}: ${why}`);
    return { errno: 0 };
  }

  #relax(on: boolean): void {
    const why = on ? this.#reversePath.relax() : this.#reversePath.restore();
    if (why !== undefined) this.#warn(why);
  }

  #warn(message: string): void {
    this.#around.log('warning', message);
  }
}
