import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { suite } from '../suite.ts';

/** A virtual router whose adverts are on one interface, and an address, a route or a rule of it on another. */
await enclose();

const DAEMONS = {
  vipkeeper: (host: Host, text: string) => vipkeeper(host, text, '-P'),
  keepalived: (host: Host, text: string) => keepalived(host, text, '-P', '-G'),
};
type DaemonName = keyof typeof DAEMONS;
const VIP = '10.0.0.100';
const AWAY = '10.1.0.100';

const instance = (
  name: string,
  vrid: number,
  priority: number,
  more: string,
): string => `vrrp_instance ${name} {
  state BACKUP
  interface lan
  virtual_router_id ${vrid}
  version 3
  priority ${priority}
  advert_int 0.2
  garp_master_delay 1
  ${more}
}
`;
const own = `virtual_ipaddress {
    ${VIP}/24
  }`;
/** What is on the other interface. */
const THINGS = {
  address: `${own}
  virtual_ipaddress_excluded {
    ${AWAY}/24 dev wan
  }`,
  route: `${own}
  virtual_routes {
    192.0.2.0/24 via 10.1.0.9 dev wan
  }`,
  rule: `${own}
  virtual_rules {
    from 192.0.2.0/24 iif wan table 100
  }`,
} as const;
const untracked = (text: string): string =>
  text.replace('dev wan', 'dev wan no_track').replace('table 100', 'table 100 no_track');

/** Two directors on the segments `lan` and `wan`; the first one is better. */
class Pair {
  readonly scene = new Scene();
  readonly wan: Link;
  readonly first: Host;
  readonly second: Host;
  #program: Program | undefined;

  constructor() {
    const lan = this.scene.link('lan');
    this.wan = this.scene.link('wan');
    const host = (name: string, n: number): Host =>
      this.scene.host(name).on(lan, `10.0.0.${n}/24`).on(this.wan, `10.1.0.${n}/24`);
    this.first = host('first', 1);
    this.second = host('second', 2);
  }

  async start(daemon: DaemonName, more: string, beside: DaemonName, groups = ''): Promise<void> {
    const text = (priority: number): string =>
      groups +
      instance('one', 10, priority, more) +
      (groups === '' ? '' : instance('two', 11, priority, own.replace(VIP, '10.0.0.101')));
    this.#program = DAEMONS[daemon](this.first, text(150));
    DAEMONS[beside](this.second, text(100));
    await this.heldBy(this.first, 'the better one');
  }

  get log(): string {
    return this.#program?.log ?? '';
  }

  async heldBy(holder: Host, what: string): Promise<void> {
    await this.scene.until(`${what} is master alone`, () =>
      [this.first, this.second].every((host) => host.has(VIP) === (host === holder)),
    );
  }

  /** Waits until so many more adverts of the first director have passed. */
  async adverts(watcher: Watcher, count: number): Promise<void> {
    const before = (await watcher.summary()).adverts;
    await this.scene.until(
      `${count} adverts`,
      async () => (await watcher.summary()).adverts >= before + count,
    );
  }
}

for (const [daemon, beside] of [
  ['vipkeeper', 'keepalived'],
  ['keepalived', 'vipkeeper'],
] as const) {
  const test = suite(`the link of what is elsewhere: ${daemon} beside ${beside}`);
  let pair: Pair;
  test.after.each(() => pair.scene.close());

  for (const [thing, more] of Object.entries(THINGS)) {
    test(`the link of its ${thing} counts`, async () => {
      pair = new Pair();
      await pair.start(daemon, more, beside);
      pair.wan.cut(pair.first);
      await pair.heldBy(pair.second, 'the other');
      if (daemon === 'vipkeeper') assert.match(pair.log, /one: MASTER -> FAULT: wan has no carrier \(for /);
      pair.wan.mend(pair.first);
      await pair.heldBy(pair.first, 'the better one again');
    });

    test(`no_track exempts the ${thing}`, async () => {
      pair = new Pair();
      await pair.start(daemon, untracked(more), beside);
      const watcher = await Watcher.start(pair.second, VIP);
      pair.wan.cut(pair.first);
      await pair.adverts(watcher, 15);
      assert.ok(pair.first.has(VIP) && !pair.second.has(VIP));
    });
  }

  test('in a sync group all members go with it', async () => {
    pair = new Pair();
    const group = 'vrrp_sync_group both {\n  group {\n    one\n    two\n  }\n}\n';
    await pair.start(daemon, THINGS.address, beside, group);
    pair.wan.cut(pair.first);
    await pair.heldBy(pair.second, 'the other');
    pair.wan.mend(pair.first);
    await pair.heldBy(pair.first, 'the better one again');
  });

  test.run();
}

const told = suite('an interface that neighbours do not know');
let pair: Pair;
told.after.each(() => pair.scene.close());

/** What the second director hears announced of the address on `wan`. */
const announced = async (watcher: Watcher): Promise<number> =>
  (await watcher.observations()).announcements.filter(({ address }) => address === AWAY).length;

told('another MAC address of a master is announced at once', async () => {
  pair = new Pair();
  await pair.start('vipkeeper', THINGS.address, 'vipkeeper');
  const watcher = await Watcher.start(pair.second, VIP);
  await pair.scene.until('both bursts', () => /one: .*-> MASTER/.test(pair.log));
  await pair.adverts(watcher, 10);
  await watcher.clear();
  ip(pair.first.name, 'link set wan address 02:00:00:00:00:77');
  await pair.scene.until('it is announced', async () => (await announced(watcher)) > 0);
  assert.match(
    pair.second.run('sh', '-c', `ping -c1 -W5 ${AWAY} >/dev/null; ip neigh show ${AWAY}`),
    /02:00:00:00:00:77/,
  );
});

told('what could not be announced is announced when the link is back', async () => {
  pair = new Pair();
  const more = `garp_master_refresh 1\n  ${untracked(THINGS.address)}`;
  await pair.start('vipkeeper', more, 'vipkeeper');
  const watcher = await Watcher.start(pair.second, VIP);
  ip(pair.first.name, 'link set wan down');
  await pair.scene.until('it fails', () => /wan: not announced, tried again: .*ENETDOWN/.test(pair.log));
  await watcher.clear();
  ip(pair.first.name, 'link set wan up');
  await pair.scene.until('it is announced', async () => (await announced(watcher)) > 0);
  assert.is(pair.log.match(/not announced/g)?.length, 1, 'the trouble is told once');
});

told.run();
