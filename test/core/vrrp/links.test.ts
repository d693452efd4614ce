import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import { LinkWatch } from '../../../src/core/vrrp/links.ts';
import { suite } from '../../suite.ts';
import { at } from './router.ts';

/** interface_up_down_delays. */
const links = suite('link watch');

const delays = [{ interface: 'eth0', down: seconds(2), up: seconds(5) }];

/** A watch of eth0 (with delays) and eth1 (without), and what it believes in short words. */
class Bench {
  readonly watch = new LinkWatch();

  constructor() {
    this.watch.handle({ type: 'watch', interfaces: ['eth0', 'eth1'], delays }, at(0));
  }

  show(name: string, up: boolean, s: number, why = up ? 'up' : 'down'): string[] {
    this.watch.handle({ type: 'shown', interface: name, state: { up, why } }, at(s));
    return this.#told();
  }

  timeout(s: number): string[] {
    this.watch.timeout(at(s));
    return this.#told();
  }

  #told(): string[] {
    return this.watch.take().map(({ interface: name, state }) => `${name} ${state.why}`);
  }
}

links('what is shown first is believed at once, and what has no delay too', () => {
  const bench = new Bench();
  assert.is(bench.watch.believed('eth0'), undefined);
  assert.equal(bench.show('eth0', false, 0), ['eth0 down']);
  assert.equal(bench.show('eth1', true, 0), ['eth1 up']);
  assert.equal(bench.show('eth1', false, 0), ['eth1 down']);
});

links('a change is believed when it has lasted', () => {
  const bench = new Bench();
  bench.show('eth0', true, 0);
  assert.equal(bench.show('eth0', false, 1), []);
  assert.ok(bench.watch.believed('eth0')?.up);
  assert.is(bench.watch.deadline(), at(3));
  assert.equal(bench.timeout(2.9), []);
  assert.equal(bench.timeout(3), ['eth0 down']);
  assert.equal(bench.show('eth0', true, 4), []);
  assert.equal(bench.timeout(9), ['eth0 up']);
  assert.is(bench.watch.deadline(), undefined);
});

links('one that does not last is not; being shown again does not begin it anew', () => {
  const bench = new Bench();
  bench.show('eth0', true, 0);
  bench.show('eth0', false, 1);
  assert.equal(bench.show('eth0', true, 2), []);
  assert.is(bench.watch.deadline(), undefined);
  bench.show('eth0', false, 3);
  bench.show('eth0', false, 4, 'no carrier');
  assert.equal(bench.timeout(5), ['eth0 no carrier']);
});

links('another reason for the same is told at once', () => {
  const bench = new Bench();
  bench.show('eth0', false, 0);
  assert.equal(bench.show('eth0', false, 1, 'there is no interface'), ['eth0 there is no interface']);
  assert.equal(bench.show('eth0', false, 2, 'there is no interface'), []);
});

links('who is not watched is not kept, nor waited for', () => {
  const bench = new Bench();
  assert.equal(bench.show('eth9', true, 0), []);
  bench.show('eth0', true, 0);
  bench.show('eth0', false, 1);
  bench.watch.handle({ type: 'watch', interfaces: ['eth1'], delays: [] }, at(2));
  assert.equal([bench.watch.deadline(), bench.watch.believed('eth0')], [undefined, undefined]);
});

links.run();
