import * as assert from 'uvu/assert';
import type { Heartbeat } from '../../../src/core/fence/heartbeat-codec.ts';
import { lineOf } from '../../../src/core/fence/lines.ts';
import { Protection } from '../../../src/core/fence/protection.ts';
import type { Startup } from '../../../src/core/fence/settings.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { CLAIM, MARGIN, Pair } from './pair.ts';

const test = suite('protection of a pair');

/** All have been there for long enough to promise. */
function running(): Pair {
  const pair = new Pair();
  pair.pass(4);
  return pair;
}

test('nobody holds before all older promises have ended', () => {
  const pair = new Pair();
  pair.pass(0.2);
  pair.want('a');
  pair.pass(2.5);
  assert.not.ok(pair.hear().some((line) => line.includes('authorised')));
  pair.pass(8);
  assert.ok(pair.hear().includes('a authorised for 3.0 s'));
});

test('one holds, the other is refused and says who holds', () => {
  const pair = running();
  pair.want('a');
  assert.equal(pair.hear(), ['a authorised for 3.0 s']);
  pair.want('b', 120);
  pair.pass(5);
  const told = pair.hear();
  assert.ok(told.includes('b refused'));
  assert.ok(told.includes('a challenged'));
  assert.not.ok(told.some((line) => line.startsWith('b authorised') || line === 'a lost'));
});

test('the other holds as soon as the first has let go', () => {
  const pair = running();
  pair.want('a');
  pair.hear();
  pair.letGo('a');
  pair.want('b');
  assert.equal(pair.hear(), ['b authorised for 3.0 s']);
});

test('who is told to take over hears with that word that the votes are free', () => {
  const pair = running();
  pair.want('a');
  pair.hear();
  pair.cut('ab');
  pair.letGo('a');
  pair.mend();
  const word = { type: 'hand-over', unit: CLAIM, number: 1, step: 'take' } as const;
  pair.event('a', { type: 'say', to: 'b', words: [word] });
  pair.want('b');
  assert.equal(pair.hear(), ['b said', 'b authorised for 3.0 s']);
});

test('what is said of many hand-overs goes out in one heartbeat, and is told at once', () => {
  const pair = running();
  const words = Array.from(
    { length: 300 },
    (_, number) => ({ type: 'hand-over', unit: `router ${number}`, number, step: 'offer' }) as const,
  );
  pair.told.splice(0);
  pair.event('a', { type: 'say', words });
  assert.equal(pair.told, ['b said']);
});

test('without its peer, or without the witness, the holder goes on; without both it loses', () => {
  const pair = running();
  pair.want('a');
  pair.cut('ab');
  pair.pass(10);
  pair.mend();
  pair.cut('aw');
  pair.pass(10);
  assert.not.ok(pair.hear().includes('a lost'));
  pair.cut('ab', 'aw');
  pair.pass(3);
  assert.ok(pair.hear().includes('a lost'));
});

test('who is cut off loses before the other gets it', () => {
  const pair = running();
  pair.want('a');
  pair.cut('ab', 'aw');
  pair.want('b');
  pair.pass(12);
  const told = pair.hear();
  assert.ok(told.indexOf('a lost') < told.indexOf('b authorised for 3.0 s'), told.join());
  assert.ok(told.indexOf('a lost') >= 0);
});

test('a director that restarts is heard in its new life', () => {
  const pair = running();
  pair.boot('b', 'b2');
  pair.pass(5);
  pair.want('b');
  assert.equal(pair.hear(), ['b authorised for 3.0 s']);
  const [peer] = pair.get('b').peers(pair.now);
  assert.is(peer?.name, 'a');
  assert.ok((peer?.silent ?? 1e9) < 1.1e6);
});

test('the status of a claim has each vote', () => {
  const pair = running();
  pair.want('a');
  const { state, votes } = pair.get('a').claim(CLAIM, pair.now);
  assert.is(state, 'holding');
  assert.equal(
    votes.map(({ voter, why }) => `${voter} ${why}`),
    ['a promised', 'b promised', 'w promised'],
  );
});

