import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { GroupBench } from './group-bench.ts';

const group = suite('preempt_after_sync in a sync group');

/** Both hear a lesser master each second; one of them waits for the connection table. */
function follow(bench: GroupBench, from: number, to: number): void {
  for (let s = from; s < to; s++) {
    bench.until(s);
    for (const name of ['a', 'b']) bench.advert(name, 50, s);
  }
}

function bench(): GroupBench {
  const both = new GroupBench();
  both.add('b', { group: 'G', vrid: 11, preemptAfterSync: seconds(60) });
  for (const name of ['a', 'b']) both.start(name);
  return both;
}

group('the group waits until the table is complete, also those of its members without the word', () => {
  const both = bench();
  follow(both, 1, 20);
  assert.is(both.states, 'BACKUP BACKUP');
  for (const name of ['a', 'b']) both.event(name, { type: 'synced', complete: true }, 19.5);
  follow(both, 20, 30);
  assert.is(both.states, 'MASTER MASTER');
  assert.match(both.story.slice(-2).join(), / b BACKUP -> MASTER: /);
});

group('... or until the time is over', () => {
  const both = bench();
  follow(both, 1, 60);
  assert.is(both.states, 'BACKUP BACKUP');
  follow(both, 60, 70);
  assert.is(both.states, 'MASTER MASTER');
});

group.run();
