import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import type { Capture } from '../lab/scene/capture.ts';
import { vipkeeper } from '../lab/scene/director.ts';
import { Frr } from '../lab/scene/frr.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * VRRPv3 with FRR's vrrpd, over IPv4 and IPv6 at once: an implementation that has nothing in common with keepalived.
 * It advertises from interfaces with the virtual MAC, which it takes up and down, so it is asked who is master.
 */
await enclose();

const VRID = 7;
const VIPS = { four: '10.0.0.100', six: ['fe80::100', 'fd00::100'] } as const;
/** FRR sends IPv6 adverts from a link-local address of the virtual interface, which is the virtual one. */
const SOURCES = { ours: ['10.0.0.1', 'fe80::1'], theirs: ['10.0.0.2', VIPS.six[0]] } as const;
const ADVERT_SECONDS = 0.2;
/** More adverts than a backup misses before it acts. */
const A_WHILE_MILLISECONDS = 1000;

const instance = (name: string, priority: number, preempt: boolean, vips: readonly string[]): string =>
  `vrrp_instance ${name} {
  state BACKUP
  interface lan
  virtual_router_id ${VRID}
  version 3
  priority ${priority}
  advert_int ${ADVERT_SECONDS}
  ${preempt ? '' : 'nopreempt'}
  virtual_ipaddress {
    ${vips.join('\n    ')}
  }
}
`;

/** The two directors, and who looks on. */
class Stage {
  readonly scene = new Scene();
  readonly ours: Host;
  readonly theirs: Host;
  readonly #link = this.scene.link('lan');
  #capture: Capture | undefined;
  #program: Program | undefined;
  #frr: Frr | undefined;

  constructor() {
    const join = (who: 'ours' | 'theirs'): Host => {
      const host = this.scene.host(who).on(this.#link);
      ip(who, 'address flush dev lan');
      return host.address('lan', `${SOURCES[who][0]}/24`);
    };
    this.ours = join('ours').address('lan', `${SOURCES.ours[1]}/64`);
    this.theirs = join('theirs');
    this.#virtualInterfaces();
  }

  /** FRR finds them by their address: one for each family, with what it is to hold. */
  #virtualInterfaces(): void {
    const commands = (['four', 'six'] as const).flatMap((name, i) => [
      `link add link lan name ${name} type macvlan mode bridge`,
      `link set ${name} addrgenmode none address 00:00:5e:00:0${i + 1}:0${VRID}`,
      `link set ${name} up`,
    ]);
    const six = VIPS.six.map((address) => `address add ${address}/64 dev six nodad`);
    ip('theirs', ...commands, `address add ${VIPS.four}/24 dev four`, ...six);
  }

  async record(): Promise<void> {
    this.#capture = await this.#link.capture();
  }

