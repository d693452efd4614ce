import * as assert from 'uvu/assert';
import { type EtcdEffect, type EtcdEvent, EtcdVoter, type Stored } from '../../../src/core/fence/etcd.ts';
import type { Answer, Ask } from '../../../src/core/fence/voter.ts';
import { after, type Instant, instant, millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('the vote of etcd');

const CLAIM = 'VI_1';
const LONGEST = seconds(3);
const START = instant(0);
const at = (s: number): Instant => after(START, seconds(s));

/** The store as etcd is: a revision for each change, and writes that compare. */
class Store {
  readonly records = new Map<string, Stored>();
  #revision = 7;

  swap(claim: string, over: string, text: string): { revision: string } | { found: Stored | undefined } {
    const found = this.records.get(claim);
    if ((found?.revision ?? '0') !== over) return { found };
    this.#revision += 1;
    const revision = String(this.#revision);
    this.records.set(claim, { revision, text });
    return { revision };
  }
}

/** A director's client, at a store that answers at once unless told otherwise. */
class Client {
  readonly voter: EtcdVoter;
  readonly name: string;
  readonly store: Store;
  readonly answers: Answer[] = [];
  /** What becomes of writes. */
  fate: 'answered' | 'lost before' | 'lost after' = 'answered';
  life = '1';
  number = 0;

  constructor(name: string, store: Store, started: Instant = START) {
    this.name = name;
    this.store = store;
    this.voter = new EtcdVoter(
      { director: name, longest: LONGEST, margin: 0.01, interval: millis(250) },
      started,
    );
    this.look(started);
  }

  /** Reads the records when that is due. */
  look(now: Instant): void {
    this.voter.timeout(now);
    this.#settle(now);
  }

  tell(event: EtcdEvent, now: Instant): void {
    this.voter.handle(event, now);
    this.#settle(now);
  }

  /** What it is answered; `undefined` for no answer. */
  ask(now: Instant, more: Partial<Ask> = {}): Answer | undefined {
    const before = this.answers.length;
    const ask = { ...this.#identity(), duration: LONGEST, ...more };
    this.tell({ type: 'ask', ask }, now);
    return this.answers[before];
  }

  release(now: Instant): void {
    this.tell({ type: 'release', release: this.#identity() }, now);
  }

  #identity() {
    this.number += 1;
    return { claim: CLAIM, director: this.name, life: this.life, number: this.number };
  }

  #settle(now: Instant): void {
    for (let effects = this.voter.take(); effects.length > 0; effects = this.voter.take())
      for (const effect of effects) this.#perform(effect, now);
  }

  #perform(effect: EtcdEffect, now: Instant): void {
    if (effect.type === 'answer') this.answers.push(effect.answer);
    if (effect.type === 'list') this.voter.handle({ type: 'listed', records: this.store.records }, now);
    if (effect.type !== 'write') return;
    const { id, claim, over, text } = effect;
    const done = this.fate === 'lost before' ? undefined : this.store.swap(claim, over, text);
    if (done === undefined || this.fate === 'lost after') this.voter.handle({ type: 'failed', id }, now);
    else if ('revision' in done) this.voter.handle({ type: 'written', id, ...done }, now);
    else this.voter.handle({ type: 'overtaken', id, record: done.found }, now);
  }
}

const GRANTED: Answer = { type: 'granted' };
const why = (answer: Answer | undefined): string =>
  answer?.type === 'refused' ? answer.why : String(answer?.type);

/** A store in which a has the vote since 10 s, and b, which has looked then. */
function pair(): { store: Store; a: Client; b: Client } {
  const store = new Store();
  const [a, b] = [new Client('a', store), new Client('b', store)];
  a.ask(at(1));
  assert.equal(a.ask(at(10)), GRANTED);
  b.look(at(10));
  return { store, a, b };
}

test('without a record nobody has it before the longest promise has ended', () => {
  const a = new Client('a', new Store());
  assert.match(why(a.ask(at(0))), 'etcd has no record of it');
  assert.match(why(a.ask(at(3))), 'etcd has no record of it');
  assert.equal(a.ask(at(3.03)), GRANTED);
});

test('one has it; another gets it when the record stood still for the promise and the margin', () => {
  const { a, b } = pair();
  assert.match(why(b.ask(at(11))), 'promised to a');
  assert.equal(a.ask(at(12)), GRANTED, 'it is renewed');
  // b has not looked: it finds out by writing, and counts from then.
  assert.match(why(b.ask(at(13.1))), 'promised to a');
  assert.match(why(b.ask(at(16.1))), 'promised to a');
  assert.equal(b.ask(at(16.13)), GRANTED);
  assert.match(why(a.ask(at(16.2))), 'promised to b');
});

test('who looks again and again loses no time', () => {
  const { a, b } = pair();
  a.ask(at(12));
  b.look(at(12.2));
  assert.match(why(b.ask(at(15.2))), 'promised to a');
  assert.equal(b.ask(at(15.23)), GRANTED);
});

test('a holder that lets go gives it at once, and one that was fenced has let go', () => {
  const { a, b } = pair();
  a.release(at(10.5));
  b.look(at(10.6));
  assert.equal(b.ask(at(10.6)), GRANTED);
  a.tell({ type: 'fenced', director: 'b', life: '2' }, at(11));
  assert.match(why(a.ask(at(11))), 'promised to b', 'another life of it was fenced');
  a.tell({ type: 'fenced', director: 'b', life: '1' }, at(11));
  assert.equal(a.ask(at(11)), GRANTED);
});

test('a write that nobody answered for was done, or not: both end well', () => {
  const { a, b } = pair();
  a.fate = 'lost after';
  assert.is(a.ask(at(11)), undefined);
  a.fate = 'answered';
  assert.equal(a.ask(at(11.2)), GRANTED, 'it finds its own record, and goes on from there');
  a.fate = 'lost before';
  assert.is(a.ask(at(11.5)), undefined);
  a.fate = 'answered';
  assert.equal(a.ask(at(11.7)), GRANTED);
  b.look(at(11.8));
  assert.match(why(b.ask(at(14.8))), 'promised to a');
});

test('what was read late takes nothing away: the write compares', () => {
  const { store, a, b } = pair();
  const old = new Map(store.records);
  a.ask(at(12.9));
  b.tell({ type: 'listed', records: old }, at(13));
  // By what b knows a has not renewed for 3.03 s.
  assert.match(why(b.ask(at(13.1))), 'promised to a');
});

test('records that vanish or are nonsense are waited for as long as the longest promise', () => {
  const { store, a, b } = pair();
  store.records.clear();
  assert.match(why(b.ask(at(13.1))), 'no record', 'b finds nothing over the old one');
  assert.match(why(a.ask(at(13.2))), 'no record', 'a has lost its vote, too');
  assert.match(why(b.ask(at(16.1))), 'no record');
  b.look(at(20));
  assert.equal(b.ask(at(20)), GRANTED);
  for (const text of [
    '',
    'nonsense',
    '{}',
    'null',
    '{"director":"a","life":"1","duration":-1,"free":false}',
  ]) {
    store.records.set(CLAIM, { revision: String(1000 + store.records.size + text.length), text });
    const c = new Client('c', store, at(30));
    assert.match(why(c.ask(at(33))), 'no record', text);
    assert.equal(c.ask(at(33.03)), GRANTED, text);
  }
});

test('an own record of an earlier life is taken over at once', () => {
  const { a } = pair();
  a.life = '2';
  a.number = 0;
  assert.equal(a.ask(at(10.1)), GRANTED);
});

test('before the first list it answers nothing', () => {
  const voter = new EtcdVoter({ director: 'a', longest: LONGEST, margin: 0, interval: millis(250) }, START);
  const ask: Ask = { claim: CLAIM, director: 'a', life: '1', number: 1, duration: LONGEST };
  voter.handle({ type: 'ask', ask }, START);
  assert.equal(voter.take(), []);
  voter.timeout(START);
  assert.equal(voter.take(), [{ type: 'list' }]);
  voter.handle({ type: 'listed' }, START);
  voter.handle({ type: 'ask', ask }, START);
  assert.equal(voter.take(), [], 'etcd did not answer');
});

test('one write of a claim at a time; of what waits only the latest counts', () => {
  const voter = new EtcdVoter({ director: 'a', longest: LONGEST, margin: 0, interval: millis(250) }, START);
  const ask = (number: number): EtcdEvent => ({
    type: 'ask',
    ask: { claim: CLAIM, director: 'a', life: '1', number, duration: LONGEST },
  });
  const free = JSON.stringify({ director: 'b', life: '1', duration: 1, free: true });
  voter.handle({ type: 'listed', records: new Map([[CLAIM, { revision: '5', text: free }]]) }, START);
  for (const number of [1, 2, 3]) voter.handle(ask(number), START);
  const [write, ...others] = voter.take();
  assert.is(write?.type === 'write' && write.over, '5');
  assert.equal(others, []);
  voter.handle({ type: 'written', id: 1, revision: '6' }, START);
  const [answer, next] = voter.take();
  assert.is(answer?.type === 'answer' && answer.number, 1);
  assert.is(next?.type === 'write' && next.over, '6');
  voter.handle({ type: 'written', id: 2, revision: '7' }, START);
  assert.equal(
    voter.take().map((effect) => effect.type === 'answer' && effect.number),
    [3],
  );
});

test('a promise without an end, or too long, is not given', () => {
  const { b } = pair();
  assert.match(why(b.ask(at(20), { duration: undefined })), 'longer than the longest');
  assert.match(why(b.ask(at(20), { duration: seconds(4) })), 'longer than the longest');
});

test.run();
