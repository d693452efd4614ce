import * as assert from 'uvu/assert';
import { memberSettings } from '../../../src/core/vrrp/group.ts';
import type { GroupSettings, TrackSettings, VrrpSettings } from '../../../src/core/vrrp/settings.ts';
import { suite } from '../../suite.ts';
import { GroupBench } from './group-bench.ts';
import { at, OWN, Router, SETTINGS } from './router.ts';

/** Both master at 10 s. */
function masters(changes: Partial<VrrpSettings> = {}): GroupBench {
  const bench = new GroupBench(changes);
  bench.start('a');
  bench.start('b');
  bench.until(10);
  assert.is(bench.states, 'MASTER MASTER');
  bench.story = [];
  return bench;
}

const group = suite('vrrp sync group');

group('members become master together, when the last of them may', () => {
  const bench = new GroupBench();
  bench.start('a', 0);
  bench.start('b', 2);
  bench.until(5);
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(6);
  assert.is(bench.states, 'MASTER MASTER');
  assert.equal(bench.story.slice(2).sort(), [
    '5.61 a BACKUP -> MASTER: no master heard for 3.61 s',
    '5.61 b BACKUP -> MASTER: no master heard for 3.61 s',
  ]);
});

group('owners wait for each other, too', () => {
  const bench = new GroupBench({ priority: 255 });
  bench.start('a', 0);
  assert.is(bench.states, 'BACKUP INIT');
  bench.start('b', 2);
  assert.is(bench.states, 'MASTER MASTER');
});

group('a better master of one virtual router keeps all of them backup', () => {
  const bench = new GroupBench();
  bench.start('a');
  bench.start('b');
  for (let s = 1; s < 20; s++) {
    bench.advert('a', 200, s);
    bench.until(s + 0.5);
  }
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(30);
  assert.is(bench.states, 'MASTER MASTER');
  assert.match(bench.story.at(-1) ?? '', /^22\.61 /);
});

group('a candidate that hears a better master is one no more', () => {
  const bench = new GroupBench();
  bench.start('a', 0);
  bench.start('b', 3);
  bench.until(5);
  bench.advert('a', 200, 5.5);
  bench.until(8);
  assert.is(bench.states, 'BACKUP BACKUP');
});

group('one that gives way takes the others down, which resign', () => {
  const bench = masters();
  bench.advert('a', 200, 10.1);
  assert.equal(bench.story, [
    '10.10 a MASTER -> BACKUP: higher priority 200 from 10.0.0.1',
    '10.10 b resigns',
    '10.10 b MASTER -> BACKUP: sync group G: a is BACKUP',
  ]);
});

group('a fault of one is a fault of all; the last reason that ends frees all', () => {
  const bench = masters();
  bench.event('b', { type: 'link', up: false, why: 'eth1 is down' }, 10.1);
  assert.is(bench.states, 'FAULT FAULT');
  assert.equal(bench.named('a').machine.status().faults, ['sync group G: eth1 is down']);
  assert.is(bench.story.filter((line) => line.endsWith('resigns')).length, 2);
  bench.event('a', { type: 'link', up: false, why: 'eth0 is down' }, 11);
  bench.event('b', { type: 'link', up: true, source: OWN, why: 'eth1 is up' }, 12);
  assert.is(bench.states, 'FAULT FAULT');
  bench.event('a', { type: 'link', up: true, source: OWN, why: 'eth0 is up' }, 13);
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(17);
  assert.is(bench.states, 'MASTER MASTER');
});

group('a stop of one takes the others down', () => {
  const bench = masters();
  bench.event('a', { type: 'stop' }, 10.1);
  bench.until(30);
  assert.is(bench.states, 'INIT BACKUP');
});

group('a planned hand-over hands all over', () => {
  const bench = masters();
  bench.event('a', { type: 'resign', why: 'asked to' }, 10.1);
  assert.is(bench.states, 'BACKUP BACKUP');
});

group('... and none of them preempts who takes over', () => {
  const bench = masters();
  bench.event('a', { type: 'resign', why: 'asked to' }, 10.1);
  for (let s = 10.5; s < 40; s += 0.5) {
    for (const name of ['a', 'b']) bench.advert(name, 50, s);
    bench.until(s + 0.4);
  }
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(50);
  assert.is(bench.states, 'MASTER MASTER', 'when that one is gone, they are');
  bench.event('a', { type: 'yield', why: 'once more' }, 50.1);
  for (let s = 50.5; s < 60; s += 0.5) {
    for (const name of ['a', 'b']) bench.advert(name, 50, s);
    bench.until(s + 0.4);
  }
  assert.is(bench.states, 'MASTER MASTER', 'the next lesser one is preempted');
});

