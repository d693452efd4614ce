import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { toHex } from '../../src/core/bytes.ts';
import type { VrrpStatus } from '../../src/core/vrrp/events.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ROOT } from '../lab/engine/root.ts';
import type { Capture } from '../lab/scene/capture.ts';
import { file, keepalived, operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import { fromElsewhere, sendFrames } from '../lab/scene/frames.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import type { Program } from '../lab/scene/program.ts';
import { Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { suite } from '../suite.ts';
import type { DaemonName, Director, Flavour } from './segment.ts';
import { elections, story } from './story.ts';

/**
 * `auth_hmac` with a keepalived that has it: 2.4.3 or later, which VIPKEEPER_KEEPALIVED names. Debian has none, so
 * `npm test` does not run this file; it checks what such a keepalived sent (test/vectors/auth-hmac.json), which
 * this one records when VIPKEEPER_RECORD names a file. keepalived's clock is set with Debian's faketime.
 *
 *     VIPKEEPER_KEEPALIVED=/path/to/keepalived npm run lab -- test/interop/auth-hmac.ts
 */
await enclose();
if (process.env.VIPKEEPER_KEEPALIVED === undefined)
  throw new Error('VIPKEEPER_KEEPALIVED is to name a keepalived of version 2.4.3 or later');

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const KEYS = {
  1: `hex:${'00112233445566778899aabbccddeeff'.repeat(2)}`,
  2: 'a_pass_phrase_of_more_than_32_bytes_as_text',
  3: `hex:${'0f1e2d3c4b5a69788796a5b4c3d2e1f0'.repeat(4)}`,
} as const;
type KeyId = keyof typeof KEYS;
const MODES = ['enforce', 'permissive', 'receive-only'] as const;
type Mode = (typeof MODES)[number];

interface Signing {
  readonly keys?: readonly KeyId[];
  readonly active?: KeyId;
  readonly mode?: Mode;
  readonly antiReplay?: 'time' | 'monotonic';
}

const signing = ({
  keys = [1],
  active = 1,
  mode = 'enforce',
  antiReplay = 'time',
}: Signing = {}): string[] => [
  '  auth_hmac {',
  ...keys.map((id) => `    key ${id} ${KEYS[id]}`),
  `    active_key ${active}`,
  `    mode ${mode}`,
  `    anti_replay ${antiReplay}`,
  '    time_window 5',
  '  }',
];

const FLAVOURS: readonly Flavour[] = [
  {
    name: 'signed VRRPv3 over IPv4',
    version: 3,
    advert: 0.2,
    sources: ['10.0.0.1', '10.0.0.2'],
    vips: ['10.0.0.100/24', '10.0.0.101/24'],
    lines: signing(),
  },
  {
    name: 'signed VRRPv3 over IPv6',
    version: 3,
    advert: 0.2,
    sources: ['fe80::1', 'fe80::2'],
    vips: ['fe80::100/64', 'fd00::100/64'],
    lines: signing({ keys: [1, 2], active: 2 }),
  },
  {
    name: 'signed VRRPv2',
    version: 2,
    advert: 1,
    sources: ['10.0.0.1', '10.0.0.2'],
    vips: ['10.0.0.100/24'],
    lines: signing({ keys: [3], active: 3, antiReplay: 'monotonic' }),
  },
];

/** What a real keepalived sent, for the unit tests. */
const recorded: object[] = [];

function record(capture: Capture, { name: kind }: Flavour, { source, log }: Director, key: KeyId): void {
  const provenance = `keepalived ${/Keepalived v(\S+)/.exec(log)?.[1]}, multicast, captured`;
  const ipv6 = source.includes(':');
  const header = ipv6 ? 54 : 34;
  const from = `vrrp && ${ipv6 ? 'ipv6' : 'ip'}.src == ${source}`;
  for (const [what, filter] of [
    ['advert', `${from} && vrrp.prio > 0`],
    ['resignation', `${from} && vrrp.prio == 0`],
  ]) {
    const [frame] = capture.frames(filter ?? '');
    assert.ok(frame !== undefined, `${what} of ${source}`);
    const payload = toHex(frame.subarray(header));
    const destination = ipv6 ? 'ff02::12' : '224.0.0.18';
    const name = `${kind}, ${what}`;
    recorded.push({ name, provenance, source, destination, key: { id: key, secret: KEYS[key] }, payload });
  }
}

for (const [i, flavour] of FLAVOURS.entries()) {
  const orders: readonly (readonly [DaemonName, DaemonName])[] = [
    ['vipkeeper', 'keepalived'],
    ['keepalived', 'vipkeeper'],
  ];
  for (const daemons of orders) {
    const test = story(flavour, daemons, [
      elections,
      (part, opened) => {
        part('neither refused anything', async () => {
          const { first, second, capture } = opened();
          const ours = first.daemon === 'vipkeeper' ? first : second;
          const theirs = ours === first ? second : first;
          const { rejected, advertsReceived } = (await routerOf(ours.host)).statistics;
          assert.ok(advertsReceived > 0);
          assert.equal(
            Object.values(rejected).reduce((sum, count) => sum + count),
            0,
          );
          assert.not.match(theirs.log, /authentication/);
          await theirs.stop();
          await capture.stop();
          if (theirs === first) record(capture, flavour, theirs, ([1, 2, 3] as const)[i] ?? 1);
        });
      },
    ]);
    test.run();
  }
}

async function routerOf(host: Host): Promise<VrrpStatus> {
  const [router] = (await statusOf(host))?.vrrp?.instances ?? [];
  assert.ok(router !== undefined);
  return router;
}

const VIP = '10.0.0.100';

/** The library that shifts a program's time of day, built here. */
function setClock(host: Host): string {
  const library = file(host, 'set-clock.so', '');
  const source = join(ROOT, 'test/lab/programs/set-clock.c');
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Wno-nonnull-compare', source, '-o', library]);
  return library;
}

/** Ours and theirs on a segment, each with settings that a reload changes, and somebody who can forge. */
class Pair {
  readonly scene = new Scene();
  readonly link: Link;
  readonly ours: Host;
  readonly theirs: Host;
  readonly eye: Host;
  readonly #priority: { readonly ours: number; readonly theirs: number };
  #keepalived: Program | undefined;
  #watcher: Watcher | undefined;

  constructor(first: 'ours' | 'theirs') {
    this.link = this.scene.link('lan');
    this.ours = this.scene.host('ours').on(this.link, '10.0.0.1/24');
    this.theirs = this.scene.host('theirs').on(this.link, '10.0.0.2/24');
    this.eye = this.scene.host('eye').on(this.link, '10.0.0.9/24');
    this.#priority = first === 'ours' ? { ours: 150, theirs: 100 } : { ours: 100, theirs: 150 };
    this.ours.env = {
      LD_PRELOAD: setClock(this.ours),
      TEST_CLOCK: file(this.ours, 'clock', '+0'),
    };
    // It would shift the timers of Node, too, which are absolute.
    this.theirs.env = {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: file(this.theirs, 'clock', '+0'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  #text(who: 'ours' | 'theirs', settings: Signing): string {
    return `global_defs {
  vrrp_version 3
}
vrrp_instance pair {
  state BACKUP
  interface lan
  virtual_router_id 7
  priority ${this.#priority[who]}
  advert_int 0.2
${signing(settings).join('\n')}
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;
  }

  async start(): Promise<void> {
    vipkeeper(this.ours, this.#text('ours', {}), '-P');
    this.#keepalived = keepalived(this.theirs, this.#text('theirs', {}), '-P', '-G');
    await this.scene.until('ours answers', async () => {
      return (await statusOf(this.ours))?.vrrp?.instances.length === 1;
    });
  }

  reloadOurs(settings: Signing): void {
    file(this.ours, 'vipkeeper.conf', this.#text('ours', settings));
    operator(this.ours, 'reload');
  }

  async reloadTheirs(settings: Signing): Promise<void> {
    file(this.theirs, 'keepalived.conf', this.#text('theirs', settings));
    const reloads = (): number => this.log.match(/Reload complete/g)?.length ?? 0;
    const before = reloads();
    this.#keepalived?.signal('SIGHUP');
    await this.scene.until('keepalived has reloaded', () => reloads() > before);
  }

  /** Sets a host's clock so many seconds from the true time. */
  setClock(host: Host, seconds: number): void {
    file(host, 'clock', `${seconds < 0 ? '' : '+'}${seconds}`);
  }

  get log(): string {
    return this.#keepalived?.log ?? '';
  }

  async heldBy(...hosts: readonly Host[]): Promise<void> {
    const names = hosts.map(({ name }) => name).join(' and ') || 'nobody';
    await this.scene.until(`held by ${names} alone`, () =>
      [this.ours, this.theirs].every((host) => host.has(VIP) === hosts.includes(host)),
    );
  }

  /** Waits until as many more adverts were counted as ours counts them: taken, or refused for a reason. */
  async counts(what: 'advertsReceived' | keyof VrrpStatus['statistics']['rejected']): Promise<void> {
    const read = async (): Promise<number> => {
      const { statistics } = await routerOf(this.ours);
      return what === 'advertsReceived' ? statistics.advertsReceived : statistics.rejected[what];
    };
    const before = await read();
    await this.scene.until(`${what} grows`, async () => (await read()) > before);
  }

  /** Waits until so many more adverts of this source have passed. */
  async adverts(source: string, count: number): Promise<void> {
    this.#watcher ??= await Watcher.start(this.eye, '');
    await this.#watcher.clear();
    await this.scene.until(`${count} adverts of ${source}`, async () => {
      const adverts = (await this.#watcher?.observations())?.adverts ?? [];
      return adverts.filter((advert) => advert.source === source).length >= count;
    });
  }

  /** The frames with adverts of this source that pass until four are there. */
  async recordFrom(source: string): Promise<Uint8Array[]> {
    const capture = await this.link.capture();
    await this.adverts(source, 4);
    await capture.stop();
    const frames = capture.frames(`vrrp && ip.src == ${source}`);
    assert.ok(frames.length > 2);
    return frames;
  }
}

/** A suite with a pair. */
function scenario(name: string, first: 'ours' | 'theirs', tell: (pair: Pair) => Promise<void>): void {
  const test = suite(name);
  let pair: Pair | undefined;
  test.after(() => pair?.scene.close());
  test('goes as it should', async () => {
    pair = new Pair(first);
    await tell(pair);
  });
  test.run();
}

scenario('modes: we hear them', 'theirs', async (pair) => {
  await pair.start();
  await pair.heldBy(pair.theirs);
  for (const sends of MODES) {
    await pair.reloadTheirs({ mode: sends });
    for (const hears of MODES) {
      pair.reloadOurs({ mode: hears });
      const refused = hears === 'enforce' && sends === 'receive-only';
      await pair.counts(refused ? 'auth-missing' : 'advertsReceived');
    }
  }
});

scenario('modes: they hear us', 'ours', async (pair) => {
  await pair.start();
  await pair.heldBy(pair.ours);
  for (const [sends, hears] of [
    ['permissive', 'enforce'],
    ['permissive', 'permissive'],
    ['receive-only', 'permissive'],
    ['receive-only', 'receive-only'],
    ['permissive', 'receive-only'],
    ['enforce', 'receive-only'],
    ['enforce', 'permissive'],
  ] as const) {
    pair.reloadOurs({ mode: sends });
    await pair.reloadTheirs({ mode: hears });
    await pair.heldBy(pair.ours);
  }
  assert.not.match(pair.log, /missing authentication trailer/);
  pair.reloadOurs({ mode: 'receive-only' });
  await pair.reloadTheirs({ mode: 'enforce' });
  await pair.scene.until('refused', () => pair.log.includes('missing authentication trailer from 10.0.0.1'));
  await pair.heldBy(pair.ours, pair.theirs);
});

for (const first of ['ours', 'theirs'] as const) {
  scenario(`rotation: ${first} is master, and nobody notices`, first, async (pair) => {
    await pair.start();
    await pair.heldBy(pair[first]);
    const before = await routerOf(pair.ours);
    for (const step of [{ keys: [1, 2] }, { keys: [1, 2], active: 2 }, { keys: [2], active: 2 }] as const) {
      pair.reloadOurs(step);
      await pair.reloadTheirs(step);
      await pair.adverts(first === 'ours' ? '10.0.0.1' : '10.0.0.2', 5);
      await pair.heldBy(pair[first]);
    }
    const after = await routerOf(pair.ours);
    assert.equal([after.state, after.since], [before.state, before.since]);
    assert.equal(after.statistics.rejected, before.statistics.rejected);
    assert.not.match(pair.log, /authentication (key|HMAC|trailer)/);
  });
}

scenario('what was heard before is not taken again', 'theirs', async (pair) => {
  await pair.start();
  await pair.heldBy(pair.theirs);
  const [heard] = await pair.recordFrom('10.0.0.2');
  assert.ok(heard !== undefined);
  sendFrames(pair.eye, 'lan', [fromElsewhere(heard)]);
  await pair.scene.until(
    'refused',
    async () => (await routerOf(pair.ours)).statistics.rejected['auth-replay'] === 1,
  );
  pair.setClock(pair.ours, 4);
  pair.setClock(pair.theirs, 4);
  const aged = async (): Promise<number> => {
    sendFrames(pair.eye, 'lan', [fromElsewhere(heard)]);
    return (await routerOf(pair.ours)).statistics.rejected['auth-stale'];
  };
  await pair.scene.until('too old later', async () => (await aged()) > 0);
  await pair.heldBy(pair.theirs);
});

scenario('neither do they', 'ours', async (pair) => {
  await pair.start();
  await pair.heldBy(pair.ours);
  const [heard] = await pair.recordFrom('10.0.0.1');
  assert.ok(heard !== undefined);
  sendFrames(pair.eye, 'lan', [fromElsewhere(heard)]);
  await pair.scene.until('refused', () => pair.log.includes('replayed authentication trailer from 10.0.0.1'));
  const forged = heard.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  sendFrames(pair.eye, 'lan', [fromElsewhere(forged)]);
  await pair.scene.until('so is a forgery', () =>
    pair.log.includes('invalid authentication HMAC from 10.0.0.1'),
  );
  await pair.heldBy(pair.ours);
});

for (const stepped of ['ours', 'theirs'] as const) {
  for (const seconds of [3600, -3600]) {
    scenario(`the clock of ${stepped} is set by ${seconds} s and back`, 'theirs', async (pair) => {
      await pair.start();
      await pair.heldBy(pair.theirs);
      pair.setClock(pair[stepped], seconds);
      await pair.counts('auth-stale');
      await pair.heldBy(pair.ours, pair.theirs);
      pair.setClock(pair[stepped], 0);
      await pair.heldBy(pair.theirs);
      await pair.counts('advertsReceived');
    });
  }
}

const closing = suite('recording');
closing('what keepalived sent', () => {
  assert.is(recorded.length, 2 * FLAVOURS.length);
  const target = process.env.VIPKEEPER_RECORD;
  if (target !== undefined) writeFileSync(resolve(target), `${JSON.stringify(recorded, null, 2)}\n`);
});
closing.run();
