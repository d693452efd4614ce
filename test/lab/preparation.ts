import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import type { Host } from './scene/host.ts';
import { Scene } from './scene/scene.ts';
import { Client, ECHO_PORT, realServer } from './scene/traffic.ts';

/**
 * `vipkeeper realserver` and `vipkeeper director` on the real kernel: what they set is in force, and `undo` leaves
 * the host as it was found.
 */
export const needs = 'kernel';
export const limitSeconds = 900;

const VIP = '10.0.0.100';
const VIP6 = 'fd00::100';
const story = suite('hosts are prepared, and left as they were');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const rack = scene.link('rack');
const director = scene
  .host('director')
  .on(lan, '10.0.0.2/24', 'fd00::2/64', `${VIP}/32`)
  .on(rack, '192.168.1.1/24');
const user = scene.host('user').on(lan, '10.0.0.10/24', 'fd00::10/64').via('10.0.0.2', '192.168.1.0/24');
const server = scene.host('rs').on(lan, '10.0.0.11/24', 'fd00::11/64');
const inner = scene.host('inner').on(rack, '192.168.1.11/24').via('192.168.1.1');

/** Everything that preparation may touch. */
const snapshot = (host: Host): string =>
  [
    host.run('sysctl', '-a', '--pattern', '^net\\.ipv[46]\\.(conf\\.|ip_forward$|vs\\.)'),
    host.run('ip', '-d', 'address'),
    host.run('ip', 'route', 'show', 'table', 'all').replace(/expires \d+sec/g, ''),
  ].join('\n');

const folderOf = (host: Host): string => join(scene.folder, host.name);
const program = join(ROOT, 'bin/vipkeeper');

/** Nothing is other than it was: the lines that came and went. */
function isAsBefore(host: Host, before: string): void {
  const [then, now] = [before, snapshot(host)].map((text) => text.split('\n'));
  const [gone, come] = [
    then?.filter((line) => !now?.includes(line)),
    now?.filter((line) => !then?.includes(line)),
  ];
  assert.equal([gone, come], [[], []]);
}

/** Runs a command of `vipkeeper` on a host; throws when it fails. */
const prepared = (host: Host, words: string): string => {
  const [group = '', ...rest] = words.split(' ');
  return host.run(program, group, '--state-dir', folderOf(host), ...rest);
};

function refusal(host: Host, words: string): string {
  const [group = '', ...rest] = words.split(' ');
  const argv = host.command(program, group, '--state-dir', folderOf(host), ...rest);
  const { status, stderr } = spawnSync(argv[0] ?? '', argv.slice(1), { encoding: 'utf8' });
  assert.is.not(status, 0, words);
  return stderr;
}

/** Whether somebody on the segment says that he has the address. */
function isAnsweredFor(address: string): boolean {
  user.run('ip', 'neigh', 'flush', 'dev', 'lan');
  user.succeeds('ping', '-c', '1', '-W', '1', address);
  return user.run('ip', 'neigh', 'show', 'to', address).includes('lladdr');
}

/** Connections of the user through the director, to the address, that the real server answers. */
async function serves(address: string, way: string): Promise<void> {
  const service = `${address}:${ECHO_PORT}`;
  director.run('ipvsadm', '-A', '-t', service, '-s', 'rr');
  director.run('ipvsadm', '-a', '-t', service, '-r', '10.0.0.11', way);
  const client = await Client.start(user);
  await client.open(3, address);
  assert.equal((await client.everyConnectionAnswers()).servers, { rs: 3 });
  await client.close();
  director.run('ipvsadm', '-C');
}

story.before(async () => {
  await realServer(server);
  // From its first time up a device has a queue and settings for IPv6; no undo can know of a time before.
  for (const device of ['tunl0', 'ip6tnl0']) {
    for (const state of ['up', 'down']) server.run('ip', 'link', 'set', device, state);
  }
});

story('without preparation, a real server with the VIP answers ARP for it', () => {
  director.run('ip', 'address', 'del', `${VIP}/32`, 'dev', 'lan');
  server.address('lo', `${VIP}/32`);
  assert.ok(isAnsweredFor(VIP));
  server.run('ip', 'address', 'del', `${VIP}/32`, 'dev', 'lo');
});

story('direct routing: the dry run changes nothing and prints what is done', () => {
  const before = snapshot(server);
  const commands = prepared(server, `realserver prepare ${VIP} ${VIP6} --dry-run`);
  isAsBefore(server, before);
  assert.is(prepared(server, `realserver prepare ${VIP} ${VIP6}`), commands);
  assert.is(prepared(server, `realserver prepare ${VIP} ${VIP6}`), 'all is as it should be\n');
  assert.is(server.run('sysctl', '-n', 'net.ipv4.conf.all.arp_ignore').trim(), '1');
  assert.is(server.run('sysctl', '-n', 'net.ipv4.conf.all.arp_announce').trim(), '2');
  assert.match(server.run('ip', 'address', 'show', 'dev', 'lo'), `inet ${VIP}/32`);
  assert.match(prepared(server, 'realserver show'), /^address 10\.0\.0\.100\/32 on lo .* in force$/m);
  assert.not.ok(isAnsweredFor(VIP));
  assert.not.ok(isAnsweredFor(VIP6));
  assert.ok(isAnsweredFor('10.0.0.11'));
  prepared(server, 'realserver undo');
  isAsBefore(server, before);
  assert.is(prepared(server, 'realserver show'), 'nothing was changed since the system started\n');
});

