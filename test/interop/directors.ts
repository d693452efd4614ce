import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { statusOf } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import { Scene } from '../lab/scene/scene.ts';

/** The virtual address that they have between them. */
export const VIP = '10.0.0.100';
/** Seconds. No promise of theirs is longer, and whoever starts waits as long. */
export const LONGEST_PROMISE = 3;
/** What they are called to voters. */
export const CLUSTER = 'web';

/** The virtual router of the address, with these lines more. */
export const router = (priority: number, ...lines: readonly string[]): string => `vrrp_instance VI_1 {
  interface lan
  virtual_router_id 51
  version 3
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
${lines.map((line) => `  ${line}\n`).join('')}}
`;

/** Directors on one segment that elect the holder of the address by votes; the first is 10.0.0.1, and so on. */
export class Directors<Name extends string> {
  readonly scene = new Scene();
  readonly link: Link = this.scene.link('lan');
  readonly hosts: Readonly<Record<Name, Host>>;
  /** For keys; a witness takes the one of the cluster from it. */
  readonly folder: string;
  readonly names: readonly Name[];
  #watch: AddressWatch | undefined;

  /** `key` is what they share. */
  constructor(names: readonly Name[], key = 'a secret of these directors') {
    this.names = names;
    const made = names.map((name) => [name, this.scene.host(name).on(this.link, `${this.address(name)}/24`)]);
    this.hosts = Object.fromEntries(made);
    this.folder = join(this.scene.folder, 'keys');
    mkdirSync(this.folder);
    this.secret(`${CLUSTER}.key`, key);
  }

  /** From now on it is seen who has the address, and for how long two of them had it. */
  async watched(): Promise<AddressWatch> {
    this.#watch = await AddressWatch.start(this.scene, this.all);
    return this.#watch;
  }

  get all(): Host[] {
    return Object.values(this.hosts);
  }

  address(name: Name): string {
    return `10.0.0.${this.names.indexOf(name) + 1}`;
  }

  /** A file for its owner only, in the folder of keys; gives its path. */
  secret(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  }

  /** The block `heartbeat` of these, or of all. */
  heartbeat(names: readonly Name[] = this.names): string {
    const directors = names.map((name) => `  director ${name} ${this.address(name)}\n`);
    return `heartbeat {
  cluster ${CLUSTER}
  key_file ${join(this.folder, `${CLUSTER}.key`)}
${directors.join('')}  longest_promise ${LONGEST_PROMISE}
}
`;
  }

  /** Who has the address now; '' for nobody. */
  holder(): string {
    const holders = this.all.filter((host) => host.has(VIP));
    return holders.map(({ name }) => name).join(' and ');
  }

  heldBy(name: Name | ''): Promise<number> {
    const who = name === '' ? 'nobody' : name;
    return this.scene.until(`the address is held by ${who}`, () => this.holder() === name);
  }

  /** They do not hear each other, and everybody else hears them; or they hear each other again. */
  part(apart: boolean): void {
    this.link.part(this.all, apart);
  }

  /** Its claim to the address. */
  async claim(name: Name) {
    return (await statusOf(this.hosts[name]))?.vrrp?.votes?.claims[0];
  }

  /** Waits until it has asked for votes in vain some times since it last held. */
  inVain(name: Name): Promise<number> {
    return this.scene.until(`${name} asks in vain`, async () => ((await this.claim(name))?.vain ?? 0) > 2);
  }

  /** For each test: no two had the address. */
  notTwice(): void {
    assert.is(this.#watch?.longestOverlap(VIP).milliseconds, 0, 'two directors had the address');
  }

  close(): void {
    this.scene.close();
  }
}
