import { now } from '../../src/io/clock.ts';
import type { Heard } from '../lab/programs/asker.ts';
import { KINDS } from '../lab/programs/questions.ts';
import { Asker } from '../lab/scene/asker.ts';
import { vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { pause, Scene } from '../lab/scene/scene.ts';

/** Two directors, of which the first is better, and somebody on the link who asks both for their addresses. */

const VIPS = { 4: ['10.0.0.100'], 6: ['fe80::100', 'fd00::100'] } as const;
const CLIENT = { 4: '10.0.0.9', 6: 'fd00::9' } as const;
/** What a link-local address is asked from. */
const CLIENT_LOCAL = 'fe80::9';
/** Of virtual router 7 (RFC 9568, 7.3). */
const VIRTUAL_MAC = { 4: '00:00:5e:00:01:07', 6: '00:00:5e:00:02:07' } as const;
/** Answers of the new master after which the old one's would have come, too. */
const ENOUGH = 200;
export type Family = keyof typeof VIPS;

const configuration = (family: Family, priority: number, advert: number, lines = ''): string =>
  `vrrp_instance pair {
  interface lan
  virtual_router_id 7
  version 3
  priority ${priority}
  advert_int ${advert}
  ${lines}
  virtual_ipaddress {
${VIPS[family].map((vip) => `    ${vip}${vip.startsWith('fe80') ? '/64' : ''}`).join('\n')}
  }
  virtual_ipaddress_excluded {
    ${family === 4 ? '10.0.0.200' : 'fd00::200'}
  }
}
`;

export class Pair {
  readonly scene = new Scene();
  readonly hosts: readonly [Host, Host];
  readonly macs: readonly [string, string];
  readonly family: Family;
  /** The better one's, beside its own. */
  readonly #virtual: readonly string[];
  readonly #eye: Host;
  #asker: Asker | undefined;

  /** `vmac`: the better one has its addresses on a VMAC. Its answers come from there or from the interface below. */
  constructor(family: Family, advert: number, lines: string, vmac = false) {
    this.family = family;
    const link = this.scene.link('lan');
    const host = (name: string, last: number): Host =>
      this.scene.host(name).on(link, `10.0.0.${last}/24`, `fd00::${last}/64`);
    this.hosts = [host('a', 1), host('b', 2)];
    this.#eye = host('eye', 9).address('lan', `${CLIENT_LOCAL}/64`);
    const [a, b] = this.hosts;
    this.macs = [macOf(a), macOf(b)];
    this.#virtual = vmac ? [VIRTUAL_MAC[family]] : [];
    for (const director of this.hosts) {
      director.start('server', ['python3', '-m', 'http.server', '--bind', '::', '80']);
    }
    vipkeeper(a, configuration(family, 150, advert, vmac ? `${lines}\n  use_vmac` : lines), '-P');
    vipkeeper(b, configuration(family, 100, advert, lines), '-P');
  }

  /** Somebody asks from now on; resolves when the better director alone has answered everything for a while. */
  async ask(): Promise<void> {
    const { family } = this;
    const excluded = family === 4 ? '10.0.0.200' : 'fd00::200';
    const pairs = [...VIPS[family], excluded].map(
      (vip) => `${vip.startsWith('fe80') ? CLIENT_LOCAL : CLIENT[family]}>${vip}`,
    );
    this.#asker = await Asker.start(this.#eye, 'lan', [...this.macs, ...this.#virtual], pairs);
    await this.settle();
  }

  /** Resolves when the better one alone answers everything. */
  async settle(): Promise<void> {
    await this.scene.until('the better one answers everything', async () => (await this.#settled()) === 0);
  }

  /** Which of the two alone answers all that is asked now. */
  async #settled(): Promise<0 | 1 | undefined> {
    await this.#asker?.clear();
    await this.scene.until('there are answers', async () => (await this.answers()).length >= ENOUGH);
    const heard = await this.answers();
    const [mac = '', another] = new Set(heard.map((answer) => answer.mac));
    const found = another === undefined ? this.macs.indexOf(mac) : -1;
    const asked = [...VIPS[this.family], this.family === 4 ? '10.0.0.200' : 'fd00::200'];
    const all = asked.every((vip) =>
      KINDS.filter((kind) => kind !== (this.family === 4 ? 'nd' : 'arp')).every((kind) =>
        heard.some((answer) => answer.kind === kind && answer.address === vip),
      ),
    );
    return all && found >= 0 ? (found as 0 | 1) : undefined;
  }

  async answers(): Promise<Heard[]> {
    const heard = ((await this.#asker?.heard()) ?? []).filter(({ kind }) => kind !== 'advert');
    const [own] = this.macs;
    return heard.map((answer) => (this.#virtual.includes(answer.mac) ? { ...answer, mac: own } : answer));
  }

  /**
   * Signals all processes of the master, and waits until the other one has answered for a while. For how long both
   * answered, in milliseconds, and how long nobody did; `undefined` when the other one had begun before.
   */
  async lose(signal: 'SIGSTOP' | 'SIGKILL'): Promise<{ overlap: number; gap: number } | undefined> {
    const master = await this.#settled();
    if (master === undefined || this.#asker === undefined) return undefined;
    const other = this.macs[1 - master];
    const began = await this.#asker.clear();
    this.hosts[master].kill(signal);
    const ofOther = async (): Promise<Heard[]> => (await this.answers()).filter(({ mac }) => mac === other);
    await this.scene.until('the other one answers', async () => (await ofOther()).length >= ENOUGH);
    const heard = await this.answers();
    const first = heard.findIndex(({ mac }) => mac === other);
    const last = heard.findLastIndex(({ mac }) => mac === this.macs[master]);
    const [at, until] = [heard[first]?.at ?? began, heard[last]?.at ?? began];
    return { overlap: last > first ? until - at : 0, gap: Math.max(0, at - until) };
  }

  /**
   * Stops all processes of the better one, which is master, for a while. What was heard from its last adverts before on
   * until it serves again, with the time in milliseconds when they were continued.
   */
  async pause(milliseconds: number): Promise<{ heard: readonly Heard[]; continued: number }> {
    const asker = this.#asker;
    if (asker === undefined) throw new Error('nobody asks');
    const [a] = this.hosts;
    await asker.clear();
    await this.scene.until('it advertises', async () =>
      (await asker.heard()).some(({ kind, mac }) => kind === 'advert' && mac === this.macs[0]),
    );
    a.freeze();
    await pause(milliseconds);
    const continued = now() / 1e3;
    a.thaw();
    const again = async (): Promise<boolean> =>
      (await this.answers()).filter(({ mac, at }) => mac === this.macs[0] && at > continued).length >= ENOUGH;
    await this.scene.until('the better one serves again', again);
    return { heard: await asker.heard(), continued };
  }

  close(): void {
    this.scene.close();
  }
}

const macOf = (host: Host): string => host.run('cat', '/sys/class/net/lan/address').trim();
