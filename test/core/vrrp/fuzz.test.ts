import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as assert from 'uvu/assert';
import { Demultiplexer } from '../../../src/core/bfd/demultiplexer.ts';
import { BfdSession } from '../../../src/core/bfd/session.ts';
import type { BfdSettings } from '../../../src/core/bfd/settings.ts';
import { internetChecksum } from '../../../src/core/checksum.ts';
import { ip } from '../../../src/core/ip.ts';
import { Prng } from '../../../src/core/prng.ts';
import { after, type Instant, instant, micros, millis, seconds } from '../../../src/core/time.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import { type Datagram, REJECT_REASONS } from '../../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { digest } from '../../../src/io/digest.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { SETTINGS } from './router.ts';

/**
 * Damaged packets, 40,000 or ten million with VIPKEEPER_LONG=1, to machines of every kind: none throws, loops or
 * keeps memory, and every packet is accounted for. `SEED` repeats a run.
 */
const PACKETS = repetitions(40_000, 10_000_000);
const SEED = Number(process.env.SEED ?? 1);
/** A machine that was fed with so many is left to the collector, and the next one begins. */
const PACKETS_EACH = 5_000;
/** More than a machine may have to say to one packet: adverts, announcements, notices. */
const MOST_EFFECTS = 20;
const MOST_TIMERS = 50;
const MOST_GROWTH_BYTES = 8 << 20;

const HMAC = { mode: 'enforce', antiReplay: 'time', window: seconds(5) } as const;
const KEYS = { keys: [{ id: 1, secret: '5a'.repeat(32) }], activeKey: 1 };
const V6: Partial<VrrpSettings> = {
  family: 6,
  addresses: [{ address: { ip: ip('fe80::100'), length: 64 }, scope: 0 }],
};
const KINDS: Readonly<Record<string, Partial<VrrpSettings>>> = {
  'version 2': { version: 2 },
  'version 2, password': { version: 2, password: 'secret' },
  'version 2, authentication header': { version: 2, ah: 'secret' },
  'version 3': {},
  'version 3, plain checksum': { plainChecksum: true },
  'version 3, IPv6': V6,
  'version 3, signed': { hmac: { ...HMAC, ...KEYS } },
  'version 3, IPv6, signed': { ...V6, hmac: { ...HMAC, ...KEYS, antiReplay: 'monotonic' } },
  unicast: { peers: [{ address: ip('10.0.0.1'), minTtl: 254 }], checkPeers: true },
};

const SOURCES = { 4: [ip('10.0.0.1'), ip('10.0.0.5')], 6: [ip('fe80::1'), ip('fe80::5')] } as const;
const DESTINATIONS = [ip('224.0.0.18'), ip('ff02::12'), ip('10.0.0.5'), ip('fe80::5'), ip('255.255.255.255')];

/** What a peer of the same kind sends, and the machine that it is sent to. */
function meeting(changes: Partial<VrrpSettings>, priority: number): [VrrpInstance, Datagram[]] {
  const settings = { ...SETTINGS, ...changes };
  const [far, near] = SOURCES[settings.family];
  const peer = new VrrpInstance({ ...settings, priority: 255, ...unicastTo(settings, near) }, digest);
  const own = new VrrpInstance({ ...settings, priority }, digest);
  for (const [machine, source] of [
    [peer, far],
    [own, near],
  ] as const) {
    machine.handle({ type: 'clock', utc: 1.7e15 }, START);
    machine.handle({ type: 'link', up: true, source, why: 'up' }, START);
    machine.handle({ type: 'start' }, START);
  }
  own.take();
  const adverts: Datagram[] = [];
  for (let i = 0; i < 4; i++) {
    for (const effect of peer.take()) if (effect.type === 'send') adverts.push(effect);
    peer.timeout(peer.deadline() ?? START);
  }
  return [own, adverts];
}

const unicastTo = (
  { peers }: VrrpSettings,
  near: (typeof SOURCES)[4][number] | (typeof SOURCES)[6][number],
) => (peers === undefined ? {} : { peers: [{ address: near }] });

const START = instant(1e9);

/** One to a few of what goes wrong with packets; half of them with a right checksum, to come further. */
function damaged(good: Datagram, random: Prng): Datagram {
  let payload = Uint8Array.from(good.payload);
  for (let i = random.between(0, 3); i > 0; i--) payload = wound(payload, random);
  if (payload.length >= 8 && random.chance(0.5)) {
    payload.set([0, 0], 6);
    const sum = internetChecksum(payload);
    payload.set([sum >> 8, sum & 0xff], 6);
  }
  const header = good.header === undefined ? undefined : Uint8Array.from(good.header);
  return {
    payload,
    header: header === undefined || random.chance(0.9) ? header : wound(header, random),
    source: random.chance(0.9) ? good.source : random.pick(SOURCES[random.chance(0.5) ? 4 : 6]),
    destination: random.chance(0.9) ? good.destination : random.pick(DESTINATIONS),
    ttl: random.chance(0.9) ? 255 : random.between(0, 255),
  };
}

