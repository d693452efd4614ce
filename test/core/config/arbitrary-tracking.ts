import fc from 'fast-check';
import type { BfdSettings } from '../../../src/core/bfd/settings.ts';
import type { ClusterSettings, FencingSettings } from '../../../src/core/fence/settings.ts';
import { type Family, ip } from '../../../src/core/ip.ts';
import { type Duration, millis, seconds } from '../../../src/core/time.ts';
import type {
  ScriptSettings,
  TrackFileSettings,
  TrackProcessSettings,
} from '../../../src/core/track/settings.ts';
import type {
  GroupSettings,
  LinkDelays,
  TrackSettings,
  VrrpSettings,
} from '../../../src/core/vrrp/settings.ts';
import { command } from './arbitrary-notify.ts';
import { addressOf, device, duration, given, maybe, wholeSeconds } from './arbitrary-values.ts';
import { KEY_FILE } from './memory.ts';

/** What is tracked, and what instances, groups and scripts add to that. */

const small = fc.integer({ min: 1, max: 9 });
const script = (name: string): fc.Arbitrary<ScriptSettings> =>
  fc
    .tuple(
      command,
      fc.record({ interval: duration(1, 60), timeout: duration(1, 60), rise: small, fall: small }),
    )
    .map(([who, rest]) => ({ name, ...who, ...rest }));

const file = (name: string): fc.Arbitrary<TrackFileSettings> =>
  fc
    .record({
      name: fc.constant(name),
      path: fc.constantFrom('/run/number', '/run/with blank', '/run/with#sign'),
      init: maybe(fc.record({ value: fc.integer({ min: -9, max: 9 }), overwrite: fc.boolean() })),
    })
    .map((value) => given(value) as TrackFileSettings);

const process = (name: string): fc.Arbitrary<TrackProcessSettings> =>
  fc
    .record({
      name: fc.constant(name),
      command: fc.constantFrom('nginx', '/usr/sbin/named'),
      parameters: maybe(fc.array(fc.constantFrom('-g', 'a b', '{'), { maxLength: 2 })),
      match: fc.constantFrom('exact' as const, 'initial' as const, 'partial' as const),
      quorum: small,
      quorumMax: maybe(small),
      terminateDelay: duration(0, 9),
      forkDelay: duration(0, 9),
    })
    .map((value) => {
      const match = value.parameters === undefined ? 'exact' : value.match;
      const fullCommand = value.command.length > 15 || (value.parameters ?? []).length > 0;
      return given({ ...value, match, fullCommand }) as TrackProcessSettings;
    });

const milliseconds = (low: number): fc.Arbitrary<Duration> =>
  fc.integer({ min: low, max: 9000 }).map((ms) => millis(ms + 0.5));

const session = (name: string, index: number): fc.Arbitrary<BfdSettings> =>
  fc
    .record({
      name: fc.constant(name),
      source: maybe(addressOf(4)),
      neighbor: fc.constant(ip(`203.0.113.${index}`)),
      minRx: milliseconds(1),
      minTx: milliseconds(1),
      idleTx: milliseconds(1000),
      multiplier: small,
      passive: fc.boolean(),
      ttl: small,
      maxHops: maybe(small),
      multihop: fc.boolean(),
      tells: fc.constantFrom('both' as const, 'vrrp' as const, 'checker' as const),
    })
    .map((value) => given(value) as BfdSettings);

