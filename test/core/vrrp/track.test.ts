import * as assert from 'uvu/assert';
import type { TrackKind, TrackSettings } from '../../../src/core/vrrp/settings.ts';
import { type TrackEvent, Tracking } from '../../../src/core/vrrp/track.ts';
import { suite } from '../../suite.ts';
import { Router } from './router.ts';

/** Weights and faults of what is tracked: keepalived's rules. */
const track = suite('vrrp tracking');

const line = (kind: TrackKind, name: string, weight = 0, reverse = false): TrackSettings => ({
  kind,
  name,
  weight,
  reverse,
});
const news = (kind: Exclude<TrackKind, 'file'>, name: string, good: boolean): TrackEvent => ({
  type: 'track',
  kind,
  name,
  good,
  why: good ? 'it works' : 'it failed',
});
const file = (name: string, value: number): TrackEvent => ({ type: 'track', kind: 'file', name, value });

function tracking(lines: readonly TrackSettings[], ...events: readonly TrackEvent[]): Tracking {
  const made = new Tracking();
  made.configure(lines);
  for (const event of events) made.note(event);
  return made;
}

for (const [what, weight, reverse, whenGood, whenBad] of [
  ['a positive weight is added while it is good', 20, false, 120, 100],
  ['a negative weight is subtracted while it is bad', -20, false, 100, 80],
  ['reversed, a positive weight is added while it is bad', 20, true, 100, 120],
  ['reversed, a negative weight is subtracted while it is good', -20, true, 80, 100],
] as const) {
  track(what, () => {
    for (const kind of ['interface', 'script', 'process', 'bfd'] as const) {
      const lines = [line(kind, 'x', weight, reverse)];
      assert.is(tracking(lines, news(kind, 'x', true)).priority(100), whenGood);
      assert.is(tracking(lines, news(kind, 'x', false)).priority(100), whenBad);
      assert.equal(tracking(lines, news(kind, 'x', false)).faults, []);
      assert.is(tracking(lines).priority(100), 100, 'nothing known, no weight');
    }
  });
}

track('weights add up, and end at 1 and 254', () => {
  const lines = [line('script', 'a', 200), line('script', 'b', -200), line('script', 'c', -50)];
  const [a, b, c] = ['a', 'b', 'c'] as const;
  assert.is(tracking(lines, news('script', a, true)).priority(100), 254);
  assert.is(tracking(lines, news('script', b, false)).priority(100), 1);
  assert.is(tracking(lines, news('script', a, true), news('script', b, false)).priority(100), 100);
  assert.is(tracking(lines, news('script', c, false)).priority(100), 50);
});

track('an owner stays at 255', () => {
  assert.is(tracking([line('script', 'a', -50)], news('script', 'a', false)).priority(255), 255);
});

track('without a weight what is bad, or not known yet, is a fault: all are told', () => {
  const lines = [line('script', 'a'), line('interface', 'eth1'), line('bfd', 'peer', 0, true)];
  const some = tracking(lines, news('script', 'a', false), news('bfd', 'peer', true));
  assert.equal(some.faults, [
    'script a: it failed',
    'nothing is known of interface eth1 yet',
    'bfd peer: it works',
  ]);
  const none = tracking(
    lines,
    news('script', 'a', true),
    news('interface', 'eth1', true),
    news('bfd', 'peer', false),
  );
  assert.equal(none.faults, []);
});

track('the number in a file times its weight is added', () => {
  const lines = [line('file', 'load', 2)];
  assert.is(tracking(lines, file('load', 10)).priority(100), 120);
  assert.is(tracking(lines, file('load', -10)).priority(100), 80);
  assert.is(tracking([line('file', 'load', 2, true)], file('load', 10)).priority(100), 80);
  assert.is(tracking(lines).priority(100), 100, 'a file that is not there is 0');
});

track('a file is cut at 253, and at -254 it is a fault', () => {
  const lines = [line('file', 'load', 1), line('script', 'a', -250)];
  const high = tracking(lines, file('load', 2 ** 31 - 1), news('script', 'a', false));
  assert.is(high.priority(100), 103);
  assert.equal(tracking(lines, file('load', -253)).faults, []);
  assert.equal(tracking(lines, file('load', -254)).faults, ['file load has -254']);
});

track('without a weight any number but 0 in a file is a fault', () => {
  assert.equal(tracking([line('file', 'down')], file('down', 3)).faults, ['file down has 3']);
  assert.equal(tracking([line('file', 'down')], file('down', 0)).faults, []);
  assert.equal(tracking([line('file', 'down', 0, true)], file('down', 0)).faults, ['file down has 0']);
  assert.equal(tracking([line('file', 'down')]).faults, []);
});

track('what is tracked no more is forgotten, the rest is kept', () => {
  const some = tracking(
    [line('script', 'a', 10), line('script', 'b', 5)],
    news('script', 'a', true),
    news('script', 'b', true),
  );
  some.configure([line('script', 'b', 7)]);
  assert.is(some.priority(100), 107);
  some.configure([line('script', 'a', 10), line('script', 'b', 7)]);
  assert.is(some.priority(100), 107);
});

track('a router begins in fault until its script has run', () => {
  const router = Router.started({ track: [line('script', 'check')] });
  assert.is(router.state, 'FAULT');
  assert.equal(router.machine.status().faults, ['nothing is known of script check yet']);
  assert.equal(router.event(news('script', 'check', true), 1), ['FAULT -> BACKUP: script check: it works']);
});

track('a fault of a master: it resigns, and says why; the link comes back, the script does not', () => {
  const router = Router.started({ track: [line('script', 'check')] }, -10);
  router.event(news('script', 'check', true), -10);
  router.until(0);
  assert.equal(router.event(news('script', 'check', false), 0), [
    'advert 0',
    'release',
    'MASTER -> FAULT: script check: it failed',
  ]);
  router.event({ type: 'link', up: false, why: 'eth0 is down' }, 1);
  assert.equal(router.machine.status().faults, ['eth0 is down', 'script check: it failed']);
  assert.equal(
    router.event({ type: 'link', up: true, source: '10.0.0.5' as never, why: 'eth0 is up' }, 2),
    [],
  );
  assert.equal(router.event(news('script', 'check', true), 3), ['FAULT -> BACKUP: script check: it works']);
});

track('a weight changes the adverts of a master at once', () => {
  const router = Router.master({ track: [line('interface', 'eth1', -30)] });
  assert.equal(router.event(news('interface', 'eth1', true), 0.3), []);
  assert.equal(router.event(news('interface', 'eth1', false), 0.5), ['advert 70', 'priority 70']);
  assert.is(router.machine.status().priority, 70);
  assert.equal(router.advert(80, 0.6), [
    'advert 70',
    'release',
    'MASTER -> BACKUP: higher priority 80 from 10.0.0.1',
  ]);
});

track('a backup whose weight comes back preempts, with nopreempt it does not', () => {
  const takesOver = (preempt: boolean): boolean => {
    const router = Router.started({ preempt, track: [line('script', 'check', -30)] });
    router.event(news('script', 'check', false), 0);
    for (let s = 1; s <= 5; s++) {
      router.advert(80, s);
      router.timeout(s + 0.5);
    }
    assert.is(router.state, 'BACKUP');
    router.event(news('script', 'check', true), 5.6);
    for (let s = 6; s <= 12 && router.state === 'BACKUP'; s++) {
      router.advert(80, s);
      router.until(s + 0.9);
    }
    return router.state === 'MASTER';
  };
  assert.equal([takesOver(true), takesOver(false)], [true, false]);
});

track.run();
