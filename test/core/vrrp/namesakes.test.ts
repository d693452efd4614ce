import * as assert from 'uvu/assert';
import { ip } from '../../../src/core/ip.ts';
import { addressee, areConfused } from '../../../src/core/vrrp/namesakes.ts';
import { suite } from '../../suite.ts';

const to = (peers: readonly string[], source?: string) => ({
  family: 4 as const,
  peers: peers.map((address) => ({ address: ip(address) })),
  ...(source === undefined ? {} : { source: ip(source) }),
});
const group = (destination?: string) => ({
  family: 4 as const,
  ...(destination === undefined ? {} : { destination: ip(destination) }),
});

const test = suite('virtual routers of one VRID');

test('they are confused by the same group, or by a peer in common from the same address', () => {
  assert.is(areConfused(group(), group()), true);
  assert.is(areConfused(group(), group('224.0.0.18')), true);
  assert.is(areConfused(group(), group('224.0.0.19')), false);
  assert.is(areConfused(group(), to(['10.0.0.1'])), false);
  assert.is(areConfused(to(['10.0.0.1', '10.0.0.2']), to(['10.0.0.2'])), true);
  assert.is(areConfused(to(['10.0.0.1']), to(['10.0.0.2'])), false);
  assert.is(areConfused(to(['10.0.0.1'], '10.0.0.8'), to(['10.0.0.1'], '10.0.0.9')), false);
});

test('an advert is for the one whose peer sent it, whose address it came to, or whose group', () => {
  const [one, two, three] = [to(['10.0.0.1'], '10.0.0.8'), to(['10.0.0.1'], '10.0.0.9'), group()].map(
    (settings) => ({ settings }),
  );
  assert.ok(one && two && three);
  const found = (source: string, destination: string) =>
    addressee([one, two, three], { source: ip(source), destination: ip(destination) });
  assert.is(found('10.0.0.1', '10.0.0.8'), one);
  assert.is(found('10.0.0.1', '10.0.0.9'), two);
  assert.is(found('10.0.0.77', '10.0.0.9'), two);
  assert.is(found('10.0.0.1', '224.0.0.18'), three);
  assert.is(found('10.0.0.1', '224.0.0.19'), undefined);
});

test.run();