story('direct routing: it takes what the director sends', async () => {
  prepared(server, `realserver prepare ${VIP}`);
  director.address('lan', `${VIP}/32`);
  await serves(VIP, '-g');
  prepared(server, 'realserver undo');
});

story('tunnels, where the reverse path was checked strictly', async () => {
  server.sysctl({ 'net.ipv4.conf.all.rp_filter': 1, 'net.ipv4.conf.tunl0.rp_filter': 1 });
  const before = snapshot(server);
  prepared(server, `realserver prepare ${VIP} ${VIP6} --method tun`);
  const { settings } = JSON.parse(prepared(server, 'realserver show --json'));
  assert.equal(
    settings.find(({ setting }: { readonly setting: string }) => setting.endsWith('.rp_filter')),
    { setting: 'net.ipv4.conf.all.rp_filter', value: '2', before: '1', now: '2', inForce: true },
  );
  assert.not.ok(isAnsweredFor(VIP6));
  await serves(VIP, '-i');
  prepared(server, 'realserver undo');
  isAsBefore(server, before);
});

story('what somebody else changed since is left, and said', () => {
  prepared(server, `realserver prepare ${VIP}`);
  server.sysctl({ 'net.ipv4.conf.all.arp_ignore': 2 });
  assert.match(prepared(server, 'realserver show'), /arp_ignore +1 +0 +changed to 2/);
  assert.match(prepared(server, 'realserver undo'), 'left: net.ipv4.conf.all.arp_ignore has been changed');
  assert.is(server.run('sysctl', '-n', 'net.ipv4.conf.all.arp_ignore').trim(), '2');
  assert.not.ok(server.has(VIP));
  server.sysctl({ 'net.ipv4.conf.all.arp_ignore': 0 });
});

story('what another boot did is not taken back', () => {
  prepared(server, `realserver prepare ${VIP}`);
  const file = join(folderOf(server), 'realserver.changes');
  const changes = readFileSync(file, 'utf8');
  writeFileSync(file, changes.replace(/^.*/, 'another-boot'));
  assert.is(prepared(server, 'realserver undo'), 'nothing was changed since the system started\n');
  assert.ok(server.has(VIP));
  writeFileSync(file, changes);
  prepared(server, 'realserver undo');
  assert.not.ok(server.has(VIP));
});

story('refusals say why and change nothing', () => {
  const before = snapshot(director);
  assert.match(
    refusal(director, `realserver prepare ${VIP}`),
    `${VIP}/32 is on lan, where the segment hears of it`,
  );
  assert.match(refusal(director, 'realserver prepare 10.0.0'), '10.0.0: not the address of a host');
  assert.match(refusal(director, `realserver prepare ${VIP} --method nat`), 'dr, tun');
  assert.match(refusal(director, 'director prepare --vs nosuch=1'), 'no sysctl net.ipv4.vs.nosuch');
  assert.match(refusal(director, 'director prepare --masquerade 10.0.0.0'), 'A network is wanted');
  isAsBefore(director, before);
});

story('a director forwards; undo restores what goes along with that, too', async () => {
  // What the kernel does not bring back when forwarding ends.
  director.sysctl({ 'net.ipv4.conf.lan.forwarding': 1, 'net.ipv4.conf.all.accept_redirects': 0 });
  director.sysctl({ 'net.ipv6.conf.rack.forwarding': 1, 'net.ipv6.conf.lan.accept_ra': 1 });
  const before = snapshot(director);
  assert.not.ok(inner.reaches('10.0.0.10'));
  const words = 'director prepare --ipv6 --conntrack --vs expire_nodest_conn=1';
  const commands = prepared(director, `${words} --dry-run`);
  isAsBefore(director, before);
  assert.is(prepared(director, words), commands);
  assert.is(prepared(director, words), 'all is as it should be\n');
  const value = (name: string): string => director.run('sysctl', '-n', name).trim();
  for (const [name, wanted] of [
    ['net.ipv4.ip_forward', '1'],
    ['net.ipv6.conf.all.forwarding', '1'],
    ['net.ipv6.conf.lan.accept_ra', '2'],
    ['net.ipv4.conf.all.send_redirects', '0'],
    ['net.ipv4.conf.lan.send_redirects', '0'],
    ['net.ipv4.vs.conntrack', '1'],
    ['net.ipv4.vs.expire_nodest_conn', '1'],
  ] as const) {
    assert.is(value(name), wanted, name);
  }
  await scene.until('the inner host reaches the user', () => inner.reaches('10.0.0.10'));
  assert.not.match(prepared(director, 'director show'), /gone|changed to/);
  prepared(director, 'director undo');
  isAsBefore(director, before);
  assert.not.ok(inner.reaches('10.0.0.10'));
});

story.run();
