import * as assert from 'uvu/assert';
import { type Ask, Voter } from '../../../src/core/fence/voter.ts';
import { after, type Duration, instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('a voter');

const LONGEST = seconds(3);
const START = instant(0);
/** When the promises of an earlier life have ended. */
const AWAKE = after(START, seconds(3.03));
const at = (s: number) => after(AWAKE, seconds(s));
const voter = (): Voter => new Voter({ longest: LONGEST, margin: 0.01 }, START);
const ask = (director: string, number: number, more: Partial<Ask> = {}): Ask => ({
  claim: 'VI_1',
  director,
  life: `${director} 1`,
  number,
  duration: LONGEST,
  ...more,
});
const ENDLESS = { duration: undefined };

test('that has just started promises nothing until the longest promise of its earlier life has ended', () => {
  const it = voter();
  assert.equal(it.ask(ask('a', 1), START), {
    type: 'refused',
    why: 'the voter has just started and waits until older promises have ended',
    left: seconds(3.03),
  });
  assert.equal(it.ask(ask('a', 2), AWAKE), { type: 'granted' });
});

test('keeps its vote for one, until the promise has ended by the margin too', () => {
  const it = voter();
  assert.equal(it.ask(ask('a', 1), at(0)), { type: 'granted' });
  assert.equal(it.ask(ask('b', 1), at(3)), {
    type: 'refused',
    why: 'its vote is promised to a',
    holder: 'a',
    left: seconds(0.03),
  });
  assert.equal(it.ask(ask('b', 2), at(3.03)), { type: 'granted' });
  assert.equal(it.ask(ask('b', 1, { claim: 'VI_2' }), at(3.03)), { type: 'granted' }, 'claims are apart');
});

test('a shorter promise does not shorten the one before', () => {
  const it = voter();
  it.ask(ask('a', 1), at(0));
  it.ask(ask('a', 2, { duration: seconds(1) }), at(1));
  assert.equal(it.holder('VI_1', at(2)), { director: 'a', left: seconds(1.03) as Duration });
});

test('refuses a promise that is longer than its longest', () => {
  assert.is(voter().ask(ask('a', 1, { duration: seconds(3.1) }), at(0))?.type, 'refused');
});

test('a release frees the vote, but not one that a later request has overtaken, nor one of another', () => {
  const it = voter();
  const release = (director: string, number: number, life = `${director} 1`): void =>
    it.release({ claim: 'VI_1', director, life, number });
  it.ask(ask('a', 2), at(0));
  release('a', 1);
  release('b', 9);
  release('a', 9, 'a 0');
  assert.is(it.holder('VI_1', at(1))?.director, 'a');
  release('a', 3);
  assert.is(it.holder('VI_1', at(1)), undefined);
  assert.is(it.ask(ask('a', 2), at(1)), undefined, 'a request from before the release is not answered');
});

test('a fence ends the promises to the life that it ended, not those to a later one', () => {
  const it = voter();
  it.ask(ask('a', 1, { life: 'a 2' }), at(0));
  it.fenced('a', 'a 1');
  assert.is(it.holder('VI_1', at(1))?.director, 'a');
  it.fenced('a', 'a 2');
  assert.is(it.holder('VI_1', at(1)), undefined);
});

test('a promise without an end lasts until it is released, or its holder is heard in another life', () => {
  const it = new Voter({ longest: LONGEST, margin: 0.01 }, START);
  assert.equal(it.ask(ask('a', 1, ENDLESS), START), { type: 'granted' }, 'also by one that has just started');
  assert.is(it.ask(ask('b', 1, ENDLESS), at(1e6))?.type, 'refused');
  it.reborn('a', 'a 1');
  assert.is(it.ask(ask('b', 2, ENDLESS), at(1e6))?.type, 'refused');
  it.reborn('a', 'a 2');
  assert.is(it.ask(ask('b', 3, ENDLESS), at(1e6))?.type, 'granted');
});

test.run();
