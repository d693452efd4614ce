import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { type Family, Pair } from './asked-pair.ts';

/**
 * A master whose daemon is frozen or killed answers for its addresses no more when its peer begins to: somebody on the
 * link asks both by ARP, neighbour discovery, pings and TCP connections. So it is with adverts too frequent for the
 * kernel's address lifetimes; without a lease both answer, which shows that the test can fail.
 */
await enclose();

/** At short intervals a busy machine makes masters change by themselves: then it is tried again. */
const TRIES = 10;

/** A pair on which a master is lost: for how long both answered. */
async function lost(
  family: Family,
  advert: number,
  signal: 'SIGSTOP' | 'SIGKILL',
  lines = '',
  vmac = false,
): Promise<{ overlap: number; gap: number }> {
  for (let tries = 0; tries < TRIES; tries++) {
    const pair = new Pair(family, advert, lines, vmac);
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

  test(`IPv${family} on a VMAC, adverts each 100 ms, SIGSTOP: silent before the peer answers`, async () => {
    const found = await lost(family, 0.1, 'SIGSTOP', '', true);
    print(`IPv${family} SIGSTOP on a VMAC`, found);
    assert.is(found.overlap, 0);
  });

  test(`IPv${family} without a lease: both answer`, async () => {
    const found = await lost(family, 0.1, 'SIGSTOP', 'vip_lease off');
    print(`IPv${family} SIGSTOP without a lease`, found);
    assert.ok(found.overlap > 0);
  });
}

test('IPv4 on a VMAC without a lease: both answer', async () => {
  const found = await lost(4, 0.1, 'SIGSTOP', 'vip_lease off', true);
  print('IPv4 SIGSTOP on a VMAC without a lease', found);
  assert.ok(found.overlap > 0);
});

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
