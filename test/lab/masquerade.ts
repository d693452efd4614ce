import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { Scene } from './scene/scene.ts';

/**
 * `vipkeeper director prepare --masquerade`: real servers reach the world through the director, and `undo` takes
 * the rules away. The lab's kernel has no nftables for IP, so this runs on the machine's.
 */
export const needs = 'host';

const story = suite('a director masquerades');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const rack = scene.link('rack');
const director = scene
  .host('director')
  .on(lan, '10.0.0.2/24', 'fd00::2/64')
  .on(rack, '192.168.1.1/24', 'fd01::1/64');
// They have no route to the rack: only what is masqueraded finds its way back.
scene.host('user').on(lan, '10.0.0.10/24', 'fd00::10/64');
const server = scene
  .host('rs')
  .on(rack, '192.168.1.11/24', 'fd01::11/64')
  .via('192.168.1.1')
  .via('fd01::1', '::/0');

const prepared = (words: string): string =>
  director.run(join(ROOT, 'bin/vipkeeper'), 'director', '--state-dir', scene.folder, ...words.split(' '));
const rules = (): string => director.run('nft', 'list', 'ruleset');

story('the real servers reach the world, for IPv4 and IPv6, until it is undone', async () => {
  director.run('nft', 'add', 'table', 'ip', 'somebody_elses');
  const before = rules();
  const words = 'prepare --ipv6 --masquerade 192.168.1.0/24 --masquerade fd01::/64';
  assert.not.ok(server.reaches('10.0.0.10'));
  const commands = prepared(`${words} --dry-run`);
  assert.is(rules(), before);
  assert.is(prepared(words), commands);
  assert.is(prepared(words), 'all is as it should be\n');
  for (const user of ['10.0.0.10', 'fd00::10'])
    await scene.until(`the server reaches ${user}`, () => server.reaches(user));
  assert.match(prepared('show'), /^masquerading of 192\.168\.1\.0\/24 .* in force$/m);
  assert.match(rules(), 'ip saddr 192.168.1.0/24 ip daddr != 192.168.1.0/24 masquerade');
  assert.match(rules(), 'ip6 saddr fd01::/64 ip6 daddr != fd01::/64 masquerade');
  prepared('undo');
  assert.is(rules(), before);
  assert.not.ok(server.reaches('10.0.0.10'));
});

story('a table that somebody removed is said to be gone, and undo goes on', () => {
  prepared('prepare --masquerade 192.168.1.0/24');
  director.run('nft', 'delete', 'table', 'ip', 'vipkeeper_192_168_1_0_24');
  assert.match(prepared('show'), /^masquerading of 192\.168\.1\.0\/24 .* gone$/m);
  assert.match(prepared('undo'), 'left: masquerading of 192.168.1.0/24');
  assert.is(director.run('sysctl', '-n', 'net.ipv4.ip_forward').trim(), '0');
});

story.run();