  async recorded(): Promise<Capture> {
    assert.ok(this.#capture !== undefined);
    await this.#capture.stop();
    return this.#capture;
  }

  startOurs(priority: number, preempt = true): void {
    const text =
      instance('four', priority, preempt, [`${VIPS.four}/24`]) +
      instance(
        'six',
        priority,
        preempt,
        VIPS.six.map((vip) => `${vip}/64`),
      );
    this.#program = vipkeeper(this.ours, text, '-P');
  }

  async startTheirs(priority: number, preempt = true): Promise<void> {
    const lines = [
      `version 3`,
      `priority ${priority}`,
      `advertisement-interval ${ADVERT_SECONDS * 1000}`,
      `ip ${VIPS.four}`,
      ...VIPS.six.map((vip) => `ipv6 ${vip}`),
    ];
    const words = lines.map((line) => ` vrrp ${VRID} ${line}`);
    if (!preempt) words.push(` no vrrp ${VRID} preempt`);
    this.#frr = await Frr.start(this.theirs, 'vrrpd', `interface lan\n${words.join('\n')}\n!\n`);
  }

  async stopOurs(): Promise<void> {
    await this.#program?.stop();
  }

  async stopTheirs(): Promise<void> {
    await this.#frr?.stop();
    this.#frr = undefined;
  }

  /** All processes end at once; so do the addresses, as when the machine has lost its power. */
  crash(who: 'ours' | 'theirs'): void {
    const host = this[who];
    host.freeze();
    host.kill();
    if (who === 'ours') for (const vip of [VIPS.four, ...VIPS.six]) ip(who, `address flush to ${vip}`);
    else this.#frr = undefined;
  }

  /** Of both families: `true` when this one is master. */
  masters(): { ours: boolean[]; theirs: boolean[] } {
    const ours = [VIPS.four, VIPS.six[0]].map((vip) => this.ours.has(vip));
    const [router] = (this.#frr?.show('show vrrp json') ?? []) as { v4: Status; v6: Status }[];
    return { ours, theirs: [router?.v4, router?.v6].map((family) => family?.status === 'Master') };
  }

  async masterIs(who: 'ours' | 'theirs', what: string): Promise<void> {
    await this.scene.until(what, () => this.#is(who));
    await new Promise((resolve) => setTimeout(resolve, A_WHILE_MILLISECONDS));
    assert.ok(this.#is(who), `${what}, and it stays so`);
  }

  #is(who: 'ours' | 'theirs'): boolean {
    const { ours, theirs } = this.masters();
    return ours.every((on) => on === (who === 'ours')) && theirs.every((on) => on === (who === 'theirs'));
  }
}

interface Status {
  readonly status: string;
}

/** A suite whose tests build on each other. */
function story(name: string, tell: (test: ReturnType<typeof suite>, stage: () => Stage) => void): void {
  const test = suite(name);
  let stage: Stage | undefined;
  test.before(async () => {
    stage = new Stage();
    await stage.record();
  });
  test.after(() => stage?.scene.close());
  const opened = (): Stage => {
    assert.ok(stage !== undefined);
    return stage;
  };
  tell(test, opened);
  test('on the wire everything is in order', async () => inOrder(await opened().recorded()));
  test.run();
}

function inOrder(capture: Capture): void {
  assert.equal(capture.fields('_ws.malformed || vrrp.checksum_bad.expert', 'frame.number', 'eth.src'), []);
  const statuses = new Set(capture.fields('vrrp', 'vrrp.checksum.status').map(([status]) => status));
  assert.equal([...statuses], ['1'], 'each VRRP checksum is good');
  const [ours, theirs] = ['ours', 'theirs'].map((who) =>
    SOURCES[who as keyof typeof SOURCES].map((source) => {
      const from = `vrrp && ${source.includes(':') ? 'ipv6' : 'ip'}.src == ${source}`;
      const rows = capture.fields(from, 'vrrp.version', 'vrrp.virt_rtr_id', 'vrrp.ip_addr', 'vrrp.ipv6_addr');
      return [...new Set(rows.map((row) => row.join(' ')))];
    }),
  );
  assert.equal(ours, theirs, 'both say the same');
  assert.equal(
    ours?.map((dialects) => dialects.length),
    [1, 1],
  );
}

const farewells = (capture: Capture, source: string): number =>
  capture.count(`vrrp.prio == 0 && ${source.includes(':') ? 'ipv6' : 'ip'}.src == ${source}`);

story('FRR is backup, we are master', (test, stage) => {
  test('the better one preempts', async () => {
    await stage().startTheirs(100);
    await stage().masterIs('theirs', 'FRR is alone');
    stage().startOurs(200);
    await stage().masterIs('ours', 'we are better');
  });

  test('a clean stop hands over, and we come back', async () => {
    await stage().stopOurs();
    await stage().masterIs('theirs', 'FRR has taken over');
    stage().startOurs(200);
    await stage().masterIs('ours', 'we are back');
  });

  test('FRR takes over when we crash', async () => {
    stage().crash('ours');
    await stage().masterIs('theirs', 'FRR has taken over');
  });

  test('with nopreempt we leave it alone, and take over when it goes', async () => {
    stage().startOurs(200, false);
    await stage().masterIs('theirs', 'we do not preempt');
    await stage().stopTheirs();
    await stage().masterIs('ours', 'it is gone');
  });
});

story('FRR is master, we are backup', (test, stage) => {
  test('the better one preempts', async () => {
    stage().startOurs(100);
    await stage().masterIs('ours', 'we are alone');
    await stage().startTheirs(200);
    await stage().masterIs('theirs', 'FRR is better');
  });

  test('a clean stop hands over, and it comes back', async () => {
    await stage().stopTheirs();
    await stage().masterIs('ours', 'we have taken over');
    await stage().startTheirs(200);
    await stage().masterIs('theirs', 'FRR is back');
  });

  test('we take over when it crashes', async () => {
    stage().crash('theirs');
    await stage().masterIs('ours', 'we have taken over');
  });

  test('without preemption it leaves us alone, and takes over when we go', async () => {
    await stage().startTheirs(200, false);
    await stage().masterIs('ours', 'it does not preempt');
    await stage().stopOurs();
    await stage().masterIs('theirs', 'we are gone');
    const capture = await stage().recorded();
    for (const source of SOURCES.ours) assert.ok(farewells(capture, source) > 0, `${source} said goodbye`);
  });
});
