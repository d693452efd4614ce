import * as assert from 'uvu/assert';
import type { BfdStatus } from '../../src/core/bfd/events.ts';
import type { BfdState } from '../../src/core/bfd/packet.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import type { Capture } from '../lab/scene/capture.ts';
import { briefKeepalived, file, operator, shows, statusOf, vipkeeper } from '../lab/scene/director.ts';
import { Frr } from '../lab/scene/frr.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * BFD with FRR and with keepalived as the neighbour, over IPv4 and IPv6, on one segment and across a router: sessions
 * come up, notice that the other end is gone, end by somebody's will, and recover; a virtual router tracks one.
 */
await enclose();

interface Session {
  readonly name: string;
  /** Of our end and the neighbour's. */
  readonly ends: readonly [string, string];
  readonly multihop: boolean;
}

const SESSIONS: readonly Session[] = [
  { name: 'four', ends: ['10.0.0.1', '10.0.0.2'], multihop: false },
  { name: 'six', ends: ['fd00::1', 'fd00::2'], multihop: false },
  { name: 'farfour', ends: ['10.1.0.1', '10.2.0.2'], multihop: true },
  { name: 'farsix', ends: ['fd01::1', 'fd02::2'], multihop: true },
];
const VIP = '10.0.0.100';
/** Neither daemon is in real time here: it must be no failure to be late by some tenths of a second. */
const [INTERVAL, MULTIPLIER] = [100, 5];

/** In keepalived's language, for either end. */
function sessions(own: 0 | 1, wanted: readonly Session[]): string {
  const block = ({ name, ends, multihop }: Session): string => `bfd_instance ${name} {
  source_ip ${ends[own]}
  neighbor_ip ${ends[1 - own]}
  min_rx ${INTERVAL}
  min_tx ${INTERVAL}
  multiplier ${MULTIPLIER}
  ttl 255
  ${multihop ? 'multihop\n  max_hops 1' : ''}
}
`;
  return wanted.map(block).join('');
}

const ROUTER = `vrrp_instance web {
  interface lan
  virtual_router_id 7
  version 3
  advert_int 0.1
  priority 150
  virtual_ipaddress {
    ${VIP}/24
  }
  track_bfd {
    four
  }
}
`;

/** The other end of the sessions. */
interface Neighbour {
  readonly name: string;
  /** What it can: keepalived 2.2.7 has no multihop. */
  readonly sessions: readonly Session[];
  start(host: Host): Promise<void>;
  /** Whether it believes that the session is up. */
  isUp(session: Session): boolean;
  /** Ends its sessions by its own will, as an operator does, and takes them up again. keepalived has no such word. */
  shut?(on: boolean): void;
}

class FrrNeighbour implements Neighbour {
  readonly name = 'FRR';
  readonly sessions = SESSIONS;
  #frr: Frr | undefined;

  async start(host: Host): Promise<void> {
    const peers = this.sessions.map((session) =>
      [
        ` ${this.#peer(session)}`,
        `  receive-interval ${INTERVAL}`,
        `  transmit-interval ${INTERVAL}`,
        `  detect-multiplier ${MULTIPLIER}`,
        ' !',
      ].join('\n'),
    );
    this.#frr = await Frr.start(host, 'bfdd', `bfd\n${peers.join('\n')}\n!\n`);
  }

  #peer({ ends, multihop }: Session): string {
    return `peer ${ends[0]} ${multihop ? 'multihop ' : ''}local-address ${ends[1]}${multihop ? '' : ' interface lan'}`;
  }

  isUp({ ends }: Session): boolean {
    const peers = this.#frr?.show('show bfd peers json') as { peer: string; status: string }[];
    return peers.some(({ peer, status }) => peer === ends[0] && status === 'up');
  }

  shut(on: boolean): void {
    for (const session of this.sessions)
      this.#frr?.configure('bfd', this.#peer(session), on ? 'shutdown' : 'no shutdown');
  }
}

class KeepalivedNeighbour implements Neighbour {
  readonly name = 'keepalived';
  readonly sessions = SESSIONS.filter(({ multihop }) => !multihop);
  #program: Program | undefined;

  async start(host: Host): Promise<void> {
    this.#program = briefKeepalived(host, sessions(1, this.sessions), '-G');
  }

  isUp({ name }: Session): boolean {
    const changes = this.#program?.log.match(new RegExp(`\\(${name}\\) Entering (Up|Down) state`, 'g'));
    return changes?.at(-1)?.includes('Up') ?? false;
  }
}

/** Our director, a router, and the host of the neighbour. */
class Stage {
  readonly scene = new Scene();
  readonly ours: Host;
  readonly other: Host;
  readonly capture: Promise<Capture>;

  constructor() {
    const { scene } = this;
    const [lan, west, east] = [scene.link('lan'), scene.link('west'), scene.link('east')];
    this.ours = scene.host('ours').on(lan, '10.0.0.1/24', 'fd00::1/64').on(west, '10.1.0.1/24', 'fd01::1/64');
    this.other = scene
      .host('other')
      .on(lan, '10.0.0.2/24', 'fd00::2/64')
      .on(east, '10.2.0.2/24', 'fd02::2/64');
    scene
      .host('way')
      .on(west, '10.1.0.9/24', 'fd01::9/64')
      .on(east, '10.2.0.9/24', 'fd02::9/64')
      .forwarding();
    this.ours.via('10.1.0.9', '10.2.0.0/24').via('fd01::9', 'fd02::/64');
    this.other.via('10.2.0.9', '10.1.0.0/24').via('fd02::9', 'fd01::/64');
    this.capture = lan.capture();
  }