/** A cluster of these directors, with a witness or without. */
export const cluster: fc.Arbitrary<ClusterSettings> = fc
  .record({
    cluster: fc.constantFrom('web', 'a.b-c'),
    count: fc.integer({ min: 2, max: 4 }),
    self: fc.nat(1),
    witness: maybe(
      fc.record({
        name: fc.constantFrom('witness', 'w'),
        addresses: fc.constantFrom([ip('203.0.113.9')], [ip('203.0.113.9'), ip('fd00::9')]),
        port: fc.integer({ min: 1, max: 65_535 }),
      }),
    ),
    etcd: maybe(
      fc.record({
        name: fc.constantFrom('etcd', 'store'),
        endpoints: fc.constantFrom(
          ['http://192.0.2.11:2379'],
          ['https://etcd1.example:2379', 'https://[fd00::9]:2379'],
        ),
        prefix: fc.constantFrom('/vipkeeper', '/lb/a.b'),
        ca: maybe(fc.constant(KEY_FILE)),
        pair: maybe(fc.constant({ certificate: KEY_FILE, key: KEY_FILE })),
        login: maybe(fc.constant({ user: 'vipkeeper', passwordFile: KEY_FILE })),
      }),
    ),
    port: fc.integer({ min: 1, max: 65_535 }),
    interval: duration(1, 10),
    longest: duration(1, 600),
    percent: fc.integer({ min: 0, max: 50 }),
  })
  .map(({ count, self, percent, witness, etcd, ...rest }) => {
    const directors = Array.from({ length: count }, (_, i) => ({
      name: `lb${i}`,
      addresses: [ip(`192.0.2.${i + 1}`), ip(`198.51.100.${i + 1}`)].slice(0, 1 + (i % 2)),
    }));
    const { pair, login, ...store } = etcd ?? {};
    const last = etcd === undefined ? { witness } : { etcd: given({ ...store, ...pair, ...login }) };
    const settings = {
      ...rest,
      ...last,
      name: `lb${self}`,
      directors,
      keyFile: KEY_FILE,
      margin: percent / 100,
    };
    return given(settings) as ClusterSettings;
  });

