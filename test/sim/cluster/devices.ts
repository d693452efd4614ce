import type { AgentAction, AgentEnd, DeviceSettings } from '../../../src/core/fence/agent.ts';
import type { Prng } from '../../../src/core/prng.ts';
import type { World } from '../world.ts';
import type { Host } from './host.ts';
import type { DeviceFault } from './operations.ts';

/** What an agent's `status` gives; 1 is any failure. */
const STATUS = { on: 0, off: 2, failed: 1 } as const;
/** An agent takes so long, at most. */
const TAKES = 2e6;
/** Between off and on of a reboot. */
const DWELLS = 1e6;

/** The fence devices of all directors, and the agents that speak to them. */
export class Devices {
  /** What is wrong with the device of each director now. */
  readonly faults = new Map<string, DeviceFault>();
  readonly #world: World;
  readonly #prng: Prng;
  readonly #hosts: ReadonlyMap<string, Host>;
  /** Somebody switches it on again some time after that. */
  readonly #off: (host: Host) => void;

  constructor(world: World, prng: Prng, hosts: ReadonlyMap<string, Host>, off: (host: Host) => void) {
    this.#world = world;
    this.#prng = prng;
    this.#hosts = hosts;
    this.#off = off;
  }

  /** Runs an agent; `reached`: the way to the device is open. It goes on when nobody waits for it any more. */
  run(
    { target, timeout }: DeviceSettings,
    action: AgentAction,
    reached: boolean,
    ended: (end: AgentEnd) => void,
  ): void {
    const host = this.#hosts.get(target);
    const { now } = this.#world;
    const fault = this.faults.get(target);
    const takes = this.#prng.unit() * TAKES;
    if (host === undefined || !reached || fault === 'hangs' || (fault === 'is late' && action !== 'status')) {
      this.#world.at(now + timeout, () => ended({ status: null, said: 'it took too long' }));
      if (fault === 'is late' && reached && host !== undefined)
        this.#world.at(now + timeout + takes, () => this.#act(host, action));
      return;
    }
    this.#world.at(now + takes, () => {
      const lies = fault === 'lies';
      let status: number = STATUS.on;
      if (fault === 'fails') status = STATUS.failed;
      else if (action === 'status') status = host.on && !lies ? STATUS.on : STATUS.off;
      else if (!lies) this.#act(host, action);
      // What it found is known a little later.
      this.#world.at(this.#world.now + takes / 10, () => ended({ status, said: '' }));
    });
  }

  #act(host: Host, action: AgentAction): void {
    host.powerOff();
    if (action === 'reboot') this.#world.at(this.#world.now + DWELLS, () => host.powerOn());
    else this.#off(host);
  }
}
