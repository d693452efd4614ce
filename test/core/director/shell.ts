import { Director, type DirectorMemory } from '../../../src/core/director/director.ts';
import {
  type DirectorEffect,
  type DirectorEvent,
  type DirectorSettings,
  type LinkChange,
  type MakeRouter,
  NO_SETTINGS,
} from '../../../src/core/director/events.ts';
import type { Port } from '../../../src/core/director/ports.ts';
import { formatPrefix, type Ip, ip, parsePrefix } from '../../../src/core/ip.ts';
import type { Machine } from '../../../src/core/machine.ts';
import type { InterfaceAddress } from '../../../src/core/netlink/address.ts';
import type { RouteEvent } from '../../../src/core/netlink/events.ts';
import { LINK_FLAG, type Link, OPER_STATE } from '../../../src/core/netlink/link.ts';
import { requestOfRouting } from '../../../src/core/reconcile/routing-events.ts';
import { plainText, plainValue } from '../../../src/core/record/plain.ts';
import type { Recorder } from '../../../src/core/record/recorder.ts';
import { after, type Instant, seconds } from '../../../src/core/time.ts';
import type { Digest } from '../../../src/core/vrrp/auth-digest.ts';
import type { VrrpStatus } from '../../../src/core/vrrp/events.ts';
import { encodeAdvert, VRRP_GROUP } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import type { ClusterWord } from '../../../src/core/vrrp/takeover.ts';
import { ModelTables } from '../reconcile/routing-model.ts';
import { recordedDirector } from '../record/recorded.ts';
import { at, PEER, SETTINGS } from '../vrrp/router.ts';
import { KernelAddresses } from './kernel-addresses.ts';

const { up, running, lowerUp } = LINK_FLAG;
export const DOWN = { flags: up, operState: OPER_STATE.down } as const;

export const link = (ifindex: number, name: string, more: Partial<Link> = {}): Link => {
  const plain = { type: 1, flags: up | running | lowerUp, mtu: 1500, operState: OPER_STATE.up };
  return { ifindex, name, ...plain, mac: `02:00:00:00:00:0${ifindex % 10}`, ...more };
};

export const prefix = (text: string): NonNullable<ReturnType<typeof parsePrefix>> => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
};

/** One virtual router: that of `SETTINGS`, with a lease of two seconds, or with `more`. */
export const instance = (more: Partial<VrrpSettings> = {}): VrrpSettings => ({
  ...SETTINGS,
  lease: seconds(2),
  ...more,
});

const NO_DIGEST: Digest = { hmac: () => new Uint8Array(64) };

interface ShellOptions {
  readonly makeRouter?: MakeRouter;
  readonly recorder?: Recorder;
  readonly digest?: Digest;
  /** The interface of its virtual routers, and what addresses it has there. */
  readonly dev?: string;
  readonly own?: readonly string[];
}

/** A director with its hands on a kernel that is played: what it does is told in short words, in order. */
export class Shell {
  director: Director;
  /** The director, with a recorder where one is given. */
  #machine: Machine<DirectorEvent, DirectorEffect>;
  /** Whether the director is made anew before each event, and has nothing but the memory of the one before. */
  static forgets = false;
  static forgotten = 0;
  readonly #make: () => Director;
  readonly #birth = { begun: at(0), marks: true };
  readonly addresses = new KernelAddresses();
  readonly tables = new ModelTables();
  readonly links = new Map<number, Link>();
  /** What was done, in order. */
  done: string[] = [];
  ports: readonly Port[] = [];
  /** Why adverts do not leave; the errno's name. */
  unsent: string | undefined;
  /** Why announcements do not leave. */
  unannounced: string | undefined;
  /** Sockets on these interfaces are refused. */
  readonly refused = new Set<string>();
  /** The next change of interfaces. */
  #now = at(0);
  #performing = false;
  #nextIfindex = 100;
  /** The MAC address that answers for an address, and what the cluster knows of a silent master. */
  readonly neighbours = new Map<string, string>();
  cluster: ClusterWord = {};
  /** Of the hand-over that was spoken of last. */
  number = 0;
  /** Whether adverts are answered at all. */
  answers = true;

