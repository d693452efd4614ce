import * as assert from 'uvu/assert';
import type { AgentEnd, DeviceSettings } from '../../../src/core/fence/agent.ts';
import { type FailurePolicy, Fencing } from '../../../src/core/fence/device.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('fence devices');

const at = (s: number) => instant(s * 1e6);
const device = (name: string, more: Partial<DeviceSettings> = {}): DeviceSettings => ({
  ...{
    name,
    agent: 'fence_x',
    target: 'b',
    parameters: {},
    level: 1,
    action: 'off',
    verify: true,
    retries: 0,
  },
  ...{ timeout: seconds(60), delay: seconds(0), monitor: seconds(0), ...more },
});
const OK: AgentEnd = { status: 0, said: '' };
const OFF: AgentEnd = { status: 2, said: 'Status: OFF' };
const ON: AgentEnd = { status: 0, said: 'Status: ON' };
const BAD: AgentEnd = { status: 1, said: 'no answer' };

/** The machine with agents that end as they are told. */
class Bench {
  readonly fencing = new Fencing();
  /** `power1 off` */
  readonly runs: string[] = [];
  readonly told: string[] = [];
  readonly outcomes: string[] = [];
  #ids: number[] = [];

  constructor(...devices: readonly DeviceSettings[]) {
    this.handle({ type: 'configure', devices }, 0);
  }
  handle(event: Parameters<Fencing['handle']>[0], s: number): void {
    this.fencing.handle(event, at(s));
    this.#take();
  }
  fence(s: number, target = 'b', onFailure: FailurePolicy = 'wait'): void {
    this.handle({ type: 'fence', target, why: 'it is silent', onFailure }, s);
    this.pass(s);
  }
  /** The oldest agent that runs ends. */
  end(end: AgentEnd, s: number): void {
    const id = this.#ids.shift();
    assert.ok(id !== undefined, 'an agent runs');
    this.handle({ type: 'ended', id, end }, s);
  }
  pass(s: number): void {
    this.fencing.timeout(at(s));
    this.#take();
  }
  #take(): void {
    for (const effect of this.fencing.take()) {
      if (effect.type === 'run') {
        this.runs.push(`${effect.device.name} ${effect.action}`);
        this.#ids.push(effect.id);
      } else if (effect.type === 'off') this.told.push(`${effect.target} off at ${effect.at / 1e6}`);
      else if (effect.type === 'unfenced') this.told.push(`${effect.target} failed`);
      else if (effect.type === 'outcome') this.outcomes.push(`${effect.target} ${effect.what} ${effect.by}`);
    }
  }
}

test('off is believed when the status says so, from when the status was asked for', () => {
  const bench = new Bench(device('power'));
  bench.fence(10);
  bench.end(OK, 12);
  bench.end(OFF, 13);
  assert.equal(bench.runs, ['power off', 'power status']);
  assert.equal(bench.told, ['b off at 12']);
});

test('while it has to stay off, it is asked again and again, until it is not or is heard', () => {
  const bench = new Bench(device('power'));
  bench.fence(10);
  bench.end(OK, 10);
  bench.end(OFF, 10);
  bench.pass(11);
  bench.end(OFF, 11.5);
  assert.equal(bench.told, ['b off at 10', 'b off at 11']);
  bench.pass(12.5);
  bench.end({ status: 0, said: 'Status: ON' }, 12.6);
  assert.is(bench.fencing.deadline(), undefined);
  bench.fence(20);
  bench.handle({ type: 'heard', target: 'b' }, 20.5);
  bench.end(OK, 21);
  assert.is(bench.runs.length, 5, 'no status is asked for');
});

test('an agent that lies is found out: it says off, and the status says on', () => {
  const bench = new Bench(device('power'));
  bench.fence(10);
  bench.end(OK, 11);
  bench.end({ status: 0, said: 'Status: ON' }, 12);
  assert.equal(bench.told, []);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'failed' }]);
});

