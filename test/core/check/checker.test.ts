import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CheckerEffect, Target } from '../../../src/core/check/checker.ts';
import { Checker } from '../../../src/core/check/checker.ts';
import type { TcpCheck } from '../../../src/core/check/settings.ts';
import type { ConnectOutcome } from '../../../src/core/check/tcp.ts';
import { judgeConnect } from '../../../src/core/check/tcp.ts';
import { ip } from '../../../src/core/ip.ts';
import type { Instant } from '../../../src/core/time.ts';
import { instant, micros, seconds } from '../../../src/core/time.ts';

const test = suite('checker');

const check = (port: number, more: Partial<TcpCheck> = {}): TcpCheck => ({
  kind: 'tcp',
  address: ip('10.0.1.1'),
  port,
  timeout: seconds(5),
  period: seconds(6),
  warmup: seconds(0),
  retries: 1,
  retryDelay: seconds(1),
  alpha: false,
  ...more,
});
const at = (s: number): Instant => instant(s * 1e6);
const refused: ConnectOutcome = { type: 'failed', code: 'ECONNREFUSED' };
const connected: ConnectOutcome = { type: 'connected', latency: micros(412) };

/** Runs a checker to `end`; `answer` says what each probe finds. Returns the effects that are not probes. */
function run(
  checker: Checker,
  end: number,
  answer: (id: string, now: Instant) => ConnectOutcome,
): CheckerEffect[] {
  const seen: CheckerEffect[] = [];
  for (let now = checker.deadline(); now !== undefined && now <= at(end); now = checker.deadline()) {
    checker.timeout(now);
    for (const effect of checker.take()) {
      if (effect.type !== 'probe') seen.push(effect);
      else checker.handle({ type: 'outcome', id: effect.id, outcome: answer(effect.id, now) }, now);
    }
  }
  return seen.concat(checker.take());
}

const health = (effects: readonly CheckerEffect[]): string[] =>
  effects
    .filter((effect) => effect.type === 'health')
    .map((effect) => `${effect.server} ${effect.up ? 'up' : 'down'}: ${effect.cause}`);

const configured = (targets: readonly Target[]): Checker => {
  const checker = new Checker();
  checker.handle({ type: 'configure', targets }, at(0));
  return checker;
};

test('down after the retries with the reason, up again after one success', () => {
  const checker = configured([{ server: 'a', checks: [check(80)] }]);
  const seen = run(checker, 13, (_, now) => (now >= at(6) && now < at(12) ? refused : connected));
  assert.equal(health(seen), [
    'a down: tcp check of 10.0.1.1:80: connection refused',
    'a up: tcp check of 10.0.1.1:80: connected in 0.4 ms',
  ]);
});

test('a server with several checks is up only while all are good', () => {
  const checker = configured([{ server: 'a', checks: [check(80), check(443)] }]);
  const seen = run(checker, 20, (id, now) => (id.endsWith(':443') && now < at(12) ? refused : connected));
  assert.equal(health(seen), [
    'a down: tcp check of 10.0.1.1:443: connection refused',
    'a up: tcp check of 10.0.1.1:443: connected in 0.4 ms',
  ]);
});

test('with alpha a server starts down; without checks it is up', () => {
  const checker = configured([
    { server: 'a', checks: [check(80, { alpha: true })] },
    { server: 'b', checks: [] },
  ]);
  assert.equal(checker.health('a'), { up: false, cause: 'tcp check of 10.0.1.1:80: not checked yet' });
  assert.equal(checker.health('b'), { up: true, cause: 'not checked' });
  assert.is(checker.health('c'), undefined);
  assert.is(health(run(checker, 1, () => connected)).length, 1);
});

test('a reload keeps the standing of what stays and says what it changes', () => {
  const checker = configured([{ server: 'a', checks: [check(80), check(443)] }]);
  run(checker, 0, (id) => (id.endsWith(':443') ? refused : connected));
  assert.is(checker.health('a')?.up, false);
  checker.handle({ type: 'configure', targets: [{ server: 'a', checks: [check(80)] }] }, at(1));
  assert.equal(health(checker.take()), ['a up: tcp check of 10.0.1.1:80: connected in 0.4 ms (reload)']);
});

