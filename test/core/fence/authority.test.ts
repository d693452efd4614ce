import * as assert from 'uvu/assert';
import {
  Authority,
  type AuthorityEffect,
  type AuthoritySettings,
} from '../../../src/core/fence/authority.ts';
import { after, type Duration, instant, millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('authority over a claim');

const at = (s: number) => instant(s * 1e6);
const SETTINGS: AuthoritySettings = {
  claim: 'VI_1',
  director: 'a',
  life: 'a 1',
  voters: ['a', 'b', 'w'],
  directors: ['a', 'b'],
  renewal: seconds(1),
  attempt: seconds(2),
  longest: seconds(4),
};
const granted = (voter: string, number: number) =>
  ({ type: 'answer', voter, number, answer: { type: 'granted' } }) as const;
const refused = (voter: string, number: number) =>
  ({ type: 'answer', voter, number, answer: { type: 'refused', why: 'its vote is promised to c' } }) as const;

/** One that asked at 10 s, with the effects of that taken. */
function candidate(
  settings: Partial<AuthoritySettings> = {},
  promise: Duration | undefined = seconds(3),
): Authority {
  const it = new Authority({ ...SETTINGS, ...settings });
  it.handle({ type: 'want', promise, why: 'nobody is heard' }, at(10));
  const { claim, director, life } = { ...SETTINGS, ...settings };
  assert.equal(it.take(), [{ type: 'ask', ask: { claim, director, life, number: 1, duration: promise } }]);
  return it;
}
/** One whose promises have no end. */
function endless(settings: Partial<AuthoritySettings>): Authority {
  const it = new Authority({ ...SETTINGS, ...settings });
  it.handle({ type: 'want', promise: undefined, why: 'nobody is heard' }, at(10));
  it.take();
  return it;
}
const types = (effects: readonly AuthorityEffect[]): string => effects.map(({ type }) => type).join();

test('begins with the majority, its own vote among them, and ends with it', () => {
  const it = candidate();
  it.handle(granted('b', 1), at(10.1));
  assert.equal(it.take(), [], 'one vote of three');
  it.handle(granted('a', 1), at(10.2));
  assert.equal(it.take(), [{ type: 'authorised', until: at(13) }], 'from when the request was sent');
  assert.is(it.state, 'holding');
});

test('two others are no majority without its own vote', () => {
  const it = candidate();
  it.handle(granted('b', 1), at(10.1));
  it.handle(granted('w', 1), at(10.1));
  assert.equal(it.take(), []);
});

test('counts an answer from the request that it answers, and a voter once', () => {
  const it = candidate();
  it.handle(granted('b', 1), at(10.1));
  it.handle(granted('b', 1), at(10.1));
  assert.equal(it.take(), []);
  it.timeout(at(11));
  it.handle(granted('a', 2), at(11));
  assert.equal(it.take().at(-1), { type: 'authorised', until: at(13) });
});

test('takes no vote from who has none, and no answer to a question that it did not ask', () => {
  const it = candidate();
  it.handle(granted('a', 1), at(10.1));
  it.handle(granted('x', 1), at(10.1));
  it.handle(granted('b', 2), at(10.1));
  assert.equal(it.take(), []);
});

test('is renewed, and lost when the answers end; one of the others is enough', () => {
  const it = candidate();
  for (const voter of ['a', 'b', 'w']) it.handle(granted(voter, 1), at(10));
  it.take();
  it.timeout(at(11));
  for (const voter of ['a', 'w']) it.handle(granted(voter, 2), at(11));
  assert.equal(it.take().at(-1), { type: 'authorised', until: at(14) });
  for (const time of [12, 13]) it.timeout(at(time));
  it.take();
  it.timeout(at(13.999));
  assert.equal(it.take(), []);
  it.timeout(at(14));
  assert.equal(it.take()[0], { type: 'lost', why: 'a: no answer; b: no answer; w: no answer' });
  assert.is(it.state, 'idle');
});

test('an answer that comes after the end gives nothing back', () => {
  const it = candidate();
  for (const voter of ['a', 'b']) it.handle(granted(voter, 1), at(10));
  it.timeout(at(11));
  it.take();
  it.handle(granted('b', 2), at(13));
  assert.is(types(it.take()), 'lost');
});

test('an attempt in vain gives its votes back, says who is silent, and is made again after a pause', () => {
  const it = candidate();
  it.handle(granted('a', 1), at(10));
  it.handle(refused('w', 1), at(10));
  it.timeout(at(11));
  it.take();
  it.timeout(at(12));
  const [first, second] = it.take();
  assert.equal(first, { type: 'refused', why: 'b: no answer; w: its vote is promised to c', silent: ['b'] });
  assert.is(second?.type, 'release');
  it.handle(granted('b', 2), at(12.1));
  assert.equal(it.take(), [], 'too late');
  it.timeout(after(at(14), millis(0)));
  assert.is(types(it.take()), 'ask');
});

test('votes are given back once the addresses have gone, and only then', () => {
  const it = candidate();
  for (const voter of ['a', 'b']) it.handle(granted(voter, 1), at(10));
  it.take();
  it.handle({ type: 'let-go', why: 'stopped' }, at(11));
  assert.equal(it.take(), [
    { type: 'release', release: { claim: 'VI_1', director: 'a', life: 'a 1', number: 2 } },
  ]);
  assert.is(it.deadline(), undefined);
});

test('of a pair, a peer that is off for certain is as good as its vote, until it could be back', () => {
  const it = candidate();
  it.handle(granted('a', 1), at(10));
  it.handle({ type: 'fenced', director: 'b', at: at(8) }, at(10.5));
  assert.equal(it.take(), [{ type: 'authorised', until: at(12) }], 'the longest promise after it was off');
});

test('of three directors, one that is off gives no vote: another may have fenced it too', () => {
  const three = { voters: ['a', 'b', 'c'], directors: ['a', 'b', 'c'] };
  const it = candidate(three);
  it.handle(granted('a', 1), at(10));
  it.handle({ type: 'fenced', director: 'b', at: at(10) }, at(10));
  assert.equal(it.take(), []);
  it.handle({ type: 'fenced', director: 'c', at: at(10) }, at(10));
  assert.equal(it.take(), [{ type: 'authorised', until: at(13) }]);
});

test('a pair that only fences holds without an end, by the consent of the peer or its end', () => {
  const pair = { voters: ['a', 'b'] };
  const consent = endless(pair);
  consent.handle(granted('a', 1), at(10));
  consent.handle(granted('b', 1), at(10));
  assert.equal(consent.take(), [{ type: 'authorised', until: undefined }]);
  consent.timeout(at(1e6));
  assert.is(consent.state, 'holding');
  const shot = endless(pair);
  shot.handle(granted('a', 1), at(10));
  shot.handle(refused('b', 1), at(10));
  assert.equal(shot.take(), []);
  shot.handle({ type: 'fenced', director: 'b', at: at(11) }, at(11));
  assert.equal(shot.take(), [{ type: 'authorised', until: undefined }]);
});

test.run();
