import * as assert from 'uvu/assert';
import { BfdSpeakers } from '../../src/app/vrrp/bfd.ts';
import type { BfdDatagram } from '../../src/core/bfd/demultiplexer.ts';
import type { BfdSettings } from '../../src/core/bfd/settings.ts';
import { toHex } from '../../src/core/bytes.ts';
import { ip as address, type Family, type Ip } from '../../src/core/ip.ts';
import { millis } from '../../src/core/time.ts';
import { BfdReceiver, BfdSender } from '../../src/io/bfd.ts';
import { Driver } from '../../src/io/drive.ts';
import { SystemError } from '../../src/io/errno.ts';
import { SETTINGS } from '../core/bfd/neighbor.ts';
import { suite } from '../suite.ts';
import { enterNamespace, eventually, ip } from './namespace.ts';

enterNamespace();
const test = suite('bfd sockets');

const ENDS: Readonly<Record<Family, readonly [Ip, Ip]>> = {
  4: [address('10.0.0.1'), address('10.0.0.2')],
  6: [address('fd00::1'), address('fd00::2')],
};

test.before(() => {
  for (const end of ENDS[4]) ip(`address add ${end}/32 dev lo`);
  for (const end of ENDS[6]) ip(`address add ${end}/128 dev lo nodad`);
});

const unexpected = (error: Error): void => {
  throw error;
};

for (const family of [4, 6] as const) {
  const [one, two] = ENDS[family];

  test(`IPv${family}: what arrives says from whom, to whom, and from how far`, async () => {
    for (const [multihop, ttl] of [
      [false, 255],
      [true, 254],
    ] as const) {
      const heard: (Omit<BfdDatagram, 'payload'> & { payload: string })[] = [];
      const receiver = new BfdReceiver(family, multihop, {
        datagram: (datagram) => heard.push({ ...datagram, payload: toHex(datagram.payload) }),
        error: unexpected,
      });
      const sender = new BfdSender(two, one, ttl, multihop);
      // The kernel works on a new IPv6 address for a while: what is sent meanwhile is lost.
      const first = await eventually(() => {
        sender.send(Uint8Array.of(1, 2, 3));
        return heard[0];
      }, 'a datagram');
      assert.equal(first, { payload: '010203', source: one, destination: two, ttl, multihop });
      assert.is(receiver.malformed, 0);
      sender.close();
      receiver.close();
    }
  });
}

test('a port that is taken, and a source that is not there', () => {
  const receiver = new BfdReceiver(4, false, { datagram: () => {}, error: unexpected });
  const code = (attempt: () => unknown): string => {
    try {
      attempt();
    } catch (error) {
      if (error instanceof SystemError) return error.code;
      throw error;
    }
    return 'none';
  };
  const again = (): unknown => new BfdReceiver(4, false, { datagram: () => {}, error: unexpected });
  assert.is(code(again), 'EADDRINUSE');
  receiver.close();
  assert.is(
    code(() => new BfdSender(ENDS[4][1], address('192.0.2.1'), 255, false)),
    'EADDRNOTAVAIL',
  );
});

function session(name: string, source: Ip, neighbor: Ip, changes: Partial<BfdSettings> = {}): BfdSettings {
  return { ...SETTINGS, name, source, neighbor, minRx: millis(20), minTx: millis(20), ...changes };
}

/** The sessions of both ends in one process: they talk over the loopback interface. */
function speakers(): { both: BfdSpeakers; good: Map<string, boolean>; log: string[] } {
  const good = new Map<string, boolean>();
  const log: string[] = [];
  const both = new BfdSpeakers(
    new Driver(),
    (news) => {
      if (news.type === 'tracked' && news.event.kind === 'bfd') good.set(news.event.name, news.event.good);
    },
    (_level, message) => log.push(message),
  );
  return { both, good, log };
}

for (const family of [4, 6] as const) {
  test(`IPv${family}: two sessions come up, and one that is taken away takes the other down`, async () => {
    const [one, two] = ENDS[family];
    const { both, good } = speakers();
    const [there, back] = [session('there', one, two), session('back', two, one, { passive: true })];
    both.configure([there, back]);
    assert.equal(
      [...good],
      [
        ['there', false],
        ['back', false],
      ],
    );
    await eventually(() => (good.get('there') && good.get('back')) || undefined, 'both up');
    both.configure([{ ...there, minTx: millis(30) }, back]);
    assert.equal([good.get('there'), good.get('back')], [true, true]);
    both.configure([back]);
    await eventually(() => both.status()[0]?.state === 'Down' || undefined, 'the other down');
    const [status] = both.status();
    assert.is(status?.cause, 'the neighbour is AdminDown (administratively down)');
    assert.equal([status?.reachable, good.get('back')], [true, true], 'which is no failure');
    both.stop();
    assert.equal(both.status(), []);
  });
}

test('a neighbour that seems further away than one hop is not heard', async () => {
  const [one, two] = ENDS[4];
  const { both, good } = speakers();
  both.configure([session('near', one, two), session('far', two, one, { ttl: 254 })]);
  await eventually(() => both.discarded.ttl > 1 || undefined, 'discarded packets');
  assert.is(good.get('near'), false);
  both.stop();
});

test('says once that it cannot send, and who is not told hears nothing', async () => {
  const { both, good, log } = speakers();
  const absent = address('192.0.2.1');
  both.configure([session('absent', absent, ENDS[4][0], { tells: 'checker' })]);
  assert.is(log.filter((line) => line.includes('EADDRNOTAVAIL')).length, 1);
  assert.is(good.size, 0);
  ip(`address add ${absent}/32 dev lo`);
  await eventually(() => (both.status()[0]?.sent ?? 0) > 2 || undefined, 'more packets');
  assert.is(log.filter((line) => line.includes('EADDRNOTAVAIL')).length, 1);
  both.stop();
});

test.run();