group('state MASTER: the first wait of a group is as short as a living master allows', () => {
  const bench = new GroupBench({ initial: 'MASTER' });
  bench.start('a');
  bench.start('b');
  bench.until(1.5);
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(1.7);
  assert.is(bench.states, 'MASTER MASTER');
  const alone = Router.started({ initial: 'MASTER' });
  alone.until(3);
  assert.is(alone.state, 'BACKUP', 'without a group it waits for the whole down interval');
});

group('a lesser master that one member hears makes all announce their addresses again', () => {
  const bench = masters();
  bench.group.handle({ type: 'contested', member: 'a' }, at(20));
  assert.equal(bench.group.take(), [{ type: 'tell', member: 'b', event: { type: 'contest' } }]);
  const other = bench.named('b');
  bench.until(20);
  other.machine.handle({ type: 'contest' }, at(20));
  const announced = other.machine.take().filter(({ type }) => type === 'announce');
  assert.is(announced.length, 1);
});

group('a reload that takes a member out leaves the others alone', () => {
  const bench = masters();
  bench.setMembers(['b'], 10.1);
  bench.event('a', { type: 'stop' }, 10.1);
  assert.is(bench.states, 'INIT MASTER');
});

group('who joins a master group gets the time to become candidate, and then is master as well', () => {
  const bench = masters();
  bench.setMembers(['a', 'b', 'c'], 10.1);
  bench.add('c', { group: 'G', vrid: 30 });
  bench.start('c', 10.1);
  bench.until(13);
  assert.is(bench.states, 'MASTER MASTER BACKUP');
  bench.until(14);
  assert.is(bench.states, 'MASTER MASTER MASTER');
  assert.is(bench.story.length, 2);
});

group('... but when it follows a better master, so do all', () => {
  const bench = masters();
  bench.setMembers(['a', 'b', 'c'], 10.1);
  bench.add('c', { group: 'G', vrid: 30 });
  bench.start('c', 10.1);
  bench.advert('c', 200, 10.5);
  assert.is(bench.states, 'BACKUP BACKUP BACKUP');
});

group('two that were alone become a group: who is master waits for the other', () => {
  const bench = new GroupBench({}, []);
  bench.setMembers(['a', 'b'], 0);
  bench.add('a', { vrid: 10 });
  bench.add('b', { vrid: 11 });
  bench.start('a');
  bench.start('b');
  bench.advert('b', 200, 1);
  bench.advert('b', 200, 2);
  bench.until(4);
  assert.is(bench.states, 'MASTER BACKUP');
  for (const name of ['a', 'b']) {
    const settings = { ...bench.named(name).settings, group: 'G' };
    bench.event(name, { type: 'configure', settings }, 4.1);
  }
  assert.is(bench.states, 'BACKUP BACKUP');
  bench.until(9);
  assert.is(bench.states, 'MASTER MASTER');
});

group('a group that is dissolved frees its members', () => {
  const bench = masters();
  bench.event('b', { type: 'link', up: false, why: 'eth1 is down' }, 10.1);
  const { group: _, ...alone } = bench.named('a').settings;
  bench.event('a', { type: 'configure', settings: alone }, 10.2);
  assert.is(bench.states, 'BACKUP FAULT');
  bench.until(14);
  assert.is(bench.states, 'MASTER FAULT');
});

group('a stall: nobody is elected by old evidence', () => {
  const bench = new GroupBench();
  bench.start('a', 0);
  bench.start('b', 3);
  bench.until(5);
  bench.timeout('a', 60);
  bench.timeout('b', 60);
  assert.is(bench.states, 'BACKUP BACKUP');
});

// Settings.

const line = (name: string, weight: number): TrackSettings => ({
  kind: 'script',
  name,
  weight,
  reverse: false,
});
const settings: GroupSettings = { name: 'G', members: ['VI_1'], track: [line('both', 0)], weights: false };
const trackOf = (own: readonly TrackSettings[], changes: Partial<GroupSettings> = {}): string[] => {
  const [made] = memberSettings([{ ...SETTINGS, track: own }], [{ ...settings, ...changes }]);
  assert.is(made?.group, 'G');
  return (made?.track ?? []).map(({ name, weight }) => `${name} ${weight}`);
};

group('members track what the group tracks, and their own without weights', () => {
  assert.equal(trackOf([line('own', 0), line('heavy', 20)]), ['both 0', 'own 0']);
  assert.equal(trackOf([line('heavy', 20)], { weights: true }), ['both 0', 'heavy 20']);
  assert.equal(trackOf([line('both', 20)], { weights: true }), ['both 0']);
});

group('who is in no group keeps its settings', () => {
  const alone = { ...SETTINGS, name: 'alone', track: [line('heavy', 20)] };
  assert.equal(memberSettings([alone], [settings]), [alone]);
});

group.run();
