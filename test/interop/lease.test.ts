import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import type { Heard } from '../lab/programs/asker.ts';
import { KINDS } from '../lab/programs/questions.ts';
import { Asker } from '../lab/scene/asker.ts';
import { vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * A master whose daemon is frozen or killed answers for its addresses no more when its peer begins to: somebody on the
 * link asks both by ARP, neighbour discovery, pings and TCP connections. So it is with adverts too frequent for the
 * kernel's address lifetimes; without a lease both answer, which shows that the test can fail.
 */
await enclose();

const VIPS = { 4: ['10.0.0.100'], 6: ['fe80::100', 'fd00::100'] } as const;
const CLIENT = { 4: '10.0.0.9', 6: 'fd00::9' } as const;
/** What a link-local address is asked from. */
const CLIENT_LOCAL = 'fe80::9';
/** Answers of the new master after which the old one's would have come, too. */
const ENOUGH = 200;
/** At short intervals a busy machine makes masters change by themselves: then it is tried again. */
const TRIES = 10;

type Family = keyof typeof VIPS;

const configuration = (family: Family, priority: number, advert: number, lines = ''): string =>
  `vrrp_instance pair {
  interface lan
  virtual_router_id 7
  version 3
  priority ${priority}
  advert_int ${advert}
  ${lines}
  virtual_ipaddress {
${VIPS[family].map((vip) => `    ${vip}`).join('\n')}
  }
  virtual_ipaddress_excluded {
    ${family === 4 ? '10.0.0.200' : 'fd00::200'}
  }
}
`;

class Pair {
  readonly scene = new Scene();
  readonly hosts: readonly [Host, Host];
  readonly macs: readonly [string, string];
  readonly family: Family;
  readonly #eye: Host;
  #asker: Asker | undefined;

  constructor(family: Family, advert: number, lines: string) {
    this.family = family;
    const link = this.scene.link('lan');
    const host = (name: string, last: number): Host =>
      this.scene.host(name).on(link, `10.0.0.${last}/24`, `fd00::${last}/64`);
    this.hosts = [host('a', 1), host('b', 2)];
    this.#eye = host('eye', 9).address('lan', `${CLIENT_LOCAL}/64`);
    const [a, b] = this.hosts;
    this.macs = [macOf(a), macOf(b)];
    for (const director of this.hosts) {
      director.start('server', ['python3', '-m', 'http.server', '--bind', '::', '80']);
    }
    vipkeeper(a, configuration(family, 150, advert, lines), '-P');
    vipkeeper(b, configuration(family, 100, advert, lines), '-P');
  }

  /** Somebody asks from now on; resolves when the better director alone has answered everything for a while. */
  async ask(): Promise<void> {
    const { family } = this;
    const excluded = family === 4 ? '10.0.0.200' : 'fd00::200';
    const pairs = [...VIPS[family], excluded].map(
      (vip) => `${vip.startsWith('fe80') ? CLIENT_LOCAL : CLIENT[family]}>${vip}`,
    );
    this.#asker = await Asker.start(this.#eye, 'lan', this.macs, pairs);
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
    return ((await this.#asker?.heard()) ?? []).filter(({ kind }) => kind !== 'advert');
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

  close(): void {
    this.scene.close();
  }
}

const macOf = (host: Host): string => host.run('cat', '/sys/class/net/lan/address').trim();

/** A pair on which a master is lost: for how long both answered. */
async function lost(
  family: Family,
  advert: number,
  signal: 'SIGSTOP' | 'SIGKILL',
  lines = '',
): Promise<{ overlap: number; gap: number }> {
  for (let tries = 0; tries < TRIES; tries++) {
    const pair = new Pair(family, advert, lines);
    try {
      await pair.ask();
      const found = await pair.lose(signal);
      if (found !== undefined) return found;
    } finally {
      pair.close();
    }
  }
  throw new Error(`masters changed by themselves, ${TRIES} times`);
}

const test = suite('the lease, by what is answered');

function print(what: string, { overlap, gap }: { overlap: number; gap: number }): void {
  const both = `both answered for ${overlap.toFixed(1)} ms, nobody for ${gap.toFixed(1)} ms`;
  process.stdout.write(`  ${what}: ${both}\n`);
}

for (const family of [4, 6] as const) {
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
    test(`IPv${family}, adverts each 100 ms, ${signal}: silent before the peer answers`, async () => {
      const found = await lost(family, 0.1, signal);
      print(`IPv${family} ${signal}`, found);
      assert.is(found.overlap, 0);
    });
  }

  test(`IPv${family} without a lease: both answer`, async () => {
    const found = await lost(family, 0.1, 'SIGSTOP', 'vip_lease off');
    print(`IPv${family} SIGSTOP without a lease`, found);
    assert.ok(found.overlap > 0);
  });
}

test('adverts each 10 ms', async () => {
  const found = await lost(4, 0.01, 'SIGSTOP');
  print('IPv4 SIGSTOP at 10 ms', found);
  assert.is(found.overlap, 0);
});

test('adverts each second: the lifetimes of addresses and the packet filter together', async () => {
  const found = await lost(4, 1, 'SIGSTOP');
  print('IPv4 SIGSTOP at 1 s', found);
  assert.is(found.overlap, 0);
});

test.run();
