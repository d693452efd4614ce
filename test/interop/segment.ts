import * as assert from 'uvu/assert';
import type { Capture } from '../lab/scene/capture.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Observations } from '../lab/scene/observation.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip, run } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';

/** The daemons that share a segment. */
export type DaemonName = 'vipkeeper' | 'keepalived';

/** A kind of virtual router. */
export interface Flavour {
  readonly name: string;
  readonly version: 2 | 3;
  /** Seconds between adverts. */
  readonly advert: number;
  /** Sources of the adverts of the two directors; the second is the greater one. */
  readonly sources: readonly [string, string];
  /** In the order of `virtual_ipaddress`, with prefix lengths. */
  readonly vips: readonly string[];
  readonly password?: string;
  /** `auth_type`: PASS when absent. */
  readonly authentication?: 'PASS' | 'AH';
  /** Each director has a VMAC: `use_vmac`. */
  readonly vmac?: boolean;
  /** An address of the host that watches, with its length. */
  readonly client?: string;
  /** More lines for the virtual router. */
  readonly lines?: readonly string[];
}

/** What a director is told beside the flavour. */
export interface Standing {
  readonly priority: number;
  readonly preempt?: boolean;
}

const LINK = 'lan';
const VMAC = 'vrrp.7';

/** The configuration in keepalived's language, the same for both daemons. */
export function configuration(flavour: Flavour, standing: Standing): string {
  const { password, authentication = 'PASS' } = flavour;
  return [
    'global_defs {',
    `  vrrp_version ${flavour.version}`,
    '}',
    'vrrp_instance pair {',
    '  state BACKUP',
    `  interface ${LINK}`,
    '  virtual_router_id 7',
    `  priority ${standing.priority}`,
    `  advert_int ${flavour.advert}`,
    ...(standing.preempt === false ? ['  nopreempt'] : []),
    ...(password === undefined
      ? []
      : ['  authentication {', `    auth_type ${authentication}`, `    auth_pass ${password}`, '  }']),
    ...(flavour.vmac === true ? ['  use_vmac'] : []),
    ...(flavour.lines ?? []),
    '  virtual_ipaddress {',
    ...flavour.vips.map((vip) => (flavour.vmac === true ? `    ${vip}` : `    ${vip} dev ${LINK}`)),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** RFC 9568, 7.3, of VRID 7. */
export const virtualMac = (ipv6: boolean): string => `00:00:5e:00:0${ipv6 ? 2 : 1}:07`;

/** One of the two hosts, and the daemon that it runs. */
export class Director {
  readonly daemon: DaemonName;
  readonly source: string;
  readonly host: Host;
  #program: Program | undefined;
  /** The interface of its adverts and addresses. */
  #device = LINK;

  constructor(daemon: DaemonName, source: string, host: Host) {
    this.daemon = daemon;
    this.source = source;
    this.host = host;
  }

  start(flavour: Flavour, standing: Standing): void {
    const text = configuration(flavour, standing);
    this.#device = flavour.vmac === true ? VMAC : LINK;
    this.#program =
      this.daemon === 'vipkeeper'
        ? vipkeeper(this.host, text, '-P')
        : keepalived(this.host, text, '-P', '-G');
  }

  /** What the daemon said since it was last started. */
  get log(): string {
    return this.#program?.log ?? '';
  }

  /** Stops it cleanly (SIGTERM) and waits for its end. */
  async stop(): Promise<void> {
    await this.#program?.stop();
    assert.equal(this.host.processes(), [], `${this.daemon} left processes behind`);
  }

  /** The machine loses its power: all processes are gone at once, and so is what the kernel held for them. */
  loseItsPower(flavour: Flavour): void {
    // Frozen first: a parent that sees its child die starts another, a child that sees its parent die says goodbye.
    this.host.freeze();
    this.host.kill();
    for (const vip of flavour.vips) {
      run([
        'ip',
        '-n',
        this.host.name,
        'address',
        'flush',
        'dev',
        this.#device,
        'to',
        vip.replace(/\/.*/, ''),
      ]);
    }
  }

  /** Whether it is a member of the adverts' multicast group. */
  get listens(): boolean {
    const groups = run(['ip', '-n', this.host.name, 'maddr', 'show']);
    return groups.includes(this.source.includes(':') ? 'ff02::12' : '224.0.0.18');
  }

  /** What it announces addresses with. */
  get mac(): string {
    return this.#device === VMAC ? virtualMac(this.source.includes(':')) : this.ownMac;
  }

  get ownMac(): string {
    const text = run(['ip', '-n', this.host.name, '-o', 'link', 'show', 'dev', LINK]);
    return /link\/ether (\S+)/.exec(text)?.[1] ?? '';
  }
}

/** A segment with two directors and somebody who watches, and a capture of all that passes. */
export class Segment {
  readonly flavour: Flavour;
  readonly first: Director;
  readonly second: Director;
  readonly capture: Capture;
  readonly #scene: Scene;
  readonly #link: Link;
  readonly #watcher: Watcher;
  /** Somebody else on the segment. */
  readonly client: Host;

  private constructor(
    scene: Scene,
    link: Link,
    flavour: Flavour,
    directors: readonly [Director, Director],
    capture: Capture,
    watcher: Watcher,
    client: Host,
  ) {
    this.#scene = scene;
    this.#link = link;
    this.#watcher = watcher;
    this.client = client;
    this.flavour = flavour;
    this.capture = capture;
    [this.first, this.second] = directors;
  }

  static async open(flavour: Flavour, daemons: readonly [DaemonName, DaemonName]): Promise<Segment> {
    const scene = new Scene();
    const link = scene.link(LINK);
    const [low, high] = flavour.sources;
    const make = (name: string, daemon: DaemonName, source: string): Director => {
      const host = scene.host(name).on(link);
      // The only address that it can send from: no link-local one that the kernel made.
      ip(name, `address flush dev ${LINK}`);
      host.address(LINK, `${source}/${source.includes(':') ? 64 : 24}`);
      return new Director(daemon, source, host);
    };
    const directors = [make('a', daemons[0], low), make('b', daemons[1], high)] as const;
    const capture = await link.capture();
    const client = scene.host('eye').on(link, ...(flavour.client === undefined ? [] : [flavour.client]));
    const watcher = await Watcher.start(client, '');
    return new Segment(scene, link, flavour, directors, capture, watcher, client);
  }

  get ipv6(): boolean {
    return this.addresses.some((address) => address.includes(':'));
  }

  /** The virtual addresses, without their prefix lengths. */
  get addresses(): string[] {
    return this.flavour.vips.map((vip) => vip.replace(/\/.*/, ''));
  }

  /** Who has which of the virtual addresses: `['a']` when the first director has them all and the other none. */
  holders(): string[] {
    return [this.first, this.second]
      .map(({ host }) => ({ host, held: this.addresses.filter((address) => host.has(address)).length }))
      .filter(({ held }) => held > 0)
      .map(({ host, held }) => (held === this.addresses.length ? host.name : `${host.name} in part`));
  }

  /** Waits until these directors, and only these, have the addresses. */
  async heldBy(...directors: readonly Director[]): Promise<void> {
    const names = directors.map(({ host }) => host.name).join();
    await this.until(`held by ${names} alone`, () => this.holders().join() === names);
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await this.#scene.until(what, condition);
  }

  /** Waits until this many more adverts of the director have passed. */
  async advertsOf(director: Director, count: number): Promise<void> {
    const seen = async (): Promise<number> =>
      (await this.seen()).adverts.filter(({ source }) => source === director.source).length;
    const before = await seen();
    await this.until(
      `${count} adverts of ${director.host.name}`,
      async () => (await seen()) >= before + count,
    );
  }

  seen(): Promise<Observations> {
    return this.#watcher.observations();
  }

  /** Forgets what was seen; the capture goes on. */
  async forget(): Promise<void> {
    await this.#watcher.clear();
  }

  /** The directors no longer hear each other, though their links are up; the watcher hears both. */
  separate(apart: boolean): void {
    this.#link.part([this.first.host, this.second.host], apart);
  }

  close(): void {
    this.#scene.close();
  }
}