function wound(bytes: Uint8Array, random: Prng): Uint8Array<ArrayBuffer> {
  const at = random.between(0, Math.max(0, bytes.length - 1));
  const copy = Uint8Array.from(bytes);
  switch (random.between(0, 4)) {
    case 0:
      if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << random.between(0, 7));
      return copy;
    case 1:
      if (copy.length > 0) copy[at] = random.pick([0, 1, 127, 128, 254, 255]);
      return copy;
    case 2:
      return copy.slice(0, at);
    case 3:
      return Uint8Array.from([...bytes, ...noise(random, 40)]);
    default:
      return Uint8Array.from([...bytes.subarray(0, at), ...noise(random, 8), ...bytes.subarray(at)]);
  }
}

const noise = (random: Prng, most: number): number[] =>
  Array.from({ length: random.between(0, most) }, () => random.between(0, 255));

/** Lets the machine act on all that is due, a bounded number of times. */
function punctual(
  machine: { deadline(): Instant | undefined; timeout(now: Instant): void; take(): unknown[] },
  now: Instant,
): void {
  let timers = 0;
  for (let due = machine.deadline(); due !== undefined && due <= now; due = machine.deadline()) {
    machine.timeout(now);
    machine.take();
    timers += 1;
    assert.ok(timers < MOST_TIMERS, 'it does not come to rest');
  }
}

function attack(kind: Partial<VrrpSettings>, random: Prng, count: number): void {
  const [machine, adverts] = meeting(kind, random.pick([1, 100, 255]));
  let now = START;
  for (let i = 0; i < count; i++) {
    now = after(now, micros(random.chance(0.95) ? random.between(0, 50_000) : random.between(0, 5_000_000)));
    machine.handle({ type: 'packet', ...damaged(random.pick(adverts), random) }, now);
    const effects = machine.take().length;
    assert.ok(effects <= MOST_EFFECTS, `${effects} effects of one packet`);
    punctual(machine, now);
  }
  const { advertsReceived: received, rejected } = machine.status().statistics;
  const refused = REJECT_REASONS.reduce((sum, reason) => sum + (rejected[reason] ?? 0), 0);
  assert.ok(
    refused > 0 && refused + received >= count,
    `${count} packets: ${received} taken, ${refused} not`,
  );
}

/** Runs `each` until all packets are used up; the machines must not have left anything behind. */
function endure(packets: number, each: (random: Prng, count: number) => void): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  each(new Prng(SEED), PACKETS_EACH);
  const before = used();
  for (let done = 0; done < packets; done += PACKETS_EACH) {
    const seed = SEED + done;
    try {
      each(new Prng(seed), Math.min(PACKETS_EACH, packets - done));
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
  const growth = used() - before;
  assert.ok(growth < MOST_GROWTH_BYTES, `${growth} bytes more than before`);
}

const test = suite('damaged packets');
const share = Math.ceil(PACKETS / (Object.keys(KINDS).length + 1));

for (const [name, kind] of Object.entries(KINDS)) {
  test(`${share} adverts: ${name}`, () => endure(share, (random, count) => attack(kind, random, count)));
}

const BFD: BfdSettings = {
  name: 'neighbour',
  neighbor: ip('10.0.0.1'),
  minRx: millis(50),
  minTx: millis(50),
  idleTx: seconds(1),
  multiplier: 3,
  passive: false,
  ttl: 255,
  multihop: false,
  tells: 'both',
};

test(`${share} BFD packets`, () =>
  endure(share, (random, count) => {
    const [near, far] = [new BfdSession(BFD, 7, random), new BfdSession(BFD, 9, random)];
    const ports = new Demultiplexer();
    let now = START;
    const sent: Uint8Array[] = [];
    far.handle({ type: 'start' }, now);
    near.handle({ type: 'start' }, now);
    for (let i = 0; i < count; i++) {
      for (const effect of far.take()) if (effect.type === 'send') sent[i % 4] = effect.payload;
      now = after(now, micros(random.between(0, 60_000)));
      const payload = sent.length === 0 ? new Uint8Array() : random.pick(sent.filter(Boolean));
      const datagram = damaged(
        { payload, source: ip('10.0.0.1'), destination: ip('10.0.0.5'), ttl: 255 },
        random,
      );
      const found = ports.find({ ...datagram, multihop: random.chance(0.05) }, [near]);
      if (found !== undefined) near.handle({ type: 'packet', packet: found.packet }, now);
      assert.ok(near.take().length <= MOST_EFFECTS);
      punctual(near, now);
      far.timeout(far.deadline() ?? now);
    }
    assert.ok(Object.values(ports.discarded).some((discarded) => discarded > 0));
  }));

test.run();
