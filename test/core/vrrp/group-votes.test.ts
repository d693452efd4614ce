import * as assert from 'uvu/assert';
import type { VrrpState } from '../../../src/core/vrrp/events.ts';
import { type GroupEvent, VrrpGroup } from '../../../src/core/vrrp/group.ts';
import { suite } from '../../suite.ts';
import { GroupBench } from './group-bench.ts';
import { at, OWN } from './router.ts';

const group = suite('vrrp sync group with votes');

/** A protected group of two that would be master. */
function candidates(): GroupBench {
  const bench = new GroupBench();
  bench.event('a', { type: 'link', up: true, source: OWN, why: 'up' }, 0);
  bench.setMembers(['a', 'b'], 0, true);
  bench.start('a');
  bench.start('b');
  bench.until(10);
  return bench;
}

group('a protected group is elected when it has the votes, which it wants once', () => {
  const bench = candidates();
  assert.equal(bench.votes, ['want']);
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.vote({ type: 'authorised' }, 10);
  assert.is(bench.states, 'MASTER MASTER');
});

group('votes that are lost end it, and are wanted again', () => {
  const bench = candidates();
  bench.vote({ type: 'authorised' }, 10);
  bench.vote({ type: 'lost', why: 'nobody answers' }, 11);
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(20);
  assert.equal(bench.votes, ['want', 'want']);
});

group('votes are given back when no member is master any more, not before', () => {
  const bench = candidates();
  bench.vote({ type: 'authorised' }, 10);
  bench.event('a', { type: 'resign', why: 'test' }, 11);
  assert.is(bench.states, 'BACKUP BACKUP');
  assert.equal(bench.votes, ['want', 'let-go']);
});

group('... also where the members end one after the other', () => {
  const machine = new VrrpGroup('G');
  const said = (event: GroupEvent): string[] => {
    machine.handle(event, at(0));
    return machine.take().flatMap((effect) => (effect.type === 'let-go' ? ['let-go'] : []));
  };
  const stands = (member: string, state: VrrpState, candidate?: string): string[] =>
    said({ type: 'standing', member, standing: { state, follows: candidate === undefined, candidate } });
  said({ type: 'members', members: ['a', 'b'], protected: true });
  for (const member of ['a', 'b']) stands(member, 'BACKUP', 'nobody is heard');
  said({ type: 'authorised' });
  for (const member of ['a', 'b']) assert.equal(stands(member, 'MASTER'), []);
  assert.equal(stands('a', 'BACKUP'), [], 'b still has its addresses');
  assert.equal(stands('b', 'BACKUP'), ['let-go']);
});

group('a candidate that hears a master wants the votes no longer', () => {
  const bench = candidates();
  bench.advert('a', 200, 10);
  assert.equal(bench.votes, ['want', 'let-go']);
  bench.vote({ type: 'authorised' }, 10);
  assert.is(bench.states, 'BACKUP BACKUP', 'it came too late');
});

group('a better director gets them, a lesser one does not', () => {
  const bench = candidates();
  bench.vote({ type: 'authorised' }, 10);
  bench.vote({ type: 'challenged', by: 'c', priority: 90 }, 11);
  assert.is(bench.states, 'MASTER MASTER');
  bench.vote({ type: 'challenged', by: 'c', priority: 254 }, 12);
  assert.is(bench.states, 'BACKUP BACKUP');
  assert.equal(bench.votes, ['want', 'let-go']);
});

group('who gives way to a better one tells nobody, for a third director would follow', () => {
  const bench = new GroupBench({}, ['a']);
  bench.setMembers(['a'], 0, true);
  bench.start('a');
  bench.until(9);
  bench.vote({ type: 'authorised' }, 10);
  assert.is(bench.states, 'MASTER');
  bench.story = [];
  bench.vote({ type: 'challenged', by: 'c', priority: 254 }, 12);
  assert.is(bench.states, 'BACKUP');
  assert.equal(
    bench.story.filter((line) => line.endsWith('resigns')),
    [],
  );
});

group('who would leave a lesser master alone does not challenge one that it has not heard yet', () => {
  const asked = (spares: boolean): unknown[] => {
    const machine = new VrrpGroup('G');
    machine.handle({ type: 'members', members: ['a'], protected: true }, at(0));
    const standing = {
      state: 'BACKUP',
      follows: false,
      candidate: 'silence',
      priority: 150,
      spares,
    } as const;
    machine.handle({ type: 'standing', member: 'a', standing }, at(0));
    return machine.take().flatMap((effect) => (effect.type === 'want' ? [effect.priority] : []));
  };
  assert.equal([asked(false), asked(true)], [[150], [0]]);
});

group('a candidate says that it has nopreempt', () => {
  for (const preempt of [true, false]) {
    const bench = new GroupBench({ preempt }, ['a']);
    bench.setMembers(['a'], 0, true);
    bench.start('a');
    bench.until(10);
    assert.equal(bench.asked, [preempt ? 100 : 0]);
  }
});

group.run();