test('the outcome of a probe that a reload took away is ignored', () => {
  const checker = configured([{ server: 'a', checks: [check(80)] }]);
  checker.timeout(at(0));
  const probe = checker.take()[0];
  assert.is(probe?.type, 'probe');
  checker.handle({ type: 'configure', targets: [] }, at(1));
  assert.equal(checker.take(), [{ type: 'abort', id: 'a: tcp check of 10.0.1.1:80' }]);
  checker.handle({ type: 'outcome', id: 'a: tcp check of 10.0.1.1:80', outcome: connected }, at(2));
  assert.equal(checker.take(), []);
});

test('two checks that look alike are two checks', () => {
  const checker = configured([{ server: 'a', checks: [check(80), check(80, { timeout: seconds(1) })] }]);
  checker.timeout(at(0));
  assert.equal(
    checker.take().map((effect) => (effect.type === 'probe' ? effect.id : effect.type)),
    ['a: tcp check of 10.0.1.1:80', 'a: tcp check of 10.0.1.1:80 (2)'],
  );
});

const bfd = (alpha = false) => ({ kind: 'bfd', session: 'gate', alpha }) as const;
const news = (up: boolean, why: string) => ({ type: 'bfd', sessions: [{ name: 'gate', up, why }] }) as const;

test('a BFD session decides at once, without turns', () => {
  const checker = configured([
    { server: 'a', checks: [bfd()] },
    { server: 'b', checks: [bfd(true)] },
    { server: 'c', checks: [check(80)] },
  ]);
  assert.equal([checker.health('a')?.up, checker.health('b')?.up], [true, false]);
  checker.handle(news(true, 'is Up'), at(1));
  assert.equal(health(checker.take()), ['b up: bfd check of gate: is Up']);
  checker.handle(news(true, 'is Up'), at(2));
  assert.equal(checker.take(), [], 'no news');
  checker.handle(news(false, 'is Down'), at(3));
  assert.equal(health(checker.take()), [
    'a down: bfd check of gate: is Down',
    'b down: bfd check of gate: is Down',
  ]);
  checker.timeout(at(3));
  const probes = checker.take().filter(({ type }) => type === 'probe');
  assert.is(probes.length, 1, 'only the check with turns has one');
});

test('a BFD check that a reload adds knows how the session stands; a session that is not there says nothing', () => {
  const checker = configured([]);
  checker.handle(news(false, 'is Down'), at(1));
  checker.handle({ type: 'configure', targets: [{ server: 'a', checks: [bfd()] }] }, at(2));
  assert.equal(checker.health('a'), { up: false, cause: 'bfd check of gate: is Down' });
  checker.handle({ type: 'bfd', sessions: [] }, at(3));
  assert.is(checker.health('a')?.up, false, 'what was known last');
});

test('health is said only when it changes, and always as the checks stand', () => {
  const outcomes = fc.array(fc.constantFrom('g', 'b', '?'), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(outcomes, fc.integer({ min: 0, max: 3 }), fc.boolean(), (letters, retries, alpha) => {
      const target = {
        server: 'a',
        checks: [check(80, { retries, alpha }), check(443, { retries: 0, alpha })],
      };
      const checker = configured([target]);
      let up = checker.health('a')?.up;
      let turn = 0;
      const seen = run(checker, 200, () => {
        const letter = letters[turn++ % letters.length];
        if (letter === '?') return { type: 'failed', code: 'EMFILE' };
        return letter === 'g' ? connected : refused;
      });
      const standings = new Map<string, boolean>();
      for (const effect of seen) {
        if (effect.type === 'result') standings.set(effect.id, effect.standing.up);
        if (effect.type !== 'health') continue;
        assert.is.not(effect.up, up);
        up = effect.up;
      }
      assert.is(checker.health('a')?.up, up);
      assert.is(
        up,
        Array.from(standings.values()).every((each) => each),
      );
    }),
  );
});

test('outcomes in words', () => {
  assert.equal(judgeConnect(check(80), { type: 'timeout' }), {
    verdict: 'bad',
    reason: 'no answer within 5 s',
  });
  assert.equal(judgeConnect(check(80), { type: 'failed', code: 'EHOSTUNREACH' }), {
    verdict: 'bad',
    reason: 'no route to host',
  });
  assert.equal(judgeConnect(check(80), { type: 'failed', code: 'EWHATEVER' }), {
    verdict: 'bad',
    reason: 'cannot connect (EWHATEVER)',
  });
  assert.is(judgeConnect(check(80), { type: 'failed', code: 'EMFILE' }).verdict, 'unknown');
});

test.run();
