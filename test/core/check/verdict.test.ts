import * as assert from 'uvu/assert';
import type { CheckTiming } from '../../../src/core/check/settings.ts';
import type { CheckResult, Parts } from '../../../src/core/check/verdict.ts';
import { initialStanding, judge } from '../../../src/core/check/verdict.ts';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('verdict');

const timing: CheckTiming = {
  period: seconds(6),
  warmup: seconds(6),
  retries: 2,
  retryDelay: seconds(1),
  alpha: false,
};

/** `up`/`down` after each result (`g`ood, `b`ad, `?` unknown), with `~` where a retry follows. */
function story(results: string, settings = timing, parts?: Parts): string {
  const verdicts: Record<string, CheckResult['verdict']> = { g: 'good', b: 'bad', '?': 'unknown' };
  let standing = initialStanding(settings);
  const words: string[] = [];
  for (const letter of results) {
    const [next, again] = judge(
      standing,
      { verdict: verdicts[letter] ?? 'unknown', reason: '' },
      settings,
      parts,
    );
    standing = next;
    const part = parts === undefined ? '' : standing.part;
    words.push(`${standing.up ? 'up' : 'down'}${part}${again.type === 'retry' ? '~' : ''}`);
  }
  return words.join(' ');
}

test('without a success before, the first bad result takes it down', () => {
  assert.is(story('b'), 'down');
});
test('after a success, down comes after the retries', () => {
  assert.is(story('gbbb'), 'up up~ up~ down');
});
test('a good result among the retries starts the count again', () => {
  assert.is(story('gbbgbbb'), 'up up~ up~ up up~ up~ down');
});
test('one good result brings it back', () => {
  assert.is(story('gbbbbg'), 'up up~ up~ down down up');
});
test('no retries: the first bad result is the last', () => {
  assert.is(story('gb', { ...timing, retries: 0 }), 'up down');
});
test('alpha starts down', () => {
  assert.is(initialStanding({ ...timing, alpha: true }).up, false);
  assert.is(story('bg', { ...timing, alpha: true }), 'down up');
});
test('what says nothing of the server changes nothing', () => {
  assert.is(story('?g?b?b?b'), 'up up up up~ up up~ up down');
});

test('several requests take turns; one that fails is tried again until it is good, and then the others', () => {
  const parts = { count: 3, hurry: false };
  const once = { ...timing, retries: 0 };
  assert.is(story('gggg', once, parts), 'up1 up2 up0 up1');
  assert.is(story('gggbbggg', once, parts), 'up1 up2 up0 down0 down0 down1 down2 up0');
});
test('with alpha all requests must be good once; in a hurry they follow at once', () => {
  const alpha = { ...timing, alpha: true };
  assert.is(story('ggg', alpha, { count: 3, hurry: false }), 'down1 down2 up0');
  assert.is(story('gggg', alpha, { count: 3, hurry: true }), 'down1~ down2~ up0 up1');
});

test.run();
