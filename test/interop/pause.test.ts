import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';
import { Pair } from './asked-pair.ts';

/**
 * A master that is stopped for a while, and goes on: where another may have taken over, it says nothing and answers
 * nothing before it has heard that one, or has listened. Where nobody may have, it goes on as if nothing had been.
 */
await enclose();

const MISSED = 3;
const SECOND = 1000;
const PAUSES = { 100: [200, 400, 1000, 5000], 1000: [200, 2000, 3500, 5000] } as const;
const ROUNDS = repetitions(1, 5);

const test = suite('a master that stood still');

for (const interval of [100, 1000] as const) {
  test(`adverts each ${interval} ms`, async () => {
    const pair = new Pair(4, interval / 1000, '');
    const [own, other] = pair.macs;
    try {
      await pair.ask();
      for (const pause of Array.from({ length: ROUNDS }, () => PAUSES[interval]).flat()) {
        await pair.settle();
        const { heard, continued } = await pair.pause(pause);
        const adverts = heard.filter(({ mac, kind }) => mac === own && kind === 'advert');
        const last = adverts.findLast(({ at }) => at < continued);
        const first = heard.find(({ mac, at }) => mac === own && at > continued);
        assert.ok(last !== undefined && first !== undefined);
        const [slept, silent] = [continued - last.at, first.at - continued];
        const there = heard.some(
          ({ mac, at, kind }) => mac === other && kind === 'advert' && at > continued && at < first.at,
        );
        const words = `continued ${slept.toFixed(0)} ms after its last advert: ${first.kind}`;
        process.stdout.write(`  ${words} after ${silent.toFixed(1)} ms\n`);
        if (slept > MISSED * interval) assert.ok(there || silent >= interval, words);
        // A second is enough for any machine to go on with.
        else if (slept < MISSED * interval - SECOND) assert.ok(silent < interval, words);
      }
    } finally {
      pair.close();
    }
  });
}

test.run();