test('a failure is tried again, then the next level, then after a pause all of it', () => {
  const bench = new Bench(device('ipmi', { retries: 1 }), device('switch', { level: 2 }));
  bench.fence(10);
  for (const s of [11, 12, 13]) bench.end(BAD, s);
  assert.equal(bench.runs, ['ipmi off', 'ipmi off', 'switch off']);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'failed' }]);
  bench.fence(14);
  assert.is(bench.runs.length, 3, 'not at once');
  bench.pass(23);
  bench.fence(23);
  assert.is(bench.runs.length, 4);
});

test('take: it is said again and again until it is heard, and no device is tried again', () => {
  const bench = new Bench(device('power'));
  bench.fence(10, 'b', 'take');
  bench.end(BAD, 11);
  for (const s of [12, 13, 30]) bench.pass(s);
  bench.fence(31, 'b', 'take');
  assert.equal(bench.runs, ['power off']);
  assert.equal(bench.told, Array(5).fill('b failed'));
  bench.handle({ type: 'heard', target: 'b' }, 32);
  assert.is(bench.fencing.deadline(), undefined);
});

test('manual: no device is tried again, and the word of the operator is waited for', () => {
  const bench = new Bench(device('power'));
  bench.fence(10, 'b', 'manual');
  bench.end(BAD, 11);
  bench.fence(40, 'b', 'manual');
  assert.equal(bench.runs, ['power off']);
  assert.equal(bench.told, []);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'given up' }]);
  bench.handle({ type: 'confirm', target: 'b' }, 41);
  assert.equal(bench.told, ['b off at 41']);
});

test('routers that want it otherwise have it so, each for itself', () => {
  const bench = new Bench(device('power'));
  bench.fence(10, 'b', 'manual');
  bench.fence(10, 'b', 'take');
  bench.end(BAD, 11);
  assert.equal(bench.told, ['b failed']);
  bench.fence(12, 'b', 'wait');
  assert.equal(bench.runs, ['power off', 'power off'], 'one that waits has it tried again');
  bench.end(OK, 13);
  bench.end(OFF, 14);
  bench.pass(14);
  assert.equal(bench.told.slice(-1), ['b off at 13']);
});

test('all devices of a level have to succeed: two power supplies', () => {
  const bench = new Bench(device('left'), device('right'));
  bench.fence(10);
  bench.end(OK, 11);
  bench.end(OFF, 12);
  assert.equal(bench.told, []);
  bench.end(OK, 13);
  bench.end(OFF, 14);
  assert.equal(bench.runs, ['left off', 'left status', 'right off', 'right status']);
  assert.equal(bench.told, ['b off at 13']);
});

test('a reboot counts from its beginning, and is not watched', () => {
  const bench = new Bench(device('power', { action: 'reboot' }));
  bench.fence(10);
  bench.end(OK, 30);
  assert.equal(bench.told, ['b off at 10']);
  assert.equal(bench.runs, ['power reboot']);
});

test('who was rebooted gets the time to boot: silent meanwhile, it is not shot again', () => {
  const bench = new Bench(device('power', { action: 'reboot' }));
  bench.fence(10);
  bench.end(OK, 12);
  for (let s = 13; s < 131; s++) bench.fence(s);
  assert.equal(bench.runs, ['power reboot']);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'rebooted' }]);
  bench.fence(132);
  bench.fence(133);
  assert.equal(bench.runs, ['power reboot', 'power reboot'], 'it has not come back');
  bench.end(OK, 140);
  bench.handle({ type: 'heard', target: 'b' }, 150);
  bench.fence(151);
  assert.is(bench.runs.length, 3, 'heard since, and silent again');
});

test('the delay comes first; who is heard meanwhile is not shot', () => {
  const bench = new Bench(device('power', { delay: seconds(5) }));
  bench.fence(10);
  assert.equal(bench.runs, []);
  bench.handle({ type: 'heard', target: 'b' }, 12);
  bench.pass(15);
  assert.equal(bench.runs, []);
});

test('the operator may answer for it that a director is off, until it is heard', () => {
  const bench = new Bench(device('power'));
  bench.fence(10);
  bench.handle({ type: 'confirm', target: 'b' }, 12);
  for (const s of [13, 14]) bench.pass(s);
  assert.equal(bench.told, ['b off at 12', 'b off at 13', 'b off at 14']);
  bench.handle({ type: 'heard', target: 'b' }, 14.5);
  assert.is(bench.fencing.deadline(), undefined);
});

