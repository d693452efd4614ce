import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { now } from '../../src/io/clock.ts';
import { ROOT } from '../lab/engine/root.ts';
import { Asker } from '../lab/scene/asker.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { pause, Scene } from '../lab/scene/scene.ts';
import { type Answered, type Holders, holders } from './answers.ts';
import { Daemon, type DaemonName } from './daemon.ts';

const VIP = '10.0.0.100';
const ADDRESSES = { one: '10.0.0.1', two: '10.0.0.2', eye: '10.0.0.8', witness: '10.0.0.9' } as const;
/** No promise is longer; whoever starts waits as long. */
const LONGEST_PROMISE_SECONDS = 3;
/** One alone has answered for so long: the fault is over. */
const SETTLED_MILLISECONDS = 2000;
const LOOK_MILLISECONDS = 500;

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

/**
 * Two directors, of which the first is better, and somebody on the link who asks both for their address: by ARP, pings
 * and TCP. Those of vipkeeper are protected by a witness.
 */
export class FaultPair {
  readonly daemon: DaemonName;
  readonly #scene = new Scene();
  readonly #link: Link;
  readonly #hosts: readonly [Host, Host];
  readonly #macs: readonly string[];
  readonly #eye: Host;
  readonly #witnessHost: Host;
  readonly #daemons: (Daemon | undefined)[] = [undefined, undefined];
  readonly #keys: string;
  #asker: Asker | undefined;
  #witness: Program | undefined;
  #since = 0;

  constructor(daemon: DaemonName) {
    this.daemon = daemon;
    this.#link = this.#scene.link('net');
    const host = (name: keyof typeof ADDRESSES): Host =>
      this.#scene.host(name).on(this.#link, `${ADDRESSES[name]}/24`);
    this.#hosts = [host('one'), host('two')];
    this.#macs = this.#hosts.map((each) => each.run('cat', '/sys/class/net/net/address').trim());
    this.#eye = host('eye');
    this.#witnessHost = host('witness');
    this.#keys = join(this.#scene.folder, 'keys');
    mkdirSync(this.#keys);
    writeFileSync(join(this.#keys, 'web.key'), 'a secret of these three\n', { mode: 0o600 });
  }

  /** Starts all, and resolves when the better director alone answers. */
  async open(): Promise<void> {
    this.startWitness();
    this.start(0);
    this.start(1);
    const pairs = [`${ADDRESSES.eye}>${VIP}`];
    this.#asker = await Asker.start(this.#eye, 'net', this.#macs, pairs);
    await this.settle(this.#macs[0]);
    this.#since = await this.#asker.clear();
  }

  close(): void {
    this.#scene.close();
  }

  /** Starts a director's daemon. */
  start(i: 0 | 1): void {
    const priority = i === 0 ? 150 : 100;
    const text = this.daemon === 'keepalived' ? router(priority) : this.#protection() + router(priority);
    this.#daemons[i] = new Daemon(this.daemon, this.#hosts[i], text);
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
    for (const host of this.#hosts) {
      const port = this.#link.port(host);
      ip(undefined, `link set ${port} type bridge_slave isolated ${apart ? 'on' : 'off'}`);
    }
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
    if (this.daemon === 'keepalived') return;
    const options = ['--keys', this.#keys, '--longest', `${LONGEST_PROMISE_SECONDS}`];
    this.#witness = this.#witnessHost.start('witness', [join(ROOT, 'bin/vipkeeper-witness'), ...options]);
  }

  killWitness(): void {
    this.#witness?.signal('SIGKILL');
  }

  /** Resolves when one director alone has answered for a while: this one, if it is named. */
  async settle(mac?: string): Promise<void> {
    await this.#scene.until('one director alone answers', async () => {
      await pause(LOOK_MILLISECONDS);
      const at = now() / 1e3;
      const late = (await this.#answers()).filter((answer) => answer.at > at - SETTLED_MILLISECONDS);
      const who = new Set(late.map((answer) => answer.mac));
      const [first = at, last = 0] = [late[0]?.at, late.at(-1)?.at];
      const whole = first < at - 0.8 * SETTLED_MILLISECONDS && last > at - 0.2 * SETTLED_MILLISECONDS;
      return whole && who.size === 1 && (mac === undefined || who.has(mac));
    });
  }

  /** Who answered since it was opened. */
  async holders(): Promise<Holders> {
    return holders(await this.#answers(), this.#since);
  }

  async #answers(): Promise<Answered[]> {
    return ((await this.#asker?.heard()) ?? []).filter(
      ({ kind, mac }) => kind !== 'advert' && this.#macs.includes(mac),
    );
  }

  #protection(): string {
    return `heartbeat {
  cluster web
  key_file ${join(this.#keys, 'web.key')}
  director one ${ADDRESSES.one}
  director two ${ADDRESSES.two}
  longest_promise ${LONGEST_PROMISE_SECONDS}
}
witness {
  address ${ADDRESSES.witness}
}
`;
  }
}
