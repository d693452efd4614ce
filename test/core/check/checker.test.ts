import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { CheckerEffect, Target } from '../../../src/core/check/checker.ts';
import { Checker } from '../../../src/core/check/checker.ts';
import { judgeFailure, judgeTimeout } from '../../../src/core/check/failure.ts';
import type { FileCheck, MiscCheck, TcpCheck } from '../../../src/core/check/settings.ts';
import type { CheckResult } from '../../../src/core/check/verdict.ts';
import { ip } from '../../../src/core/ip.ts';
import type { Instant } from '../../../src/core/time.ts';
import { instant, micros, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

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
const refused = judgeFailure('ECONNREFUSED');
const connected: CheckResult = { verdict: 'good', reason: 'connected', latency: micros(412) };

/** Runs a checker to `end`; `answer` says what each probe finds. Returns the effects that are not probes. */
function run(
  checker: Checker,
  end: number,
  answer: (id: string, now: Instant) => CheckResult,
): CheckerEffect[] {
  const seen: CheckerEffect[] = [];
  for (let now = checker.deadline(); now !== undefined && now <= at(end); now = checker.deadline()) {
    checker.timeout(now);
    for (const effect of checker.take()) {
      if (effect.type !== 'probe') seen.push(effect);
      else checker.handle({ type: 'outcome', id: effect.id, result: answer(effect.id, now) }, now);
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
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80)] }]);
  const seen = run(checker, 13, (_, now) => (now >= at(6) && now < at(12) ? refused : connected));
  assert.equal(health(seen), [
    'a down: tcp check of 10.0.1.1:80: connection refused',
    'a up: tcp check of 10.0.1.1:80: connected in 0.4 ms',
  ]);
});

test('a server with several checks is up only while all are good', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80), check(443)] }]);
  const seen = run(checker, 20, (id, now) => (id.endsWith(':443') && now < at(12) ? refused : connected));
  assert.equal(health(seen), [
    'a down: tcp check of 10.0.1.1:443: connection refused',
    'a up: tcp check of 10.0.1.1:443: connected in 0.4 ms',
  ]);
});

test('with alpha a server starts down; without checks it is up', () => {
  const checker = configured([
    { server: 'a', weight: 1, checks: [check(80, { alpha: true })] },
    { server: 'b', weight: 1, checks: [] },
  ]);
  assert.equal(checker.health('a'), {
    up: false,
    cause: 'tcp check of 10.0.1.1:80: not checked yet',
    weight: 1,
  });
  assert.equal(checker.health('b'), { up: true, cause: 'not checked', weight: 1 });
  assert.is(checker.health('c'), undefined);
  assert.is(health(run(checker, 1, () => connected)).length, 1);
});

test('a bad result while the director stood still says nothing, and the check is made again soon', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80, { retries: 0 })] }]);
  const asked: Instant[] = [];
  const seen = run(checker, 14, (_, now) => {
    asked.push(now);
    return now === at(6) ? { ...refused, stood: seconds(4) } : connected;
  });
  assert.equal(health(seen), []);
  assert.equal(asked, [at(0), at(6), at(7), at(12)]);
  const unknown = seen.flatMap((effect) => (effect.type === 'result' ? effect.result : []))[1];
  assert.equal(unknown, {
    verdict: 'unknown',
    reason: 'this director stood still meanwhile (otherwise: connection refused)',
  });
});

test('a director that stands still again and again takes a dead server out all the same', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80, { retries: 0 })] }]);
  const seen = run(checker, 20, (_, now) => (now < at(6) ? connected : { ...refused, stood: seconds(1) }));
  assert.equal(health(seen), ['a down: tcp check of 10.0.1.1:80: connection refused']);
});

test('good news count however long the director stood still', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80, { alpha: true })] }]);
  const seen = run(checker, 1, () => ({ verdict: 'good', reason: 'connected', stood: seconds(4) }));
  assert.equal(health(seen), ['a up: tcp check of 10.0.1.1:80: connected']);
});

test('a reload keeps the standing of what stays and says what it changes', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80), check(443)] }]);
  run(checker, 0, (id) => (id.endsWith(':443') ? refused : connected));
  assert.is(checker.health('a')?.up, false);
  checker.handle({ type: 'configure', targets: [{ server: 'a', weight: 1, checks: [check(80)] }] }, at(1));
  assert.equal(health(checker.take()), ['a up: tcp check of 10.0.1.1:80: connected in 0.4 ms (reload)']);
});

test('the outcome of a probe that a reload took away is ignored', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80)] }]);
  checker.timeout(at(0));
  const probe = checker.take()[0];
  assert.is(probe?.type, 'probe');
  checker.handle({ type: 'configure', targets: [] }, at(1));
  assert.equal(checker.take(), [{ type: 'abort', id: 'tcp check of 10.0.1.1:80' }]);
  checker.handle({ type: 'outcome', id: 'tcp check of 10.0.1.1:80', result: connected }, at(2));
  assert.equal(checker.take(), []);
});

test('two checks that look alike are two checks', () => {
  const checker = configured([
    { server: 'a', weight: 1, checks: [check(80), check(80, { timeout: seconds(1) })] },
  ]);
  checker.timeout(at(0));
  assert.equal(
    checker.take().map((effect) => (effect.type === 'probe' ? effect.id : effect.type)),
    ['tcp check of 10.0.1.1:80', 'tcp check of 10.0.1.1:80 (2)'],
  );
});

