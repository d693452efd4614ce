import { chmodSync, existsSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { file, keepalived, operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { ip } from '../lab/scene/run.ts';
import { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * takeover_policy against a keepalived whose adverts do not arrive: what it shows of itself beside them decides.
 * Without the keyword both are master then, as VRRP has it.
 */
await enclose();

interface Family {
  readonly own: readonly [string, string];
  readonly vips: readonly string[];
  /** The last of them, without its length. */
  readonly vip: string;
}
const FAMILIES: Readonly<Record<string, Family>> = {
  IPv4: { own: ['10.0.0.1/24', '10.0.0.2/24'], vips: ['10.0.0.100/24'], vip: '10.0.0.100' },
  IPv6: {
    own: ['fe80::1/64', 'fe80::2/64'],
    vips: ['fe80::7/64', '2001:db8::100/64'],
    vip: '2001:db8::100',
  },
};
/** Seconds: three adverts of one second, and the skew of priority 100. */
const VRRP_TAKES = 3 + 156 / 256;

const configuration = ({ vips }: Family, priority: number, ...lines: string[]): string =>
  [
    'vrrp_instance web {',
    '  state BACKUP',
    '  interface lan',
    '  virtual_router_id 7',
    '  version 3',
    `  priority ${priority}`,
    '  advert_int 1',
    ...lines.map((line) => `  ${line}`),
    '  virtual_ipaddress {',
    ...vips.map((vip) => `    ${vip}`),
    '  }',
    '}',
    '',
  ].join('\n');

const test = suite('takeover_policy with keepalived');
let scene: Scene;
let we: Host;
let they: Host;
let told: string;
test.after.each(() => scene.close());

const read = (): string => (existsSync(told) ? readFileSync(told, 'utf8') : '');
const router = async () => (await statusOf(we))?.vrrp?.instances[0];
const decisions = async (): Promise<string[]> =>
  ((await router())?.takeover?.decisions ?? []).map(({ verdict, times }) => `${verdict} ${times}`);
const lose = (adverts: boolean): void => {
  if (adverts) they.run('nft', 'add', 'rule', 'inet', 'test', 'out', 'meta', 'l4proto', '112', 'drop');
  else they.run('nft', 'flush', 'chain', 'inet', 'test', 'out');
};

/** Keepalived is master, and we follow it. */
async function begin(family: Family, ...lines: string[]): Promise<Program> {
  scene = new Scene();
  const lan = scene.link('lan');
  [we, they] = [scene.host('we').on(lan), scene.host('they').on(lan)];
  for (const [i, host] of [we, they].entries()) {
    ip(host.name, 'address flush dev lan');
    host.address('lan', family.own[i] ?? '');
  }
  they.run('nft', 'add', 'table', 'inet', 'test');
  they.run('nft', 'add chain inet test out { type filter hook output priority 0 ; }');
  told = `${scene.folder}/told`;
  const script = file(we, 'notify', `#!/bin/sh\necho "$* ($VIPKEEPER_CAUSE)" >>${told}\n`);
  chmodSync(script, 0o755);
  keepalived(they, configuration(family, 200), '-P', '-G');
  await scene.until('keepalived is master', () => they.has(family.vip));
  const daemon = vipkeeper(we, configuration(family, 100, `notify ${script}`, ...lines), '-P');
  await scene.until('we follow it', async () => (await router())?.master?.priority === 200);
  return daemon;
}

/** A machine without power: no process, no address, no link. */
function loseItsPower({ vips }: Family): void {
  they.freeze();
  they.kill();
  for (const vip of vips) ip(they.name, `address delete ${vip} dev lan`);
  ip(they.name, 'link set lan down');
}

for (const [name, family] of Object.entries(FAMILIES)) {
  const { vip } = family;

  test(`${name}: a silent master that serves on is left alone, with an alarm; a dead one is replaced`, async () => {
    const daemon = await begin(family, 'takeover_policy evidence');
    lose(true);
    await scene.until('it is judged three times', async () => (await decisions()).includes('wait 3'));
    assert.not.ok(we.has(vip), 'nothing is taken');
    const mac = /link\/ether (\S+)/.exec(they.run('ip', '-o', 'link', 'show', 'lan'))?.[1];
    const why = `${family.vips[0]?.replace(/\/.*/, '')} is served on: ${mac} answers for it`;
    const explained = operator(we, 'explain', 'web');
    assert.match(explained, `3 times: wait: ${why}`);
    assert.match(explained, new RegExp(`${vip} +${mac} answers`));
    await scene.until('the script is told', () => read().includes('STILL_SERVED'));
    assert.equal(read().match(/.*STILL_SERVED.*/g), [`INSTANCE web STILL_SERVED 100 (${why})`], 'once');
    assert.match(daemon.log, 'crit    vipkeeper-vrrp: web: the adverts of');
    lose(false);
    const silent = (await router())?.master?.heard ?? 0;
    await scene.until('it is heard again', async () => ((await router())?.master?.heard ?? 0) > silent);
    assert.is((await router())?.state, 'BACKUP');
    loseItsPower(family);
    await scene.until('we took over', () => we.has(vip));
    await scene.until('and say so', async () => (await router())?.state === 'MASTER');
    const { cause = '', statistics } = (await router()) ?? {};
    assert.match(cause, /^no advert from .* for [\d.]+ s; neither \S+ nor a virtual address answers$/);
    const took = Number(/for ([\d.]+) s/.exec(cause)?.[1]);
    console.log(`${name}: took over after ${took} s of silence; VRRP says ${VRRP_TAKES.toFixed(2)} s`);
    // A host that stood still listens longer, with or without the policy.
    if (statistics?.stalls === 0) assert.ok(took <= VRRP_TAKES + 1, `${took} s`);
    assert.match(operator(we, 'explain', 'web'), /ago: take: neither \S+ nor a virtual address answers/);
  });

  test(`${name}: a host that answers without its addresses has let go`, async () => {
    await begin(family, 'takeover_policy proof');
    they.freeze();
    they.kill();
    for (const each of family.vips) ip(they.name, `address delete ${each} dev lan`);
    await scene.until('we took over', () => we.has(vip));
    assert.match((await router())?.cause ?? '', 'answers, but no virtual address does');
  });
}

test('silence is no proof that a host is off', async () => {
  const [family] = Object.values(FAMILIES);
  if (family === undefined) throw new Error('no family');
  await begin(family, 'takeover_policy proof');
  loseItsPower(family);
  await scene.until('it is judged three times', async () => (await decisions()).includes('wait 3'));
  assert.not.ok(we.has(family.vip));
  assert.not.match(read(), 'STILL_SERVED');
});

test('without the keyword both are master', async () => {
  const [family] = Object.values(FAMILIES);
  if (family === undefined) throw new Error('no family');
  await begin(family);
  lose(true);
  await scene.until('both have the address', () => we.has(family.vip) && they.has(family.vip));
  assert.is((await router())?.takeover, undefined);
  assert.not.match(operator(we, 'explain', 'web'), 'takeover_policy');
});

test.run();