  constructor(options: ShellOptions = {}) {
    const { recorder, digest = NO_DIGEST, dev = 'eth0', own = ['10.0.0.5/24'], ...more } = options;
    this.#make = () => new Director({ ...this.#birth, digest, ...more });
    this.director = this.#make();
    this.#machine = this.director;
    if (recorder !== undefined) {
      const { director, machine } = recordedDirector(recorder, this.#birth, digest);
      [this.director, this.#machine] = [director, machine];
    }
    this.links.set(1, link(1, dev)).set(2, link(2, 'wan0'));
    for (const address of own) this.addresses.own(1, address);
    this.addresses.own(2, '10.1.0.5/24');
    this.addresses.news();
    this.event({ type: 'clock', utc: 1e15 });
    this.read();
  }

  /** A director with these virtual routers, at second `s`. */
  static of(instances: readonly VrrpSettings[], more: Partial<DirectorSettings> = {}): Shell {
    const shell = new Shell();
    shell.configure(instances, more);
    return shell;
  }

  get now(): Instant {
    return this.#now;
  }

  read(): void {
    const links = [...this.links.values()];
    this.event({ type: 'read', links, addresses: this.addresses.all() });
  }

  configure(instances: readonly VrrpSettings[], more: Partial<DirectorSettings> = {}): this {
    return this.event({
      type: 'configure',
      settings: { ...NO_SETTINGS, ...more, instances },
      protected: false,
    });
  }

  event(event: DirectorEvent): this {
    if (Shell.forgets && this.#machine === this.director && !this.#performing) this.#forget();
    this.#machine.handle(event, this.#now);
    this.#perform();
    return this;
  }

  /** The kernel's interfaces are as in `changes` now, and it says so. */
  hear(...changes: readonly Link[]): this {
    for (const changed of changes) this.links.set(changed.ifindex, changed);
    const events = changes.map((changed): RouteEvent => ({ type: 'link', present: true, link: changed }));
    return this.event({ type: 'news', events });
  }

  /** Time passes up to second `s`: deadlines, lifetimes, and the kernel's news of them. */
  until(s: number): this {
    const end = at(s);
    for (;;) {
      const due = this.director.deadline();
      const expires = this.addresses.nextExpiry();
      const next = Math.min(due ?? end, expires ?? end, end) as Instant;
      this.#now = Math.max(this.#now, next) as Instant;
      this.addresses.expire(this.#now);
      this.#tellNews();
      if (due !== undefined && due <= this.#now) {
        if (Shell.forgets) this.#forget();
        this.#machine.timeout(this.#now);
        this.#perform();
      } else if (this.#now >= end) return this;
    }
  }

  /** The process stands still until second `s`: nothing is done meanwhile. */
  sleep(s: number): this {
    this.#now = at(s);
    return this;
  }

  /** An advert of a peer that is configured alike. */
  advert(
    priority: number,
    settings: VrrpSettings = instance(),
    source: Ip = PEER,
    buffer = new Uint8Array(64),
  ): this {
    const { version, vrid, family, advertInterval: interval, addresses } = settings;
    const destination = VRRP_GROUP[family];
    const all = addresses.map(({ address }) => address.ip);
    const message = encodeAdvert(
      { version, vrid, priority, interval, addresses: all },
      { source, destination },
    );
    buffer.set(message);
    const payload = buffer.subarray(0, message.length);
    const home = settings.interface;
    return this.event({ type: 'packet', home, vrid, payload, source, destination, ttl: 255 });
  }

  /** What was done since the last time; only what matches `word`. */
  taken(word = /./): string[] {
    return this.done.splice(0).filter((line) => word.test(line));
  }

  status(name = 'VI_1'): VrrpStatus {
    const all = [...this.director.routers.values()];
    const found = all.find(({ settings }) => settings.name === name);
    if (found === undefined) throw new Error(`no router ${name}`);
    return found.status();
  }

  /** The virtual addresses that the kernel has. */
  get held(): string[] {
    return this.addresses
      .all()
      .filter(({ protocol }) => protocol !== undefined)
      .map(({ address }) => formatPrefix(address));
  }

  /** The sockets as words: `eth0 IPv4 224.0.0.18`. */
  get sockets(): string[] {
    return this.ports.map(({ name, family, groups, reported, authenticated }) =>
      [
        `${name} IPv${family}`,
        ...groups,
        ...reported.map((group) => `reports ${group}`),
        ...(authenticated ? ['AH'] : []),
      ].join(' '),
    );
  }

  #tellNews(): void {
    const events: RouteEvent[] = this.addresses.news().map((news) => ({ type: 'address', ...news }));
    if (events.length > 0) this.event({ type: 'news', events });
  }

  /** Memories are written down and read again, as in a recording. */
  #forget(): void {
    const memory = plainValue(plainText(this.director.memory())) as DirectorMemory;
    this.director = this.#make();
    this.director.recall(memory);
    this.#machine = this.director;
    Shell.forgotten += 1;
  }

  #perform(): void {
    if (this.#performing) return;
    this.#performing = true;
    for (let effects = this.#machine.take(); effects.length > 0; effects = this.#machine.take()) {
      for (const effect of effects) this.#do(effect);
    }
    this.#performing = false;
    this.#tellNews();
  }

  #do(effect: DirectorEffect): void {
    switch (effect.type) {
      case 'send': {
        const { router, payload, destination } = effect;
        const [, vrid, priority] = payload;
        this.done.push(`${this.unsent ?? 'sent'} ${vrid} ${priority} to ${destination}`);
        if (!this.answers) break;
        if (this.unsent === undefined) this.event({ type: 'sent', router });
        else this.event({ type: 'unsent', router, code: this.unsent, destination });
        break;
      }
      case 'ports': {
        this.ports = effect.ports.filter(({ name }) => !this.refused.has(name));
        const lost = effect.ports.filter(({ name }) => this.refused.has(name));
        const failed = lost.map(
          ({ name, ifindex, family }) => [`${name} ${ifindex} IPv${family}`, 'EMFILE'] as const,
        );
        this.event({ type: 'ports', failed: new Map(failed) });
        break;
      }
      case 'addresses': {
        const results = effect.changes.map((change) => {
          this.done.push(`${change.op} ${formatPrefix(change.address.address)}`);
          return { id: change.id, errno: this.addresses.apply(change, this.#now) };
        });
        this.event({ type: 'addresses', results });
        break;
      }
      case 'routing': {
        const results = effect.changes.map((change) => {
          this.done.push(requestOfRouting(change).asked);
          return { id: change.id, errno: this.tables.apply(change) };
        });
        this.event({ type: 'routing', results });
        break;
      }
      case 'leases':
        this.done.push(`leases: ${effect.steps.map(({ op }) => op).join(', ')}`);
        this.event({ type: 'leased', outcome: { errno: 0 } });
        break;
      case 'link':
        this.#changeLink(effect.change);
        break;
      case 'follow':
        this.done.push('follow');
        this.event({ type: 'followed', routes: this.tables.routes, rules: this.tables.rules });
        break;
      case 'look':
        this.hear(...this.links.values()).event({ type: 'looked' });
        break;
      case 'frames':
        this.#announce(effect);
        break;
      case 'log':
        this.done.push(`${effect.level}: ${effect.message}`);
        break;
      case 'let-go':
        this.done.push(`let go ${effect.group}`);
        break;
      case 'refused':
        this.done.push(`refused: ${effect.what} ${effect.errno}`);
        break;
      case 'happened':
        this.done.push(`told ${effect.happening.name} ${effect.happening.what}`);
        break;
      default:
        this.#suspect(effect);
    }
  }

  #suspect(effect: DirectorEffect): void {
    switch (effect.type) {
      case 'ask':
        this.done.push(...effect.questions.map(({ dev, addresses }) => `ask ${dev} ${addresses.join(' ')}`));
        this.event({ type: 'asked', router: effect.router });
        for (const address of effect.questions.flatMap((question) => question.addresses)) {
          const mac = this.neighbours.get(address);
          if (mac !== undefined) this.event({ type: 'answered', address, mac });
        }
        break;
      case 'weigh':
        this.done.push(`weigh ${effect.group ?? 'alone'} ${effect.master}`);
        this.event({ type: 'weighed', router: effect.router, cluster: this.cluster });
        break;
      case 'fence':
        this.done.push(`${effect.why === undefined ? 'spare' : 'fence'} ${effect.group} ${effect.master}`);
        break;
      default:
        this.#handOver(effect);
    }
  }

  #handOver(effect: DirectorEffect): void {
    if (effect.type === 'say') {
      const { to = 'all', words } = effect;
      this.number = words[0]?.number ?? this.number;
      const all = words.map(({ step, unit, why }) => `${step} ${unit}${why === undefined ? '' : `, ${why}`}`);
      this.done.push(`say ${to}: ${all.join(' + ')}`);
    } else if (effect.type === 'handed-over') {
      for (const { unit, outcome, to = '', why = '' } of effect.given)
        this.done.push(`handed over ${unit} ${outcome} ${to}${why}`.trim());
    }
  }

  #changeLink(change: LinkChange): void {
    if (change.type === 'make') {
      const { name, base, kind } = change.link;
      this.done.push(`make ${name}`);
      const made = link(this.#nextIfindex++, name, { kind, lower: base, mac: '00:00:5e:00:01:33' });
      this.links.set(made.ifindex, made);
      this.event({ type: 'made', name, errno: 0 });
    } else if (change.type === 'remove') {
      this.done.push(`remove ${change.name}`);
      const gone = [...this.links.values()].find(({ name }) => name === change.name);
      if (gone === undefined) return;
      this.links.delete(gone.ifindex);
      this.event({ type: 'news', events: [{ type: 'link', present: false, link: gone }] });
    }
  }

  #announce({ id, dev, mac, addresses }: Extract<DirectorEffect, { type: 'frames' }>): void {
    const trouble = this.unannounced;
    if (trouble === undefined) this.done.push(`announce ${addresses.join(' ')} on ${dev} at ${mac}`);
    const taken = trouble === undefined ? addresses.length : 0;
    const outcome = { type: 'sent', id, taken, ...(trouble !== undefined && { trouble }) } as const;
    this.event({ type: 'framed', outcome });
  }
}

/** An address of the host itself. */
export const ownAddress = (ifindex: number, text: string): InterfaceAddress => ({
  ifindex,
  address: prefix(text),
  scope: 0,
  flags: 0,
  valid: 0xffffffff,
  preferred: 0xffffffff,
});
export const VIP = '10.0.0.100';
export const vip = (text: string, dev?: string): VrrpSettings['addresses'][number] => ({
  address: prefix(text),
  scope: 0,
  ...(dev !== undefined && { dev }),
});
export const later = (now: Instant, s: number): Instant => after(now, seconds(s));
export { ip };