const bfd = (alpha = false) => ({ kind: 'bfd', session: 'gate', alpha }) as const;
const news = (up: boolean, why: string) => ({ type: 'bfd', sessions: [{ name: 'gate', up, why }] }) as const;

test('a BFD session decides at once, without turns', () => {
  const checker = configured([
    { server: 'a', weight: 1, checks: [bfd()] },
    { server: 'b', weight: 1, checks: [bfd(true)] },
    { server: 'c', weight: 1, checks: [check(80)] },
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
  checker.handle({ type: 'configure', targets: [{ server: 'a', weight: 1, checks: [bfd()] }] }, at(2));
  assert.equal(checker.health('a'), {
    up: false,
    cause: 'bfd check of gate: is Down',
    weight: 1,
  });
  checker.handle({ type: 'bfd', sessions: [] }, at(3));
  assert.is(checker.health('a')?.up, false, 'what was known last');
});

test('health is said only when it changes, and always as the checks stand', () => {
  const outcomes = fc.array(fc.constantFrom('g', 'b', '?'), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(outcomes, fc.integer({ min: 0, max: 3 }), fc.boolean(), (letters, retries, alpha) => {
      const target = {
        server: 'a',
        weight: 1,
        checks: [check(80, { retries, alpha }), check(443, { retries: 0, alpha })],
      };
      const checker = configured([target]);
      let up = checker.health('a')?.up;
      let turn = 0;
      const seen = run(checker, 200, () => {
        const letter = letters[turn++ % letters.length];
        if (letter === '?') return judgeFailure('EMFILE');
        return letter === 'g' ? connected : refused;
      });
      const standings = new Map<string, boolean>();
      for (const effect of seen) {
        if (effect.type === 'result') standings.set(effect.check, effect.standing.up);
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

test('failures in words', () => {
  assert.equal(judgeTimeout(seconds(5)), { verdict: 'bad', reason: 'no answer within 5 s' });
  assert.equal(judgeFailure('EHOSTUNREACH'), { verdict: 'bad', reason: 'no route to host' });
  assert.equal(judgeFailure('EWHATEVER'), { verdict: 'bad', reason: 'cannot connect (EWHATEVER)' });
  assert.is(judgeFailure('EMFILE').verdict, 'unknown');
});

test('one machine that serves two services is probed once, and both hear of it', () => {
  const checker = configured([
    { server: 'a', weight: 1, checks: [check(80)] },
    { server: 'b', weight: 1, checks: [check(80)] },
  ]);
  let probes = 0;
  const seen = run(checker, 0, () => {
    probes++;
    return refused;
  });
  assert.is(probes, 1);
  assert.equal(health(seen), [
    'a down: tcp check of 10.0.1.1:80: connection refused',
    'b down: tcp check of 10.0.1.1:80: connection refused',
  ]);
});

test('a script gives the weight; a failure and a plain success give the configured one back', () => {
  const script: MiscCheck = {
    kind: 'misc',
    command: ['/bin/load'],
    timeout: seconds(5),
    dynamic: true,
    period: seconds(6),
    warmup: seconds(0),
    retries: 0,
    retryDelay: seconds(1),
    alpha: false,
  };
  const checker = configured([{ server: 'a', weight: 10, checks: [script, fileCheck('f', 2)] }]);
  const results: CheckResult[] = [
    { verdict: 'good', reason: 'exit status 42', weight: 40 },
    { verdict: 'bad', reason: 'exit status 1' },
    { verdict: 'good', reason: 'exit status 5', weight: 3 },
    { verdict: 'good', reason: 'exit status 0' },
  ];
  const weights: (number | undefined)[] = [];
  for (const [i, result] of results.entries()) {
    run(checker, i * 6, () => result);
    weights.push(checker.health('a')?.weight);
  }
  assert.equal(weights, [40, 10, 3, 10]);
  checker.handle(fileNews(-3), at(30));
  assert.is(checker.health('a')?.weight, 4);
  checker.handle(fileNews(-30), at(30));
  assert.is(checker.health('a')?.weight, 0);
  checker.handle(fileNews(-(2 ** 31)), at(30));
  assert.equal(checker.health('a'), { up: false, cause: 'file check of f: has -2147483648', weight: 10 });
});

const fileNews = (value: number) => ({ type: 'file', files: [{ name: 'f', value }] }) as const;
const fileCheck = (file: string, weight: number, reverse = false): FileCheck => ({
  kind: 'file',
  file,
  weight,
  reverse,
});

test('a file without a weight takes its server down and brings it back', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [fileCheck('f', 0)] }]);
  assert.is(checker.health('a')?.up, true);
  checker.handle(fileNews(1), at(1));
  assert.equal(health(checker.take()), ['a down: file check of f: has 1']);
  checker.handle(fileNews(0), at(2));
  assert.is(checker.health('a')?.up, true);
});

test('what a check saw is kept: runs of the same result, since when, how long', () => {
  const checker = configured([{ server: 'a', weight: 1, checks: [check(80)] }]);
  run(checker, 20, (_, now) => (now < at(12) ? connected : refused));
  const seen = checker.seen('a');
  assert.is(seen?.up, false);
  assert.is(seen?.since, at(13));
  assert.equal(
    seen?.checks[0]?.results.map(({ verdict, reason, count }) => `${verdict} ${reason} ${count}`),
    ['good connected 2', 'bad connection refused 3'],
  );
  assert.equal(seen?.checks[0]?.latencies.at(-1), { upTo: 500, count: 2 });
});

test.run();