/** Devices for those directors. */
const fencing: fc.Arbitrary<FencingSettings> = fc.record({
  devices: fc
    .array(
      fc.record({
        agent: fc.constantFrom('fence_ipmilan', '/usr/local/sbin/my fence'),
        target: fc.constantFrom('lb0', 'lb1'),
        parameters: fc.dictionary(
          fc.constantFrom('ip', 'username', 'plug'),
          fc.constantFrom('10.0.0.9', 'a b', '{#'),
        ),
        level: fc.integer({ min: 1, max: 9 }),
        action: fc.constantFrom('off' as const, 'reboot' as const),
        verify: fc.boolean(),
        timeout: fc.integer({ min: 1, max: 600 }).map(seconds),
        retries: fc.integer({ min: 0, max: 10 }),
        delay: duration(0, 60),
        monitor: fc.integer({ min: 0, max: 86_400 }).map(seconds),
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map((devices) => devices.map((device, i) => ({ name: `device ${i}`, ...device }))),
  startup: fc.constantFrom('wait' as const, 'fence' as const),
  onFailure: fc.constantFrom('wait' as const, 'take' as const, 'manual' as const),
});

const watchdog = fc.record({
  device: fc.constantFrom('/dev/watchdog', '/dev/watchdog1'),
  timeout: fc.integer({ min: 2, max: 600 }).map(seconds),
});

/** What switches directors off: others, and this one. */
export const power = fc.record({
  fencing: fc.option(fencing, { nil: undefined }),
  watchdog: fc.option(watchdog, { nil: undefined }),
});

export const NAMES = ['one', 'two words', 'three#'];
const each = <T>(make: (name: string, index: number) => fc.Arbitrary<T>) =>
  fc.tuple(...NAMES.map((name, i) => make(name, i + 1)));
const delays = fc
  .option(fc.record({ interface: device, down: duration(0, 9), up: duration(0, 9) }), { nil: undefined })
  .map((line): LinkDelays[] => (line === undefined ? [] : [line]));

/** All blocks that can be tracked; every name is there in each kind. */
export const tracked = {
  scripts: each(script),
  files: each(file),
  processes: each(process),
  bfd: each(session),
  delays,
};

const trackOf = (kind: TrackSettings['kind'], names: readonly string[]): fc.Arbitrary<TrackSettings[]> =>
  fc
    .tuple(fc.subarray([...names]), fc.integer({ min: -20, max: 20 }), fc.boolean())
    .map(([some, weight, reverse]) => some.map((name) => ({ kind, name, weight, reverse })));

const track = fc
  .tuple(
    trackOf('interface', ['eth1', 'bond0.12']),
    trackOf('script', NAMES),
    trackOf('file', NAMES),
    trackOf('process', NAMES),
    trackOf('bfd', NAMES),
  )
  .map((lists) => lists.flat())
  .map((all) => (all.length === 0 ? undefined : all));

const hmac = fc.record({
  keys: fc
    .uniqueArray(fc.integer({ min: 2, max: 255 }), { maxLength: 2 })
    .map((ids) => [1, ...ids].map((id) => ({ id, secret: id.toString(16).padStart(2, '0').repeat(32) }))),
  activeKey: fc.constant(1),
  mode: fc.constantFrom('enforce', 'permissive', 'receive-only'),
  antiReplay: fc.constantFrom('time', 'monotonic'),
  window: wholeSeconds(299).map((window) => (window + 1e6) as Duration),
});

const peers = (family: Family) =>
  fc.uniqueArray(
    fc
      .record({
        address: addressOf(family),
        minTtl: maybe(fc.nat(99)),
        maxTtl: maybe(fc.constantFrom(99, 255)),
      })
      .map(given),
    { selector: (peer) => peer.address, maxLength: 3 },
  );

const password = fc.stringMatching(/^[!-}]{1,8}$/).filter((text) => !/["$]/.test(text));

/** The members of an instance that say whom it speaks to, how it signs and what it tracks. */
export const tracking = (family: Family, version: 2 | 3) => ({
  source: maybe(addressOf(family)),
  destination: maybe(fc.constant(ip(family === 4 ? '224.0.0.99' : 'ff02::99'))),
  peers: peers(family).map((some) => (some.length === 0 ? undefined : some)),
  unicastTtl: maybe(fc.nat(255)),
  checkPeers: fc.constantFrom(undefined, true),
  password: version === 2 ? maybe(password) : fc.constant(undefined),
  ah: version === 2 && family === 4 ? maybe(password) : fc.constant(undefined),
  hmac: maybe(hmac),
  preemptDelay: maybe(duration(1, 99)),
  preemptAfterSync: maybe(fc.integer({ min: 1, max: 3600 }).map(seconds)),
  answerHigher: maybe(fc.boolean()),
  ownerIgnores: maybe(fc.boolean()),
  track,
  trackPrimary: fc.constantFrom(undefined, false),
  promoteSecondaries: fc.constantFrom(undefined, true),
});

/** Without what cannot stand together: one signature, delays of backups only, unicast words with peers. */
export function sensible(drawn: VrrpSettings): VrrpSettings {
  const signs = drawn.hmac === undefined && drawn.ah !== undefined && drawn.priority < 255;
  // With AH it has to hear an advert first.
  const instance: VrrpSettings = signs ? { ...drawn, initial: 'BACKUP' } : drawn;
  const {
    password,
    ah,
    hmac: trailer,
    preemptDelay,
    preemptAfterSync,
    peers: some,
    unicastTtl,
    checkPeers,
    ...rest
  } = instance;
  const signed = given({
    password: trailer === undefined && ah === undefined ? password : undefined,
    ah: trailer === undefined ? ah : undefined,
    hmac: trailer,
  });
  const waits = rest.preempt && rest.initial === 'BACKUP' && rest.priority < 255;
  const others = some?.filter(({ address }) => address !== rest.source);
  const unicast = others?.length ? { peers: others, unicastTtl, checkPeers } : {};
  const vmac = rest.virtual?.sort.kind === 'macvlan';
  return given({
    ...rest,
    transmitBase: vmac && (others?.length || rest.transmitBase) ? true : undefined,
    ...signed,
    ...unicast,
    preemptDelay: waits ? preemptDelay : undefined,
    preemptAfterSync: rest.preempt && rest.priority < 255 ? preemptAfterSync : undefined,
  }) as unknown as VrrpSettings;
}

/** One group of all instances. */
export const groupOf = (instances: readonly VrrpSettings[]): GroupSettings[] =>
  instances.length === 0
    ? []
    : [
        {
          name: 'all of them',
          members: instances.map(({ name }) => name),
          track: [{ kind: 'interface', name: 'eth7', weight: 0, reverse: false }],
          weights: true,
        },
      ];
