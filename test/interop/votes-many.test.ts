import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { file, operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Link } from '../lab/scene/link.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * Three directors without a witness, and five, by their real programs: a minority that is cut off lets the address go,
 * the majority has it, and no two ever have it at once. The first is the best, and so on.
 */
await enclose();

const VIP = '10.0.0.100';
const LONGEST = 3;

const test = suite('votes of three directors and of five');
let scene: Scene;
let link: Link;
let island: Link;
let watch: AddressWatch;
let keyFile: string;
let directors: Host[] = [];

const numberOf = ({ name }: Host): number => Number(name.slice(1));
const configuration = (host: Host): string => `heartbeat {
  cluster web
  key_file ${keyFile}
${directors.map((each) => `  director ${each.name} 10.0.0.${numberOf(each)}`).join('\n')}
  longest_promise ${LONGEST}
}
vrrp_instance VI_1 {
  interface lan
  virtual_router_id 51
  version 3
  priority ${200 - 10 * numberOf(host)}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;
const start = (host: Host): void => void vipkeeper(host, configuration(host), '-P');
const director = (number: number): Host => {
  const found = directors.find((host) => numberOf(host) === number);
  assert.ok(found);
  return found;
};
const holder = (): string =>
  directors
    .filter((host) => host.has(VIP))
    .map(({ name }) => name)
    .join(' and ');
const heldBy = (name: string): Promise<number> =>
  scene.until(`the address is held by ${name || 'nobody'}`, () => holder() === name);
/** These hear each other, and nobody else. */
function part(...numbers: readonly number[]): void {
  for (const host of directors) {
    const segment = numbers.includes(numberOf(host)) ? island.name : link.name;
    ip(undefined, `link set ${link.port(host)} master ${segment}`);
  }
}
const claimOf = async (number: number) => (await statusOf(director(number)))?.vrrp?.votes?.claims[0];
/** The director has asked for votes in vain some times since it last held. */
const inVain = (number: number): Promise<number> =>
  scene.until(`d${number} asks in vain`, async () => ((await claimOf(number))?.vain ?? 0) > 2);
const allPromise = (number: number): Promise<number> =>
  scene.until('all promise', async () => {
    const votes = (await claimOf(number))?.votes ?? [];
    return votes.length === directors.length && votes.every(({ why }) => why === 'promised');
  });

/** Of so many directors, all started. */
async function begin(count: number): Promise<void> {
  part();
  for (const host of directors) host.kill();
  await heldBy('');
  directors = directors.slice(0, count);
  for (let number = directors.length + 1; number <= count; number++)
    directors.push(scene.host(`d${number}`).on(link, `10.0.0.${number}/24`));
  watch = await AddressWatch.start(scene, directors);
  for (const host of directors) start(host);
  await heldBy('d1');
  await allPromise(1);
}

test.before(() => {
  scene = new Scene();
  [link, island] = [scene.link('lan'), scene.link('island')];
  mkdirSync(join(scene.folder, 'keys'));
  keyFile = join(scene.folder, 'keys', 'web.key');
  writeFileSync(keyFile, 'a secret of all of them\n', { mode: 0o600 });
});
test.after(() => {
  scene.close();
});
test.after.each(() => {
  assert.is(watch.longestOverlap(VIP).milliseconds, 0, 'two directors had the address');
});

test('three: the best one is elected with all votes, and one of them may be cut off', async () => {
  await begin(3);
  part(3);
  const before = watch.moments.length;
  await inVain(3);
  assert.is(holder(), 'd1');
  const lost = watch.moments.slice(before).some(({ address, present }) => address === VIP && !present);
  assert.not.ok(lost, 'the holder has it all the time');
  part();
  await allPromise(1);
});

test('three: the holder is cut off and lets go; one of the two others takes over', async () => {
  part(1);
  await heldBy('d2');
  await inVain(1);
  assert.is(holder(), 'd2');
  part();
  await heldBy('d1');
});

test('three: the holder is killed, and then the next one: the last one alone takes nothing', async () => {
  director(1).kill();
  await heldBy('d2');
  director(2).kill();
  await heldBy('');
  await inVain(3);
  assert.is(holder(), '');
  start(director(2));
  await scene.until('one of the two holds it', () => holder() !== '');
  start(director(1));
  await heldBy('d1');
});

test('five: two that are cut off, the holder among them, let go; the three others have it', async () => {
  await begin(5);
  part(1, 2);
  await heldBy('d3');
  await inVain(1);
  assert.is(holder(), 'd3');
  part();
  await heldBy('d1');
});

test('five: two are dead and nothing changes; with a third there is no majority', async () => {
  director(5).kill();
  director(4).kill();
  await scene.until('two votes are missing', async () => {
    const votes = (await claimOf(1))?.votes ?? [];
    return votes.filter(({ why }) => why === 'promised').length === 3;
  });
  assert.is(holder(), 'd1');
  director(3).kill();
  await heldBy('');
  await inVain(1);
  assert.is(holder(), '');
  start(director(3));
  await heldBy('d1');
});

test('the port of heartbeats is open only where the block is: a reload closes it, and opens it', async () => {
  const host = director(3);
  const opened = (): boolean => /:151E /.test(host.run('cat', '/proc/net/udp', '/proc/net/udp6'));
  assert.ok(opened());
  const text = configuration(host);
  const reload = (written: string): void => {
    file(host, 'vipkeeper.conf', written);
    operator(host, 'reload');
  };
  reload(text.slice(text.indexOf('vrrp_instance')));
  await scene.until('it is closed', () => !opened());
  // Of the three that are left two have votes: nothing changes.
  assert.is(holder(), 'd1');
  reload(text);
  await scene.until('it is open', opened);
});

test.run();