test('etcd in place of a witness: it is asked what the others are, and its answer counts', () => {
  const settings = { cluster: 'web', name: 'a', life: 'a1', directors: ['a', 'b'], etcd: 'etcd', ...MARGIN };
  const start = instant(1e9);
  const protection = new Protection({ ...settings, interval: seconds(1) }, start, 0);
  const now = instant(start + seconds(4));
  const words = () => protection.take().flatMap((effect) => (effect.type === 'etcd' ? [effect.word] : []));
  protection.handle({ type: 'want', claim: CLAIM, priority: 100, promise: seconds(3), why: 'test' }, now);
  const [asked] = words();
  assert.equal(asked, {
    type: 'ask',
    ask: { claim: CLAIM, director: 'a', life: 'a1', number: 1, duration: seconds(3) },
  });
  protection.handle(
    { type: 'etcd', answer: { type: 'answer', claim: CLAIM, number: 1, answer: { type: 'granted' } } },
    now,
  );
  assert.is(protection.claim(CLAIM, now).state, 'holding');
  assert.equal(protection.peers(now).at(-1), { name: 'etcd', witness: true, silent: 0, clock: undefined });
  protection.handle({ type: 'let-go', claim: CLAIM, why: 'test' }, now);
  assert.equal(
    words().map(({ type }) => type),
    ['release'],
  );
});

/** A pair without a witness that fences, on a network that loses what `loses` says. */
function fencingPair(loses: (heartbeat: Heartbeat) => boolean, startup: Startup = 'wait') {
  let now = instant(1e9);
  const shots: string[] = [];
  const lines: string[] = [];
  const taped: Heartbeat[] = [];
  const directors = new Map<string, Protection>();
  const boot = (name: string, life: string): void => {
    const settings = { cluster: 'web', name, life, directors: ['a', 'b'], ...MARGIN };
    const protection = new Protection(
      { ...settings, interval: seconds(1), fenced: ['a', 'b'], startup },
      now,
      0,
    );
    protection.handle({ type: 'clean' }, now);
    directors.set(name, protection);
  };
  for (const name of ['a', 'b']) boot(name, `${name}1`);
  const settle = (): void => {
    for (const [name, director] of directors)
      for (const effect of director.take()) {
        if (effect.type === 'fence') shots.push(`${name} shoots ${effect.director} for ${effect.claim}`);
        if (['dropped', 'peer', 'believed'].includes(effect.type)) lines.push(lineOf(effect)?.message ?? '');
        if (effect.type !== 'send') continue;
        const { heartbeat } = effect;
        taped.push(heartbeat);
        if (!loses(heartbeat))
          directors.get(heartbeat.to)?.handle({ type: 'heartbeat', heartbeat, utc: 0 }, now);
      }
  };
  return {
    shots,
    lines,
    taped,
    boot,
    dropped: (name: string) => directors.get(name)?.dropped ?? {},
    holder: (name: string, claim: string) =>
      directors.get(name)?.standing(name === 'a' ? 'b' : 'a', claim, now),
    /** A stranger sends a heartbeat that somebody sent before. */
    replay: (heartbeat: Heartbeat) => {
      directors.get(heartbeat.to)?.handle({ type: 'heartbeat', heartbeat, utc: 0 }, now);
      settle();
    },
    state: (name: string, claim: string) => directors.get(name)?.claim(claim, now).state,
    want: (name: string, claim: string) => {
      directors.get(name)?.handle({ type: 'want', claim, priority: 100, why: 'test' }, now);
      settle();
    },
    unfenced: (name: string, director: string, claims: readonly string[]) => {
      directors.get(name)?.handle({ type: 'unfenced', director, at: now, claims }, now);
      settle();
    },
    pass: (s: number) => {
      for (let tenth = 0; tenth < s * 10; tenth++) {
        now = instant(now + 100_000);
        for (const director of directors.values()) director.timeout(now);
        for (let turn = 0; turn < 4; turn++) settle();
      }
    },
  };
}