  async sessions(): Promise<readonly BfdStatus[]> {
    return (await statusOf(this.ours))?.vrrp?.bfd ?? [];
  }

  /** Waits until every session is as it should be. */
  async all(neighbour: Neighbour, state: BfdState): Promise<void> {
    await this.scene.until(`all sessions are ${state} here`, async () => {
      const found = await this.sessions();
      return found.length === neighbour.sessions.length && found.every((session) => session.state === state);
    });
  }

  async allUp(neighbour: Neighbour): Promise<void> {
    await this.all(neighbour, 'Up');
    await this.scene.until('and there', () => neighbour.sessions.every((session) => neighbour.isUp(session)));
    await this.scene.until('the VIP is here', () => this.ours.has(VIP));
  }
}

/** Milliseconds from the last packet of the neighbour until our word that nothing came for the detection time. */
function detection(capture: Capture): number {
  const rows = capture.fields('bfd && ip', 'frame.time_relative', 'ip.src', 'bfd.sta', 'bfd.diag');
  const [own, other] = SESSIONS[0]?.ends ?? [];
  const expired = rows.findIndex(
    ([, source, state, diagnostic]) => source === own && Number(state) === 1 && Number(diagnostic) === 1,
  );
  const last = rows.slice(0, expired).findLast(([, source]) => source === other);
  return 1000 * (Number(rows[expired]?.[0]) - Number(last?.[0]));
}

const NEIGHBOURS: readonly Neighbour[] = [new FrrNeighbour(), new KeepalivedNeighbour()];

for (const neighbour of NEIGHBOURS) {
  const test = suite(`BFD with ${neighbour.name}`);
  let opened: Stage | undefined;
  const stage = (): Stage => {
    assert.ok(opened !== undefined);
    return opened;
  };
  test.before(() => {
    opened = new Stage();
  });
  test.after.each(() => opened?.other.thaw());
  test.after(() => opened?.scene.close());

  test('sessions come up at both ends', async () => {
    const { scene, ours, other, capture } = stage();
    await capture;
    await neighbour.start(other);
    vipkeeper(ours, sessions(0, neighbour.sessions) + ROUTER, '-P');
    await stage().allUp(neighbour);
    await shows(ours, /six +Up +fd0.::2 +\d+ s +500 ms +both hear each other/);
    assert.equal(scene.logs().match(/no packet sent/), null);
  });

  test('a neighbour that is silent for the detection time is gone, and with it what tracks it', async () => {
    const { scene, ours, other } = stage();
    other.freeze();
    await stage().all(neighbour, 'Down');
    for (const { cause, diagnostic, reachable } of await stage().sessions()) {
      assert.equal(cause, `nothing heard of the neighbour for ${INTERVAL * MULTIPLIER} ms`);
      assert.equal([diagnostic, reachable], ['control detection time expired', false]);
    }
    await scene.until('the VIP is gone', () => !ours.has(VIP));
    other.thaw();
    await stage().allUp(neighbour);
  });

  if (neighbour.shut !== undefined) {
    test('a neighbour that ends its sessions by its own will has not failed', async () => {
      const { ours } = stage();
      neighbour.shut?.(true);
      await stage().all(neighbour, 'Down');
      for (const { cause, reachable } of await stage().sessions()) {
        assert.match(cause, /^the neighbour is AdminDown/);
        assert.ok(reachable);
      }
      assert.ok(ours.has(VIP), 'what tracks it goes on');
      neighbour.shut?.(false);
      await stage().allUp(neighbour);
    });
  }

  test('a reload ends sessions and takes them up again, and the neighbour knows', async () => {
    const { scene, ours } = stage();
    const [before] = await stage().sessions();
    file(ours, 'vipkeeper.conf', sessions(0, neighbour.sessions.slice(0, 1)) + ROUTER);
    operator(ours, 'reload');
    const gone = neighbour.sessions.slice(1);
    await scene.until('the others are down there', () => gone.every((session) => !neighbour.isUp(session)));
    file(ours, 'vipkeeper.conf', sessions(0, neighbour.sessions) + ROUTER);
    operator(ours, 'reload');
    await stage().allUp(neighbour);
    const [kept] = await stage().sessions();
    assert.equal(kept?.since, before?.since, 'the one that stayed was not touched');
  });

  test('when our process dies the neighbour notices, and the next one begins again', async () => {
    const { scene, ours } = stage();
    const pid = (await statusOf(ours))?.processes.find(({ role }) => role === 'vrrp')?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    await scene.until('a new process runs', async () =>
      ((await statusOf(ours))?.processes ?? []).some(({ restarts }) => restarts === 1),
    );
    await stage().allUp(neighbour);
  });

  test('on the wire everything is in order', async () => {
    const capture = await stage().capture;
    await capture.stop();
    assert.equal(capture.fields('_ws.malformed', 'frame.number'), []);
    assert.equal(capture.fields('bfd && (ip.ttl != 255 || ipv6.hlim != 255)', 'frame.number'), []);
    const versions = new Set(capture.fields('bfd', 'bfd.version').map(([version]) => version));
    assert.equal([...versions], ['1']);
    const waited = detection(capture);
    assert.ok(waited >= INTERVAL * MULTIPLIER, `not before the detection time: ${waited.toFixed(1)} ms`);
    console.log(`    told ${neighbour.name} of its silence after ${waited.toFixed(1)} ms`);
  });

  test.run();
}
