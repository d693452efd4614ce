import * as assert from 'uvu/assert';
import { Prng } from '../../../../src/core/prng.ts';
import type { AskerEffect, Survey } from '../../../../src/core/sync/health/events.ts';
import { seconds } from '../../../../src/core/time.ts';
import { repetitions } from '../../../repetitions.ts';
import { suite } from '../../../suite.ts';
import { fates, HealthPair } from './pair.ts';

const test = suite('surveys of connection tables');

const surveys = ({ outcomes }: HealthPair): Survey[] =>
  outcomes.flatMap((effect) => (effect.type === 'surveyed' ? [effect] : []));
const last = (pair: HealthPair): Survey => {
  const survey = surveys(pair).at(-1);
  assert.ok(survey, 'a survey');
  return survey;
};
const types = ({ outcomes }: HealthPair): AskerEffect['type'][] =>
  outcomes.map(({ type }) => type).filter((type) => type !== 'surveyed');

test('a small table is compared whole, every few seconds', () => {
  const pair = new HealthPair();
  pair.connect(300);
  pair.run(seconds(16));
  assert.is(surveys(pair).length, 3);
  const { from, connections, sampled, missing, late } = last(pair);
  assert.equal([from, connections, sampled, missing, late], ['a', 300, 300, 0, 0]);
  assert.equal(types(pair), []);
});

test('of a large one a sample that fits into a few datagrams, another one each time', () => {
  const pair = new HealthPair();
  pair.connect(9000);
  for (let port = 1; port <= 9000; port += 10) pair.backup.delete(port);
  pair.run(seconds(300));
  const all = surveys(pair).slice(1);
  assert.ok(all.length > 10);
  for (const { sampled, missing, connections } of all) {
    assert.is(connections, 9000);
    assert.ok(sampled > 700 && sampled < 1200, `${sampled}`);
    assert.ok(missing / sampled > 0.05 && missing / sampled < 0.16, `${missing} of ${sampled}`);
  }
  assert.ok(new Set(all.map(({ missing }) => missing)).size > 3);
});

test('what comes within seconds is late, and not missing', () => {
  const pair = new HealthPair();
  pair.connect(90);
  pair.connect(10, false);
  pair.run(seconds(2));
  for (const port of pair.master) pair.backup.add(port);
  pair.run(seconds(3));
  assert.equal([last(pair).late, last(pair).missing], [10, 0]);
});

test('an alarm begins at the second survey beyond the share, and ends at the first within it', () => {
  const pair = new HealthPair(5);
  pair.connect(90);
  pair.connect(10, false);
  pair.run(seconds(6));
  assert.equal([surveys(pair).length, types(pair)], [1, []]);
  pair.run(seconds(20));
  assert.equal(types(pair), ['alarm'], 'told once');
  assert.equal(last(pair).missing, 10);
  for (const port of [...pair.master].slice(0, 95)) pair.backup.add(port);
  pair.run(seconds(10));
  assert.equal(types(pair), ['alarm', 'alarm']);
  assert.is((pair.outcomes.findLast(({ type }) => type === 'alarm') as { on: boolean }).on, false);
});

test('with lvs_sync_alarm 0 nobody is told; who becomes master has no alarm any more', () => {
  const [silent, pair] = [new HealthPair(0), new HealthPair(5)];
  for (const each of [silent, pair]) {
    each.connect(10, false);
    each.run(seconds(30));
  }
  assert.equal(types(silent), []);
  pair.watch(false);
  assert.equal(types(pair), ['alarm', 'alarm']);
  pair.run(seconds(60));
  assert.is(pair.asker.deadline(), undefined);
});

test('while a copy is under way nothing is compared', () => {
  const pair = new HealthPair();
  pair.connect(10, false);
  pair.watch(true, true);
  pair.run(seconds(30));
  assert.equal(pair.outcomes, []);
  pair.watch(true, false);
  pair.run(seconds(5));
  assert.is(last(pair).missing, 10);
});

