import * as assert from 'uvu/assert';
import {
  Child,
  type ChildEffect,
  EXIT_PERMANENT,
  SILENCE_LIMIT,
  START_LIMIT,
} from '../../../src/core/supervision/child.ts';
import { after, instant, millis, seconds, toSeconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const supervision = suite('supervision');
const T0 = instant(0);
const died = { type: 'exited', status: null, signal: 'SIGKILL' } as const;

function started(): Child {
  const child = new Child();
  child.handle({ type: 'start' }, T0);
  assert.equal(child.take(), [{ type: 'spawn' }]);
  return child;
}
const pauseOf = (effects: ChildEffect[]): number[] =>
  effects.flatMap((effect) => (effect.type === 'restarting' ? [toSeconds(effect.pause)] : []));

supervision('a child that dies is started again, after pauses that double up to a minute', () => {
  const child = started();
  const pauses: number[] = [];
  let now = T0;
  for (let i = 0; i < 9; i++) {
    child.handle(died, now);
    pauses.push(...pauseOf(child.take()));
    now = child.deadline() ?? now;
    child.timeout(now);
    assert.equal(child.take(), [{ type: 'spawn' }]);
  }
  assert.equal(pauses, [0.2, 1, 2, 4, 8, 16, 32, 60, 60]);
  assert.is(child.restarts, 9);
});

supervision('a minute of life makes the next pause short again', () => {
  const child = started();
  child.handle(died, T0);
  child.timeout(child.deadline() ?? T0);
  child.take();
  const later = after(T0, seconds(61));
  child.handle(died, later);
  assert.equal(pauseOf(child.take()), [0.2]);
});

const heard = { type: 'heard' } as const;

supervision('silence is a freeze: killed at the limit, not before, and not while it speaks', () => {
  const child = started();
  child.handle(heard, T0);
  child.handle(heard, after(T0, seconds(5)));
  child.timeout(after(T0, SILENCE_LIMIT));
  assert.equal(child.take(), []);
  child.timeout(after(T0, seconds(15)));
  const why = 'it has said nothing for 10 s: it is frozen';
  assert.equal(child.take(), [{ type: 'kill', signal: 'SIGKILL', why }]);
});

supervision('a child on a busy machine has longer to its first word than between words', () => {
  const child = started();
  child.timeout(after(T0, millis(59_999)));
  assert.equal(child.take(), []);
  child.timeout(after(T0, START_LIMIT));
  assert.equal(child.take(), [{ type: 'kill', signal: 'SIGKILL', why: 'it did not start within 60 s' }]);
});

supervision('each life has the time to start anew', () => {
  const child = started();
  child.handle(heard, T0);
  child.handle(died, T0);
  child.timeout(child.deadline() ?? T0);
  child.take();
  child.timeout(after(T0, seconds(30)));
  assert.equal(child.take(), []);
});

supervision('a supervisor that slept listens again before it believes in silence', () => {
  const child = started();
  child.handle(heard, T0);
  const woke = after(T0, seconds(300));
  child.timeout(woke);
  assert.equal(child.take(), []);
  child.timeout(after(woke, SILENCE_LIMIT));
  assert.is(child.take()[0]?.type, 'kill');
});

supervision('a status that says "permanent" is not tried again', () => {
  const child = started();
  child.handle({ type: 'exited', status: EXIT_PERMANENT, signal: null }, T0);
  assert.equal(child.take(), [{ type: 'ended', status: EXIT_PERMANENT, expected: false }]);
  assert.is(child.deadline(), undefined);
});

supervision('without respawning, the first death is the end', () => {
  const child = new Child(false);
  child.handle({ type: 'start' }, T0);
  child.take();
  child.handle(died, T0);
  assert.equal(child.take(), [{ type: 'ended', status: null, expected: false }]);
});

supervision('stop asks, then kills', () => {
  const child = started();
  child.handle(heard, T0);
  child.handle({ type: 'stop', grace: seconds(5) }, T0);
  assert.equal(child.take()[0], { type: 'kill', signal: 'SIGTERM', why: 'the daemon stops' });
  child.timeout(after(T0, seconds(5)));
  assert.is(child.take()[0]?.type, 'kill');
  child.handle(died, after(T0, seconds(6)));
  assert.equal(child.take(), [{ type: 'ended', status: null, expected: true }]);
});

supervision('one that is replaced is started again at once, and no restart counts', () => {
  const child = new Child(false);
  child.handle({ type: 'start' }, T0);
  child.take();
  child.handle({ type: 'replace' }, T0);
  assert.equal([child.take(), child.deadline()], [[], undefined]);
  child.handle(died, T0);
  assert.equal(child.take(), [{ type: 'spawn' }]);
  assert.is(child.restarts, 0);
  child.handle(heard, T0);
  child.handle({ type: 'replace' }, T0);
  child.handle({ type: 'stop', grace: seconds(5) }, T0);
  assert.is(child.take()[0]?.type, 'kill');
  child.handle(died, T0);
  assert.equal(child.take(), [{ type: 'ended', status: null, expected: true }]);
});

supervision('a child is asked when it listens: before, the signal itself would end it', () => {
  const child = started();
  child.handle({ type: 'stop', grace: seconds(5) }, T0);
  assert.equal(child.take(), []);
  child.handle(heard, after(T0, seconds(1)));
  assert.equal(child.take(), [{ type: 'kill', signal: 'SIGTERM', why: 'the daemon stops' }]);
  child.handle(heard, after(T0, seconds(2)));
  assert.equal(child.take(), [], 'once');
});

supervision('one that never listens is killed all the same', () => {
  const child = started();
  child.handle({ type: 'stop', grace: seconds(5) }, T0);
  child.timeout(after(T0, seconds(5)));
  assert.equal(child.take(), [{ type: 'kill', signal: 'SIGKILL', why: 'it did not stop in time' }]);
});

supervision('what a dead child left is put away by another, which is started for that', () => {
  const child = started();
  child.handle(heard, T0);
  child.handle(died, T0);
  child.take();
  child.handle({ type: 'stop', grace: seconds(5) }, T0);
  assert.equal(child.take(), [{ type: 'spawn' }]);
  child.handle(heard, after(T0, seconds(1)));
  assert.is(child.take()[0]?.type, 'kill');
  child.handle({ type: 'exited', status: 0, signal: null }, after(T0, seconds(2)));
  assert.equal(child.take(), [{ type: 'ended', status: 0, expected: true }]);
});

supervision('... also when it died as it was asked, once', () => {
  const child = started();
  child.handle(heard, T0);
  child.handle({ type: 'stop', grace: seconds(5) }, T0);
  child.take();
  child.handle(died, T0);
  assert.equal(child.take(), [{ type: 'spawn' }]);
  child.handle(heard, after(T0, seconds(1)));
  child.take();
  child.handle(died, after(T0, seconds(1)));
  assert.equal(child.take(), [{ type: 'ended', status: null, expected: true }]);
});

supervision('a child that never worked, and waits for its restart, stops at once', () => {
  const child = started();
  child.handle(died, T0);
  child.take();
  child.handle({ type: 'stop', grace: millis(1) }, T0);
  assert.equal(child.take(), [{ type: 'ended', status: null, expected: true }]);
  assert.is(child.deadline(), undefined);
});

supervision(
  'one that is taken over is not started; it is watched, asked to end, and replaced, as any other',
  () => {
    const adopted = (): Child => {
      const child = new Child();
      child.handle({ type: 'adopt' }, T0);
      assert.equal(child.take(), []);
      return child;
    };
    const silent = adopted();
    silent.timeout(after(T0, SILENCE_LIMIT));
    assert.equal(
      silent.take().map((effect) => effect.type === 'kill' && effect.signal),
      ['SIGKILL'],
    );
    silent.handle({ type: 'exited', status: null, signal: null, why: 'it left' }, after(T0, seconds(11)));
    assert.equal(silent.take(), [{ type: 'restarting', pause: millis(200), why: 'it left' }]);
    const stopped = adopted();
    stopped.handle({ type: 'stop', grace: seconds(5) }, T0);
    assert.equal(stopped.take(), [{ type: 'kill', signal: 'SIGTERM', why: 'the daemon stops' }]);
    stopped.handle({ type: 'exited', status: 0, signal: null }, T0);
    assert.equal(stopped.take(), [{ type: 'ended', status: 0, expected: true }]);
  },
);

supervision.run();
