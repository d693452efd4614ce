import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import type { AddressWatch } from '../lab/scene/address-watch.ts';
import { file, operator, vipkeeper } from '../lab/scene/director.ts';
import type { Link } from '../lab/scene/link.ts';
import { ip } from '../lab/scene/run.ts';
import { suite } from '../suite.ts';
import { Directors, router, VIP } from './directors.ts';

/**
 * Three directors without a witness, and five, by their real programs: a minority that is cut off lets the address go,
 * the majority has it, and no two ever have it at once. The first is the best, and so on.
 */
await enclose();

const NAMES = ['d1', 'd2', 'd3', 'd4', 'd5'] as const;
type Name = (typeof NAMES)[number];

const test = suite('votes of three directors and of five');
let directors: Directors<Name>;
let hosts: Directors<Name>['hosts'];
let island: Link;
let watch: AddressWatch;
/** Who votes. */
let names: readonly Name[] = [];

const configuration = (name: Name): string =>
  `${directors.heartbeat(names)}${router(190 - 10 * NAMES.indexOf(name))}`;
const start = (name: Name): void => void vipkeeper(hosts[name], configuration(name), '-P');
/** These hear each other, and nobody else. */
function part(...apart: readonly Name[]): void {
  const { link } = directors;
  for (const name of NAMES) {
    const segment = apart.includes(name) ? island : link;
    ip(undefined, `link set ${link.port(hosts[name])} master ${segment.name}`);
  }
}
const votesOf = async (name: Name) => (await directors.claim(name))?.votes ?? [];
const allPromise = (name: Name): Promise<number> =>
  directors.scene.until('all promise', async () => {
    const votes = await votesOf(name);
    return votes.length === names.length && votes.every(({ why }) => why === 'promised');
  });

/** The first so many, all started. */
async function begin(count: number): Promise<void> {
  part();
  for (const host of directors.all) host.kill();
  await directors.heldBy('');
  names = NAMES.slice(0, count);
  for (const name of names) start(name);
  await directors.heldBy('d1');
  await allPromise('d1');
}

test.before(async () => {
  directors = new Directors(NAMES);
  hosts = directors.hosts;
  island = directors.scene.link('island');
  watch = await directors.watched();
});
test.after(() => directors.close());
test.after.each(() => directors.notTwice());

test('three: the best one is elected with all votes, and one of them may be cut off', async () => {
  await begin(3);
  part('d3');
  const before = watch.moments.length;
  await directors.inVain('d3');
  assert.is(directors.holder(), 'd1');
  const lost = watch.moments.slice(before).some(({ address, present }) => address === VIP && !present);
  assert.not.ok(lost, 'the holder has it all the time');
  part();
  await allPromise('d1');
});

test('three: the holder is cut off and lets go; one of the two others takes over', async () => {
  part('d1');
  await directors.heldBy('d2');
  await directors.inVain('d1');
  assert.is(directors.holder(), 'd2');
  part();
  await directors.heldBy('d1');
});

test('three: the holder is killed, and then the next one: the last one alone takes nothing', async () => {
  hosts.d1.kill();
  await directors.heldBy('d2');
  hosts.d2.kill();
  await directors.heldBy('');
  await directors.inVain('d3');
  assert.is(directors.holder(), '');
  start('d2');
  await directors.scene.until('one of the two holds it', () => directors.holder() !== '');
  start('d1');
  await directors.heldBy('d1');
});

test('five: two that are cut off, the holder among them, let go; the three others have it', async () => {
  await begin(5);
  part('d1', 'd2');
  await directors.heldBy('d3');
  await directors.inVain('d1');
  assert.is(directors.holder(), 'd3');
  part();
  await directors.heldBy('d1');
});

test('five: two are dead and nothing changes; with a third there is no majority', async () => {
  hosts.d5.kill();
  hosts.d4.kill();
  await directors.scene.until('two votes are missing', async () => {
    const votes = await votesOf('d1');
    return votes.filter(({ why }) => why === 'promised').length === 3;
  });
  assert.is(directors.holder(), 'd1');
  hosts.d3.kill();
  await directors.heldBy('');
  await directors.inVain('d1');
  assert.is(directors.holder(), '');
  start('d3');
  await directors.heldBy('d1');
});

test('the port of heartbeats is open only where the block is: a reload closes it, and opens it', async () => {
  const host = hosts.d3;
  const opened = (): boolean => /:151E /.test(host.run('cat', '/proc/net/udp', '/proc/net/udp6'));
  assert.ok(opened());
  const text = configuration('d3');
  const reload = (written: string): void => {
    file(host, 'vipkeeper.conf', written);
    operator(host, 'reload');
  };
  reload(text.slice(text.indexOf('vrrp_instance')));
  await directors.scene.until('it is closed', () => !opened());
  // Of the three that are left two have votes: nothing changes.
  assert.is(directors.holder(), 'd1');
  reload(text);
  await directors.scene.until('it is open', opened);
});

test.run();