test('a director without a device is not shot', () => {
  const bench = new Bench(device('power'));
  bench.fence(10, 'c');
  assert.equal(bench.runs, []);
});

test('while it has to stay off, all devices of the level are asked: one power supply is enough to run', () => {
  const bench = new Bench(device('left'), device('right'));
  bench.fence(10);
  for (const end of [OK, OFF, OK, OFF]) bench.end(end, 11);
  bench.pass(12);
  bench.end(OFF, 12.5);
  bench.end(OFF, 13);
  assert.equal(bench.told, ['b off at 11', 'b off at 12'], 'counted from the first question');
  bench.pass(14);
  bench.end(ON, 14.5);
  assert.is(bench.fencing.deadline(), undefined, 'the first one feeds it again');
});

test('the operator switches it off at once, whoever is heard meanwhile, and on again', () => {
  const bench = new Bench(device('power', { action: 'reboot', delay: seconds(30) }));
  bench.handle({ type: 'order', target: 'b', order: 'off' }, 10);
  bench.handle({ type: 'heard', target: 'b' }, 10);
  bench.end(OK, 11);
  bench.end(OFF, 12);
  assert.equal(bench.runs, ['power off', 'power status']);
  assert.equal(bench.told, ['b off at 11']);
  assert.equal(bench.outcomes, ['b off power']);
  bench.handle({ type: 'order', target: 'b', order: 'on' }, 20);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'starting' }]);
  bench.end(OK, 21);
  bench.handle({ type: 'heard', target: 'b' }, 21);
  bench.end(ON, 22);
  assert.equal(bench.runs.slice(2), ['power on', 'power status']);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'on' }]);
  bench.pass(40);
  assert.equal(bench.fencing.shots(), []);
});

test('without verification success counts once, from its beginning; those with it are watched', () => {
  const bench = new Bench(device('blind', { verify: false }));
  bench.fence(10);
  bench.end(OK, 12);
  assert.equal(
    [bench.told, bench.runs, bench.fencing.deadline()],
    [['b off at 10'], ['blind off'], undefined],
  );
  const mixed = new Bench(device('blind', { verify: false }), device('power'));
  mixed.fence(10);
  for (const end of [OK, OK, OFF]) mixed.end(end, 11);
  mixed.pass(12);
  mixed.end(OFF, 12.5);
  assert.equal(mixed.runs, ['blind off', 'power off', 'power status', 'power status']);
  assert.equal(mixed.told, ['b off at 11', 'b off at 12']);
});

test('an order that fails lets nobody go on as if it were off', () => {
  const bench = new Bench(device('power'));
  bench.handle({ type: 'order', target: 'b', order: 'off' }, 10);
  bench.end(BAD, 11);
  assert.equal(bench.fencing.shots(), [{ target: 'b', phase: 'failed' }]);
  assert.equal([bench.told, bench.outcomes], [[], []]);
});

test('who was off before the start is asked for, and shot by nobody', () => {
  const bench = new Bench(device('left'), device('right'));
  bench.handle({ type: 'recall', target: 'b' }, 1);
  bench.end(OFF, 2);
  assert.equal(bench.told, []);
  bench.end(OFF, 3);
  assert.equal(bench.told, ['b off at 1']);
  for (const end of [BAD, ON]) {
    const other = new Bench(device('left'), device('right'));
    other.handle({ type: 'recall', target: 'b' }, 1);
    other.end(end, 2);
    assert.equal([other.told, other.runs, other.fencing.deadline()], [[], ['left status'], undefined]);
  }
  assert.equal(bench.outcomes, []);
});

test('a reload that gives the target other devices ends the shot; it begins anew when that is wanted', () => {
  const bench = new Bench(device('old'));
  bench.fence(10);
  bench.handle({ type: 'configure', devices: [device('new')] }, 11);
  bench.end(OFF, 12);
  assert.equal([bench.told, bench.fencing.shots()], [[], []]);
  bench.fence(13);
  assert.equal(bench.runs, ['old off', 'new off']);
});

test.run();
