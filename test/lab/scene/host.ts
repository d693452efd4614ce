import type { Link } from './link.ts';
import type { Program, StartOptions } from './program.ts';
import { ip, run } from './run.ts';
import type { Scene } from './scene.ts';

/** A host of its own as far as networking goes: a network namespace with its own IPVS table. */
export class Host {
  readonly name: string;
  readonly scene: Scene;
  /** The environment of what is started here from now on, beside the test's own. */
  env: Readonly<Record<string, string>> = {};

  constructor(scene: Scene, name: string) {
    this.scene = scene;
    this.name = name;
    run(['ip', 'netns', 'add', name]);
    // Addresses are usable at once, and a director's asymmetric paths are not dropped.
    this.sysctl({ 'net.ipv6.conf.all.accept_dad': 0, 'net.ipv6.conf.default.accept_dad': 0 });
    this.sysctl({ 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0 });
    ip(name, 'link set lo up');
  }

  /** Joins a link: an interface with the link's name and these addresses (`10.0.0.1/24`, `fd00::1/64`). */
  on(link: Link, ...addresses: readonly string[]): this {
    link.plug(this);
    ip(this.name, `link set ${link.name} up`);
    for (const address of addresses) this.address(link.name, address);
    return this;
  }

  /** Adds an address to an interface; to `lo` it is a VIP that a real server answers for without ARP. */
  address(device: string, address: string): this {
    ip(this.name, `address add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`);
    return this;
  }

  /** Adds a route: `via('10.0.0.1')` is the default route. */
  via(gateway: string, destination = 'default'): this {
    ip(this.name, `route add ${destination} via ${gateway}`);
    return this;
  }

  /** Forwards packets between its links, as a director that does NAT and a router do. */
  forwarding(): this {
    return this.sysctl({ 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 });
  }

  sysctl(values: Readonly<Record<string, number>>): this {
    this.run('sysctl', '-qw', ...Object.entries(values).map(([key, value]) => `${key}=${value}`));
    return this;
  }

  /** Answers for a VIP of direct routing on its loopback, and stays silent about it on the segment. */
  holdsQuietly(vip: string): this {
    this.sysctl({ 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 });
    return this.address('lo', `${vip}/${vip.includes(':') ? 128 : 32}`);
  }

  /** The command line that runs a program in this host. */
  command(...argv: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...argv];
  }

  /** Runs a program to its end here and gives its standard output; throws when it fails. */
  run(...argv: readonly string[]): string {
    return run(this.command(...argv));
  }

  /** Whether a program succeeds here, for conditions. */
  succeeds(...argv: readonly string[]): boolean {
    try {
      this.run(...argv);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Whether one echo request is answered within a second. That it is not may be the fault of a busy machine: what must
   * be reached is waited for.
   */
  reaches(address: string, ...options: readonly string[]): boolean {
    return this.succeeds('ping', '-c', '1', '-W', '1', ...options, address);
  }

  /** Starts a program here; its log is kept and shown when a wait fails. */
  start(name: string, argv: readonly string[], options: StartOptions = {}): Program {
    const env = { ...this.env, ...options.env };
    return this.scene.start(`${this.name}: ${name}`, this.command(...argv), { ...options, env });
  }

  /** Whether an interface of this host has the address now. */
  has(address: string): boolean {
    return run(['ip', '-n', this.name, '-o', 'address', 'show', 'to', address]).trim() !== '';
  }

  /** Every process that runs in this host, whoever started it. */
  processes(): number[] {
    return run(['ip', 'netns', 'pids', this.name]).split('\n').filter(Boolean).map(Number);
  }

  /** Sends a signal to every process of this host: SIGKILL is a crash, SIGSTOP a freeze. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself.
      }
    }
  }

  freeze(): void {
    this.kill('SIGSTOP');
  }

  thaw(): void {
    this.kill('SIGCONT');
  }
}
