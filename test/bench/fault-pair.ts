import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import type { Holders } from '../lab/scene/answers.ts';
import { Eye } from '../lab/scene/eye.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Program } from '../lab/scene/program.ts';
import { Scene } from '../lab/scene/scene.ts';
import { HTTP_PORT, realServer } from '../lab/scene/traffic.ts';
import { Daemon, type DaemonName } from './daemon.ts';
import { PowerStrip, STRIP_TIMEOUT_SECONDS, type StripManner } from './fence-agent.ts';
import { Visitor, type Visits } from './visitor.ts';

const VIP = '10.0.0.100';
const ADDRESSES = {
  one: '10.0.0.1',
  two: '10.0.0.2',
  eye: '10.0.0.8',
  witness: '10.0.0.9',
  visitor: '10.0.0.10',
} as const;
const NAMES = ['one', 'two'] as const;
/** No promise is longer; whoever starts waits as long. */
const LONGEST_PROMISE_SECONDS = 3;

const router = (priority: number): string => `vrrp_instance faults {
  interface net
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24 dev net
  }
}
`;

/** What protects directors of vipkeeper. */
export type Guard = 'witness' | 'fence devices';

/**
 * Two directors, of which the first is better, with a page at their address; somebody on the link who asks both for the
 * address, and somebody who visits the page.
 */
export class FaultPair {
  readonly daemon: DaemonName;
  readonly #scene = new Scene();
  readonly #link: Link;
  readonly #hosts: readonly [Host, Host];
  readonly #macs: readonly string[];
  readonly #guard: Guard;
  readonly #power: PowerStrip;
  readonly #eyeHost: Host;
  readonly #visitorHost: Host;
  readonly #witnessHost: Host;
  readonly #daemons: (Daemon | undefined)[] = [undefined, undefined];
  readonly #keys: string;
  #eye: Eye | undefined;
  #visitor: Visitor | undefined;
  #witness: Program | undefined;

  constructor(daemon: DaemonName, guard: Guard) {
    this.daemon = daemon;
    this.#guard = guard;
    this.#link = this.#scene.link('net');
    const host = (name: keyof typeof ADDRESSES): Host =>
      this.#scene.host(name).on(this.#link, `${ADDRESSES[name]}/24`);
    this.#hosts = [host('one'), host('two')];
    this.#macs = this.#hosts.map((each) => each.run('cat', '/sys/class/net/net/address').trim());
    this.#eyeHost = host('eye');
    this.#witnessHost = host('witness');
    this.#visitorHost = host('visitor');
    this.#keys = join(this.#scene.folder, 'keys');
    mkdirSync(this.#keys);
    writeFileSync(join(this.#keys, 'web.key'), 'a secret of these three\n', { mode: 0o600 });
    this.#power = new PowerStrip(join(this.#scene.folder, 'power'), VIP);
  }

  /** Starts all, and resolves when the better director alone answers. */
  async open(): Promise<void> {
    this.startWitness();
    for (const i of [0, 1] as const) await this.#boot(i);
    this.#eye = await Eye.open(this.#eyeHost, 'net', this.#macs, `${ADDRESSES.eye}>${VIP}`);
    await this.#eye.settle(this.#macs[0]);
    this.#visitor = await Visitor.start(this.#visitorHost, `http://${VIP}:${HTTP_PORT}/`);
    await this.#eye.begin();
    this.#visitor.begin();
  }

  close(): void {
    this.#scene.close();
  }

  /** Starts a director's daemon. */
  start(i: 0 | 1): void {
    const priority = i === 0 ? 150 : 100;
    const text = this.daemon === 'keepalived' ? router(priority) : this.#protection(i) + router(priority);
    this.#daemons[i] = new Daemon(this.daemon, this.#hosts[i], text);
  }

  /** Boots a director that was switched off. */
  async reboot(i: 0 | 1): Promise<void> {
    if (!this.#power.isOn(NAMES[i])) await this.#boot(i);
  }

  async #boot(i: 0 | 1): Promise<void> {
    this.#power.switchOn(NAMES[i]);
    await realServer(this.#hosts[i]);
    this.start(i);
  }

  /** What the fence devices do from now on. */
  behave(manner: StripManner): void {
    this.#power.behave(manner);
  }

  /** Kills all processes of a director's daemon. */
  crash(i: 0 | 1): void {
    this.#daemons[i]?.crash();
  }

  /** Stops all processes of a director's daemon where they are, and lets them go on. */
  freeze(i: 0 | 1, signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.#daemons[i]?.processes() ?? []) process.kill(pid, signal);
  }

  cut(i: 0 | 1): void {
    this.#link.cut(this.#hosts[i]);
  }

  mend(i: 0 | 1): void {
    this.#link.mend(this.#hosts[i]);
  }

  /** The directors do not hear each other, and all others hear both. */
  part(apart: boolean): void {
    this.#link.part(this.#hosts, apart);
  }

  /** A director does not hear the other one, which hears it. */
  deafen(i: 0 | 1, deaf: boolean): void {
    const from = ADDRESSES[i === 0 ? 'two' : 'one'];
    this.#drop(this.#hosts[i], 'deaf', deaf ? `ip saddr ${from}` : undefined);
  }

  /** Both directors lose this share of what they receive, in percent. */
  lose(percent: number): void {
    const rule = percent === 0 ? undefined : `numgen random mod 100 < ${percent}`;
    for (const host of this.#hosts) this.#drop(host, 'lossy', rule);
  }

  /** A rule of the packet filter for what a host receives, by a name; none takes it away. */
  #drop(host: Host, name: string, what: string | undefined): void {
    if (what === undefined) host.run('nft', 'delete', 'table', 'ip', name);
    else
      host.run('nft', `table ip ${name} { chain in { type filter hook input priority 0; ${what} drop; }; }`);
  }

  startWitness(): void {
    if (this.daemon === 'keepalived' || this.#guard !== 'witness') return;
    const options = ['--keys', this.#keys, '--longest', `${LONGEST_PROMISE_SECONDS}`];
    this.#witness = this.#witnessHost.start('witness', [join(ROOT, 'bin/vipkeeper-witness'), ...options]);
  }

  killWitness(): void {
    this.#witness?.signal('SIGKILL');
  }

  /** Resolves when one director alone has answered for a while. */
  async settle(): Promise<void> {
    await this.#eye?.settle();
  }

  /** How many visits had no page since it was opened; there are none any more. */
  async visits(): Promise<Visits> {
    return (await this.#visitor?.end()) ?? { tried: 0, failed: 0 };
  }

  /** Who answered since it was opened. */
  async holders(): Promise<Holders> {
    return (await this.#eye?.holders()) ?? { two: 0, nobody: 0 };
  }

  #protection(i: 0 | 1): string {
    return `heartbeat {
  cluster web
  key_file ${join(this.#keys, 'web.key')}
  director one ${ADDRESSES.one}
  director two ${ADDRESSES.two}
  longest_promise ${LONGEST_PROMISE_SECONDS}
}
${
  this.#guard === 'witness'
    ? `witness {
  address ${ADDRESSES.witness}
}
`
    : this.#power.device(NAMES[i === 0 ? 1 : 0], `timeout ${STRIP_TIMEOUT_SECONDS}`)
}`;
  }
}
