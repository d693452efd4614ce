import * as assert from 'uvu/assert';
import type { Happening, InstanceHappening } from '../../../src/core/notify/happening.ts';
import { type KnownState, Missed, Unheard } from '../../../src/core/notify/missed.ts';
import { type Instant, instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('happenings that were lost');
const at = (s: number): Instant => instant(s * 1e6);
const is = (state: KnownState['state']): KnownState[] => [{ name: 'web', state, priority: 9, cause: 'so' }];
const told = (what: InstanceHappening['what']): Happening => ({
  of: 'instance',
  name: 'web',
  what,
  from: 'INIT',
  priority: 9,
  cause: 'so',
});

test('a state that was not told, for a while, is told; then it is known', () => {
  const missed = new Missed();
  missed.told(told('BACKUP'));
  assert.equal(missed.find(is('MASTER'), at(1)), []);
  assert.equal(missed.find(is('MASTER'), at(2)), []);
  const [found] = missed.find(is('MASTER'), at(3));
  assert.equal(found, { ...told('MASTER'), from: 'BACKUP' });
  missed.told(found as Happening);
  assert.equal(missed.find(is('MASTER'), at(9)), []);
});

test('a happening that comes later than its state is no loss, nor is one that is over', () => {
  const missed = new Missed();
  missed.told(told('BACKUP'));
  missed.find(is('MASTER'), at(1));
  missed.told(told('MASTER'));
  assert.equal(missed.find(is('MASTER'), at(5)), []);
  missed.find(is('FAULT'), at(6));
  missed.find(is('MASTER'), at(7));
  assert.equal(missed.find(is('FAULT'), at(8)), []);
});

test('an instance that was never reported, was deleted, or stops, misses nothing', () => {
  const missed = new Missed();
  for (const before of [[], [told('BACKUP'), told('DELETED')], [told('STOP')]]) {
    for (const happening of before) missed.told(happening);
    for (const s of [1, 3, 5]) assert.equal(missed.find(is('MASTER'), at(s)), []);
  }
});

test('news of priorities are no state', () => {
  const missed = new Missed();
  missed.told(told('BACKUP'));
  missed.told(told('BACKUP_PRIORITY'));
  for (const s of [1, 3, 5]) assert.equal(missed.find(is('BACKUP'), at(s)), []);
});

test('for the next supervisor: what became of each in the end, from what it was when it was told last', () => {
  const unheard = new Unheard();
  const became = (what: InstanceHappening['what'], from: string, name = 'web'): Happening => ({
    ...{ of: 'instance', name, what, from, priority: 9, cause: `${what} at last` },
  });
  const group: Happening = { of: 'group', name: 'web', what: 'FAULT', from: 'MASTER', cause: 'so' };
  const off: Happening = { of: 'alarm', about: 'director', name: 'b', what: 'OFF', cause: 'so' };
  unheard.add(became('FAULT', 'MASTER'));
  unheard.add(became('FAULT', 'MASTER', 'api'));
  unheard.add(group);
  unheard.add(became('MASTER_PRIORITY', 'MASTER'));
  unheard.add(became('BACKUP', 'FAULT'));
  unheard.add(became('MASTER', 'FAULT', 'api'));
  unheard.add({ ...off, what: 'FENCE_FAILED' });
  unheard.add(off);
  assert.equal(unheard.take(), [group, became('BACKUP', 'MASTER'), off]);
  assert.equal(unheard.take(), []);
});

test.run();
