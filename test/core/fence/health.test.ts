import * as assert from 'uvu/assert';
import type { AgentEnd, DeviceSettings } from '../../../src/core/fence/agent.ts';
import { DeviceHealth, type HealthEvent } from '../../../src/core/fence/health.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';

const test = suite('whether fence devices work');

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
  ...{ timeout: seconds(60), delay: seconds(0), monitor: seconds(60), ...more },
});
const OK: AgentEnd = { status: 0, said: '' };
const BAD: AgentEnd = { status: 1, said: 'no answer' };

class Bench {
  readonly health = new DeviceHealth();
  readonly said: string[] = [];
  readonly #ids: number[] = [];
  runs = 0;

  constructor(...devices: readonly DeviceSettings[]) {
    this.handle({ type: 'configure', devices }, 0);
  }
  handle(event: HealthEvent, s: number): void {
    this.health.handle(event, at(s));
    this.#take();
  }
  pass(s: number): void {
    this.health.timeout(at(s));
    this.#take();
  }
  end(end: AgentEnd, s: number): void {
    const id = this.#ids.shift();
    assert.ok(id !== undefined, 'an agent runs');
    this.handle({ type: 'ended', id, end }, s);
  }
  #take(): void {
    for (const effect of this.health.take()) {
      if (effect.type === 'run') {
        this.#ids.push(effect.id);
        this.runs += 1;
      } else this.said.push(`${effect.device.name} ${effect.works ? 'works' : 'is dead'}: ${effect.said}`);
    }
  }
}

test('in peacetime they are looked at; each turn is told once', () => {
  const bench = new Bench(device('power'));
  for (const [i, end] of [OK, BAD, BAD, OK].entries()) {
    bench.pass(i * 60);
    bench.end(end, i * 60 + 1);
  }
  assert.equal(bench.said, ['power is dead: no answer', 'power works: ']);
  assert.is(bench.runs, 4);
  assert.equal(bench.health.status(), [
    { name: 'power', target: 'b', works: true, since: at(181), said: '' },
  ]);
});

test('one that does not work from the beginning is told', () => {
  const bench = new Bench(device('power'));
  bench.pass(0);
  bench.end({ status: null, said: 'it took longer than 60 s' }, 60);
  assert.equal(bench.said, ['power is dead: it took longer than 60 s']);
});

test('a test asks each one now, and none twice at once; without monitor nobody is asked else', () => {
  const bench = new Bench(device('power', { monitor: seconds(0) }));
  assert.is(bench.health.deadline(), undefined);
  bench.handle({ type: 'test' }, 5);
  bench.handle({ type: 'test' }, 6);
  assert.is(bench.runs, 1);
});

test('what was seen of a device says nothing of one with other settings', () => {
  const bench = new Bench(device('power'));
  bench.pass(0);
  bench.handle({ type: 'configure', devices: [device('power', { agent: 'fence_y' })] }, 1);
  bench.end(BAD, 2);
  assert.is(bench.health.status()[0]?.works, undefined);
  assert.is(bench.health.deadline(), at(1));
});

test.run();
