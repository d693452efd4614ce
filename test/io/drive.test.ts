import * as assert from 'uvu/assert';
import type { Machine } from '../../src/core/machine.ts';
import { plainValue } from '../../src/core/record/plain.ts';
import { Recorder } from '../../src/core/record/recorder.ts';
import { entriesOf, type Segment } from '../../src/core/record/track.ts';
import { after, type Instant, millis } from '../../src/core/time.ts';
import { now } from '../../src/io/clock.ts';
import { type Driven, Driver } from '../../src/io/drive.ts';
import { linesOf } from '../core/record/recorded.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** Answers each event with effects `EVENT.1` and `EVENT.2`, and rings when its alarm is due. */
class Echo implements Machine<string, string> {
  at: Instant | undefined;
  rang: Instant | undefined;
  #effects: string[] = [];

  handle(event: string): void {
    this.#effects.push(`${event}.1`, `${event}.2`);
  }
  deadline(): Instant | undefined {
    return this.at;
  }
  timeout(at: Instant): void {
    this.at = undefined;
    this.rang = at;
    this.#effects.push('rang');
  }
  memory(): string {
    return 'nothing';
  }
  recall(): void {
    // Nothing was remembered.
  }
  take(): string[] {
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }
}

const test = suite('the driver');

test('a part is recorded as it happens: what is told within effects is marked, and who was detached is kept', () => {
  const recorder = new Recorder();
  const driver = new Driver(recorder);
  const part = { kind: 'balancer', name: 'one', birth: {} } as const;
  const driven: Driven<string> = driver.record(
    new Echo(),
    (effects) => {
      if (effects[0] === 'a.1') driven.handle('b');
    },
    part,
  );
  driven.handle('a');
  driven.detach();
  driver.attach(new Echo(), () => undefined).handle('unseen');
  const [text = '', ...others] = linesOf(recorder);
  assert.equal(others, []);
  const segment = plainValue(text) as Segment;
  assert.equal(segment.base, { birth: {} });
  assert.equal(
    Array.from(entriesOf(segment), ({ kind, item }) => [kind, item]),
    [
      ['event', 'a'],
      ['effects', ['a.1', 'a.2']],
      ['nested', 'b'],
      ['effects', ['b.1', 'b.2']],
    ],
  );
});

test('effects are performed in order before handle returns', () => {
  const done: string[] = [];
  const driven = new Driver().attach(new Echo(), (effects) => done.push(...effects));
  driven.handle('a');
  assert.equal(done, ['a.1', 'a.2']);
});

test('an event that an effect causes is handled at once, its effects after those already taken', () => {
  const done: string[] = [];
  const machine = new Echo();
  const driven = new Driver().attach(machine, (effects) => {
    for (const effect of effects) {
      done.push(effect);
      if (effect === 'a.1') driven.handle('b');
    }
  });
  driven.handle('a');
  assert.equal(done, ['a.1', 'a.2', 'b.1', 'b.2']);
});

test('machines cause each other events', () => {
  const done: string[] = [];
  const driver = new Driver();
  const second = driver.attach(new Echo(), (effects) => done.push(...effects));
  const first = driver.attach(new Echo(), (effects) => {
    for (const effect of effects) {
      if (effect === 'a.1') second.handle('x');
      done.push(effect);
    }
  });
  first.handle('a');
  assert.equal(done, ['x.1', 'x.2', 'a.1', 'a.2']);
});

test('a machine that answers itself without end is a defect, and found', () => {
  const driven = new Driver().attach(new Echo(), () => driven.handle('again'));
  assert.throws(() => driven.handle('a'), /without end/);
});

test('an effect that throws does not stop later ones', () => {
  const done: string[] = [];
  const driven = new Driver().attach(new Echo(), (effects) => {
    if (effects.includes('bad.1')) throw new Error('bad');
    done.push(...effects);
  });
  assert.throws(() => driven.handle('bad'), /bad/);
  driven.handle('a');
  assert.equal(done, ['a.1', 'a.2']);
});

test('a deadline is delivered when it has passed, the earlier first, with its effects', async () => {
  const driver = new Driver();
  const [soon, late] = [new Echo(), new Echo()];
  const order: string[] = [];
  const begin = now();
  late.at = after(begin, millis(30));
  driver.attach(late, () => order.push('late')).handle('set');
  soon.at = after(begin, millis(10));
  driver.attach(soon, () => order.push('soon')).handle('set');
  order.length = 0;
  await eventually(() => late.rang, 'both deadlines');
  assert.equal(order, ['soon', 'late']);
  assert.ok(Number(soon.rang) >= Number(begin) + 10_000);
  assert.ok(Number(late.rang) >= Number(begin) + 30_000);
});

test('a detached machine is not rung', async () => {
  const driver = new Driver();
  const [gone, there] = [new Echo(), new Echo()];
  gone.at = after(now(), millis(5));
  there.at = after(now(), millis(20));
  const leaving = driver.attach(gone, () => undefined);
  leaving.handle('set');
  driver.attach(there, () => undefined).handle('set');
  leaving.detach();
  await eventually(() => there.rang, 'the deadline of the other');
  assert.is(gone.rang, undefined);
});

test('of many machines the earliest deadline counts, also when it moves or its machine goes', async () => {
  const driver = new Driver();
  const machines = Array.from({ length: 4 }, () => new Echo());
  const driven = machines.map((machine) => driver.attach(machine, () => undefined));
  const start = now();
  const set = (i: number, at: Instant | undefined): void => {
    (machines[i] as Echo).at = at;
    driven[i]?.handle('set');
  };
  set(0, after(start, millis(5)));
  set(1, after(start, millis(10)));
  set(2, after(start, millis(15)));
  set(3, after(start, millis(600_000)));
  // The earliest is put off, the next one goes: the third is the earliest then.
  set(0, after(start, millis(20)));
  driven[1]?.detach();
  await eventually(() => machines[0]?.rang, 'the last rings');
  assert.is(machines[1]?.rang, undefined);
  assert.ok((machines[2]?.rang ?? 0) >= after(start, millis(15)));
  assert.ok((machines[0]?.rang ?? 0) >= after(start, millis(20)));
  set(3, undefined);
});

test.run();
