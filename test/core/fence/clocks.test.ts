import * as assert from 'uvu/assert';
import { Clocks } from '../../../src/core/fence/clocks.ts';
import { lineOf } from '../../../src/core/fence/lines.ts';
import { Protection } from '../../../src/core/fence/protection.ts';
import type { ProtectionEffect } from '../../../src/core/fence/protection-events.ts';
import { Reactions } from '../../../src/core/notify/reactions.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

/** Wall clocks of the directors of a cluster, compared by heartbeats. */
const test = suite('clocks of a cluster');

const at = (s: number): ReturnType<typeof instant> => instant(1e9 + s * 1e6);

test('a difference is told when it has lasted, once, and its end', () => {
  const clocks = new Clocks();
  const compare = (difference: number, s: number): string => {
    const news = clocks.compare('b', seconds(difference), at(s));
    return news === undefined ? '' : `${news.apart ? 'apart' : 'agrees'} ${news.difference / 1e6}`;
  };
  assert.equal([compare(0.9, 0), compare(-0.9, 10)], ['', '']);
  assert.equal(
    [compare(-1.1, 20), compare(-1.2, 22.9), compare(-1.3, 23), compare(-1.3, 60)],
    ['', '', 'apart -1.3', ''],
  );
  assert.equal(
    [compare(0.1, 61), compare(5, 62), compare(0.1, 63), compare(0.1, 66)],
    ['', '', '', 'agrees 0.1'],
  );
});

test('heartbeats that waited while a process stood still are no clock that is behind', () => {
  const clocks = new Clocks();
  for (let i = 0; i < 40; i++) assert.is(clocks.compare('b', seconds(-10 + i / 4), at(100)), undefined);
  assert.is(clocks.compare('b', seconds(0), at(101)), undefined);
});

/** A pair, of which `b` has a wall clock that is ahead by this. */
function warnings(ahead: number): ProtectionEffect[] {
  const common = {
    cluster: 'web',
    directors: ['a', 'b'],
    longest: seconds(3),
    margin: 0.01,
    interval: seconds(1),
  };
  const wall = { a: 1e15, b: 1e15 + ahead * 1e6 };
  const pair = {
    a: new Protection({ ...common, name: 'a', life: '1' }, at(0), wall.a),
    b: new Protection({ ...common, name: 'b', life: '1' }, at(0), wall.b),
  };
  const told: ProtectionEffect[] = [];
  for (const each of Object.values(pair)) each.handle({ type: 'clean' }, at(0));
  for (let s = 0; s < 10; s += 0.1) {
    for (const name of ['a', 'b'] as const) {
      pair[name].timeout(at(s));
      for (const effect of pair[name].take()) {
        if (effect.type === 'clock' && name === 'a') told.push(effect);
        if (effect.type !== 'send') continue;
        const to = name === 'a' ? 'b' : 'a';
        const utc = wall[to] + Math.round(s * 1e6);
        pair[to].handle({ type: 'heartbeat', heartbeat: effect.heartbeat, utc }, at(s));
      }
    }
  }
  return told;
}

test('the directors of a pair say by how much the other one differs, in log, FIFO and mail', () => {
  assert.equal(warnings(0.5), []);
  const [warning, ...more] = warnings(3600);
  assert.ok(warning?.type === 'clock');
  assert.is(more.length, 0);
  const message = lineOf(warning)?.message ?? '';
  assert.match(message, /^the clock of b is 3600\.\d s ahead of ours: logs and certificates disagree$/);
  assert.match(
    lineOf(warnings(-2)[0] as ProtectionEffect)?.message ?? '',
    /the clock of b is [12]\.\d s behind ours/,
  );
  const mail = { server: 'localhost', from: 'a@b', to: ['c@d'], timeout: seconds(1) } as never;
  const configuration = { timeout: seconds(1), subjects: [], mail } as never;
  const happening = { of: 'voter', name: 'b', what: 'CLOCK_APART', cause: message } as const;
  const told = new Reactions(configuration).to(happening);
  assert.is(told.line?.text, 'VOTER "b" CLOCK_APART\n');
  assert.equal(told.mail, { subject: 'Director b - CLOCK_APART', body: `=> ${message} <=` });
  assert.is(new Reactions({ timeout: seconds(1), subjects: [] } as never).to(happening).mail, undefined);
});

test.run();