test('datagrams are counted from the second survey of a master’s life on', () => {
  const pair = new HealthPair();
  pair.connect(5);
  pair.run(seconds(2));
  assert.is(last(pair).datagrams, undefined);
  pair.sent = 40;
  pair.own = { ...pair.own, heard: 39 };
  pair.run(seconds(5));
  assert.equal(last(pair).datagrams, { sent: 40, heard: 39 });
  pair.restart();
  pair.sent = 3;
  pair.run(seconds(5));
  assert.is(last(pair).datagrams, undefined);
  assert.equal(types(pair), []);
});

test('a broken group is told within seconds, once, and its end', () => {
  const pair = new HealthPair();
  pair.connect(5);
  pair.run(seconds(2));
  for (let n = 0; n < 3; n++) {
    pair.sent += 10;
    pair.run(seconds(5));
  }
  pair.sent += 10;
  pair.own = { ...pair.own, heard: 10 };
  pair.run(seconds(5));
  const causes = pair.outcomes.flatMap((effect) => (effect.type === 'cause' ? [effect.cause?.kind] : []));
  assert.equal(causes, ['deaf', undefined]);
});

test('a master with another syncid: nothing is compared, and it is said why; its end, too', () => {
  const pair = new HealthPair();
  pair.connect(5);
  pair.restart(52);
  pair.run(seconds(20));
  assert.equal(surveys(pair), []);
  const causes = () => pair.outcomes.flatMap((effect) => (effect.type === 'cause' ? [effect.cause] : []));
  assert.equal(causes().length, 1, 'once');
  assert.is(causes()[0]?.kind, 'syncid');
  assert.match(causes()[0]?.text ?? '', /^a is master with syncid 52, and ours is 51: /);
  pair.restart();
  pair.run(seconds(20));
  assert.is(last(pair).missing, 0);
  assert.equal([causes().length, causes()[1]], [2, undefined]);
});

test('no master answers: it is said, and the next is heard', () => {
  const pair = new HealthPair();
  pair.connect(5);
  pair.fate = () => 'lost';
  pair.run(seconds(20));
  assert.ok(types(pair).length >= 2);
  assert.equal([...new Set(types(pair))], ['unanswered']);
  pair.fate = undefined;
  pair.run(seconds(10));
  assert.is(last(pair).missing, 0);
});

test('what is replayed makes nobody read a table', () => {
  const pair = new HealthPair();
  pair.connect(50);
  pair.run(seconds(20));
  const said = [...pair.said];
  const readings = surveys(pair).length;
  pair.watch(false);
  for (const { to, message } of said) pair.arrive(to, message);
  const answered = pair.said.slice(said.length).map(({ message }) => message.type);
  assert.equal([...new Set(answered)].sort(), ['counts', 'sample'], 'the last sample may be asked for again');
  assert.ok(pair.replayed >= readings - 1, `${pair.replayed}`);
});

test('any loss and doubles: what is said to be missing is, and it goes on', () => {
  for (let seed = 1; seed <= repetitions(300, 20_000); seed++) {
    const prng = new Prng(seed);
    const pair = new HealthPair();
    pair.connect(prng.between(0, 60));
    const lacking = prng.between(0, 5);
    pair.connect(lacking, false);
    pair.fate = fates(prng, prng.pick([0, 0.1, 0.4]), 0.1);
    if (prng.chance(0.3)) {
      pair.run(seconds(prng.between(1, 20)));
      pair.restart();
    }
    pair.run(seconds(60));
    for (const { missing } of surveys(pair)) assert.is(missing, lacking, `seed ${seed}`);
    pair.fate = undefined;
    const before = surveys(pair).length;
    pair.run(seconds(60));
    assert.ok(surveys(pair).length > before + 3, `seed ${seed} goes on`);
  }
});

test.run();