test('a director that is heard is not shot, though its answers are lost: it may serve another router', () => {
  let lossy = false;
  const pair = fencingPair(
    ({ from, words }) => lossy && from === 'b' && words.some(({ type }) => type === 'answer'),
  );
  pair.pass(2);
  pair.want('a', 'A');
  pair.want('b', 'B');
  pair.pass(1);
  assert.equal([pair.state('a', 'A'), pair.state('b', 'B')], ['holding', 'holding']);
  lossy = true;
  // a has heard no advert of B, and its votes do not come.
  pair.want('a', 'B');
  pair.pass(20);
  assert.equal(pair.shots, []);
  assert.equal([pair.state('a', 'B'), pair.state('b', 'B')], ['asking', 'holding']);
});

test('where it cannot be switched off, those claims go on that are to take the addresses all the same', () => {
  let silent = false;
  const pair = fencingPair(({ from }) => silent && from === 'b');
  pair.pass(2);
  for (const claim of ['A', 'B']) pair.want('b', claim);
  pair.pass(1);
  silent = true;
  pair.pass(5);
  for (const claim of ['A', 'B']) pair.want('a', claim);
  pair.pass(5);
  assert.ok(pair.shots.includes('a shoots b for A'));
  pair.unfenced('a', 'b', ['A']);
  pair.pass(1);
  assert.equal([pair.state('a', 'A'), pair.state('a', 'B')], ['holding', 'asking']);
});

test('who has heard no other since its start waits, switches it off, or takes the addresses: startup_alone', () => {
  const alone = (startup: Startup) => {
    const pair = fencingPair(() => true, startup);
    pair.pass(10);
    pair.want('a', 'A');
    pair.pass(10);
    return { state: pair.state('a', 'A'), shot: pair.shots.length > 0, lines: [...new Set(pair.lines)] };
  };
  assert.equal(alone('wait'), { state: 'asking', shot: false, lines: [] });
  assert.equal(alone('fence'), { state: 'asking', shot: true, lines: [] });
  const line = 'A: b was not heard since our start: taken without it (startup_alone take)';
  assert.equal(alone('take'), { state: 'holding', shot: false, lines: [line] });
});

test('with startup_alone take one that was heard before is switched off all the same', () => {
  let silent = false;
  const pair = fencingPair(({ from }) => silent && from === 'b', 'take');
  pair.pass(5);
  silent = true;
  pair.pass(10);
  pair.want('a', 'A');
  pair.pass(5);
  assert.is(pair.state('a', 'A'), 'asking');
  assert.ok(pair.shots.includes('a shoots b for A'));
});

test('heartbeats of an earlier life that are sent again prove nothing: no life, no vote, and they are counted', () => {
  let silent = false;
  const pair = fencingPair(({ from }) => silent && from === 'b');
  pair.pass(20);
  const old = pair.taped.filter(({ from }) => from === 'b');
  for (const life of ['b2', 'b3', 'b4', 'b5']) {
    pair.boot('b', life);
    pair.pass(4);
  }
  pair.want('b', 'B');
  pair.pass(1);
  assert.is(pair.state('b', 'B'), 'holding');
  const holds = (): boolean | undefined => pair.holder('a', 'B')?.claims;
  assert.ok(holds(), 'a has promised its vote to b');
  silent = true;
  pair.pass(10);
  pair.lines.length = 0;
  for (const heartbeat of old) pair.replay(heartbeat);
  for (let again = 0; again < 20; again++) for (const heartbeat of old) pair.replay(heartbeat);
  assert.ok(holds(), 'it still has');
  assert.is(pair.holder('a', 'B')?.heard, false, 'b is not heard');
  assert.equal(
    pair.lines.filter((line) => !line.includes('silent')),
    ['dropped 1 heartbeat: replayed'],
  );
  assert.ok((pair.dropped('a').replayed ?? 0) > old.length, JSON.stringify(pair.dropped('a')));
  silent = false;
  pair.pass(3);
  assert.ok(pair.holder('a', 'B')?.heard, 'and b is heard as soon as it speaks');
});

test.run();
