import { Capture } from './capture.ts';
import { ip, run } from './run.ts';
import type { Scene } from './scene.ts';

/** The kernel's limit for an interface's name, without the final zero (linux/if.h, IFNAMSIZ). */
const MAX_INTERFACE_NAME = 15;

/** Something with interfaces: a host or a machine. */
export interface Station {
  readonly name: string;
}

/**
 * One segment: a bridge that floods all multicast (no snooping, no spanning tree), with a port for each
 * station. The station's interface has the link's name.
 */
export class Link {
  readonly name: string;
  readonly #scene: Scene;
  readonly #ports = new Set<string>();
  readonly #taps = new Set<string>();

  constructor(scene: Scene, name: string) {
    this.#scene = scene;
    this.name = name;
    const bridge = `link add ${name} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`;
    ip(undefined, bridge, `link set ${name} addrgenmode none up`);
  }

  /** The port's name at the switch's side. */
  port(station: Station): string {
    const port = `${station.name}.${this.name}`;
    if (port.length > MAX_INTERFACE_NAME) {
      throw new Error(
        `${port} is too long: a station's and a link's name have ${MAX_INTERFACE_NAME - 1} letters together`,
      );
    }
    return port;
  }

  /** Joins a host by a cable; Host.on calls it. */
  plug(host: Station): void {
    const port = this.port(host);
    ip(
      undefined,
      `link add ${port} type veth peer name ${this.name} netns ${host.name}`,
      `link set ${port} master ${this.name} addrgenmode none up`,
    );
    this.#ports.add(port);
  }

  /** Makes a tap at the switch for a machine and gives its name; Scene.machine calls it. */
  tap(machine: Station): string {
    const port = this.port(machine);
    ip(
      undefined,
      `tuntap add dev ${port} mode tap`,
      `link set ${port} master ${this.name} addrgenmode none up`,
    );
    this.#ports.add(port);
    this.#taps.add(port);
    return port;
  }

  /**
   * Cuts the station's cable: nothing passes. A host sees its carrier go; a machine does not (its network
   * driver gives up for good when its tap goes down, so the tap leaves the switch instead).
   */
  cut(station: Station): void {
    const port = this.port(station);
    ip(undefined, `link set ${port} ${this.#taps.has(port) ? 'nomaster' : 'down'}`);
  }

  mend(station: Station): void {
    const port = this.port(station);
    ip(undefined, `link set ${port} ${this.#taps.has(port) ? `master ${this.name}` : 'up'}`);
  }

  /** These stations do not hear each other, and everybody else hears them; or they hear each other again. */
  part(stations: readonly Station[], apart: boolean): void {
    for (const station of stations)
      ip(undefined, `link set ${this.port(station)} type bridge_slave isolated ${apart ? 'on' : 'off'}`);
  }

  /** Spoils what the station receives: netem's words, such as `loss 20% delay 5ms 1ms`; '' ends it. */
  impair(station: Station, netem: string): void {
    const port = this.port(station);
    if (netem === '') run(['tc', 'qdisc', 'del', 'dev', port, 'root']);
    else run(['tc', 'qdisc', 'replace', 'dev', port, 'root', 'netem', ...netem.split(' ')]);
  }

  /** Records every frame that passes the switch from now on. */
  capture(): Promise<Capture> {
    return Capture.start(this.#scene, this.name);
  }

  /**
   * Removes the switch and all cables; before the hosts go, or the kernel takes cables away at a time of its
   * own.
   */
  remove(): void {
    for (const port of this.#ports) ip(undefined, `link del ${port}`);
    ip(undefined, `link del ${this.name}`);
  }
}
