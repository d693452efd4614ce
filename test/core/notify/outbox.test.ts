import * as assert from 'uvu/assert';
import { MOST_MAILS, Outbox, type OutboxEvent } from '../../../src/core/notify/outbox.ts';
import { instant } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('mails on their way');

class Bench {
  readonly outbox = new Outbox();

  event(event: OutboxEvent, s = 0): string[] {
    this.outbox.handle(event, instant(s * 1e6));
    return this.done();
  }

  post(subject: string, s = 0): string[] {
    return this.event({ type: 'post', mail: { subject, body: '' } }, s);
  }

  until(s: number): string[] {
    this.outbox.timeout(instant(s * 1e6));
    return this.done();
  }

  done(): string[] {
    return this.outbox.take().map((effect) => (effect.type === 'log' ? effect.message : effect.mail.subject));
  }
}

const FAILED = { type: 'failed', why: 'refused', final: false } as const;

test('one at a time, in order', () => {
  const bench = new Bench();
  assert.equal(bench.post('one'), ['one']);
  assert.equal(bench.post('two'), []);
  assert.equal(bench.event({ type: 'sent' }), ['mail "one" sent', 'two']);
  assert.equal(bench.event({ type: 'sent' }), ['mail "two" sent']);
  assert.is(bench.outbox.size, 0);
});

test('tried again, ever later, and then given up; the others wait behind', () => {
  const bench = new Bench();
  bench.post('one');
  bench.post('two');
  assert.equal(bench.event(FAILED, 0), ['mail "one" not sent yet: refused; tried again in 10 s']);
  assert.equal(bench.post('three', 1), []);
  assert.equal(bench.until(9), []);
  assert.equal(bench.until(10), ['one']);
  bench.event(FAILED, 10);
  assert.equal(bench.until(70), ['one']);
  bench.event(FAILED, 70);
  assert.equal(bench.until(370), ['one']);
  assert.equal(bench.event(FAILED, 370), ['mail "one" not sent: refused', 'two']);
});

test('what the server refuses is not tried again', () => {
  const bench = new Bench();
  bench.post('one');
  assert.equal(bench.event({ ...FAILED, final: true }), ['mail "one" not sent: refused']);
});

test('they are bounded, and what is dropped is counted', () => {
  const bench = new Bench();
  for (let i = 0; i < MOST_MAILS; i++) bench.post(`m${i}`);
  assert.equal(bench.post('more'), [`${MOST_MAILS} mails wait: more are dropped`]);
  assert.equal(bench.post('more'), []);
  assert.equal(bench.event({ type: 'sent' }), ['mail "m0" sent', '2 mails dropped', 'm1']);
});

test.run();
