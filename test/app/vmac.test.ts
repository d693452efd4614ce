import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { isAlive, ROUTER, Stage, until, VIP } from './stage.ts';

/** A VMAC in the life of a daemon: crashes, reloads, and what becomes of the interface below. */
await enclose();
const test = suite('the interface of a virtual router');
const stage = new Stage();
const VMAC = ROUTER.replace('interface lan', 'interface lan\n  use_vmac');

const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
/** `ip -j link show DEV`, or nothing. */
function link(device: string): { ifindex: number; mtu: number; address: string } | undefined {
  return JSON.parse(ip('-j', 'link')).find(({ ifname }: { ifname: string }) => ifname === device);
}
/** The interface that has the VIP. */
const home = (): string | undefined => /^\d+: (\S+)/.exec(ip('-o', 'address', 'show', 'to', VIP))?.[1];
const conf = (device: string, name: string): string =>
  readFileSync(`/proc/sys/net/ipv4/conf/${device}/${name}`, 'utf8').trim();
const set = (device: string, name: string, value: string): void =>
  void execFileSync('sysctl', ['-qw', `net.ipv4.conf.${device}.${name}=${value}`]);

const start = (text = VMAC): void => stage.start(text);

test.after.each(() => {
  if (stage.runs) stage.stop();
  assert.is(link('vrrp.7'), undefined, 'it is gone after the stop');
  assert.is(home(), undefined);
});
test.after(() => stage.close());

test('it is there when the router begins, so that nothing was ever wrong', () => {
  start();
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  assert.is(link('vrrp.7')?.address, '00:00:5e:00:01:07');
  assert.not.match(stage.log, 'FAULT');
  assert.equal(
    ['arp_ignore', 'arp_filter', 'arp_announce'].map((name) => conf('lan', name)),
    ['1', '1', '2'],
  );
  stage.stop();
  assert.equal(
    ['arp_ignore', 'arp_filter', 'arp_announce'].map((name) => conf('lan', name)),
    ['0', '0', '0'],
  );
});

test('the next life takes over what a crash left', () => {
  start();
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  const before = link('vrrp.7')?.ifindex;
  process.kill(stage.pid('vrrp'), 'SIGKILL');
  until(() => stage.log.includes('the interface vrrp.7 was there already'), 'it is taken over');
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  assert.is(link('vrrp.7')?.ifindex, before);
});

test('it is made again when somebody removes it', () => {
  start();
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  const before = link('vrrp.7')?.ifindex;
  ip('link', 'delete', 'vrrp.7');
  until(() => home() === 'vrrp.7', 'the VIP is on it again');
  assert.is.not(link('vrrp.7')?.ifindex, before);
});

test('it has the MTU of the interface below, less and more', () => {
  start();
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  for (const mtu of [1400, 1500]) {
    ip('link', 'set', 'lan', 'mtu', `${mtu}`);
    until(() => link('vrrp.7')?.mtu === mtu, `its MTU is ${mtu}`);
  }
});

test('it goes with the interface below, and comes back with it', () => {
  start();
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  ip('link', 'delete', 'lan');
  until(() => home() === undefined, 'all of it is gone');
  ip('link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'wire');
  for (const device of ['lan', 'wire']) ip('link', 'set', device, 'up');
  ip('address', 'add', '10.9.0.1/24', 'dev', 'lan');
  until(() => home() === 'vrrp.7', 'the VIP is back');
});

test('a reload moves the addresses to it, to another one, and back', () => {
  start(ROUTER);
  until(() => home() === 'lan', 'the VIP is on the interface');
  for (const [text, device] of [
    [VMAC, 'vrrp.7'],
    [VMAC.replace('use_vmac', 'use_vmac gate 02:00:00:00:00:09'), 'gate'],
    [ROUTER, 'lan'],
  ] as const) {
    stage.configure(text);
    assert.is(stage.operator('reload').status, 0);
    until(() => home() === device, `the VIP is on ${device}`);
  }
  assert.is(link('gate'), undefined);
});

test('an interface of that name that is none of ours is left alone, and said', () => {
  ip('link', 'add', 'vrrp.7', 'type', 'veth', 'peer', 'name', 'other');
  start();
  until(() => stage.log.includes('there is another interface vrrp.7'), 'it is said');
  assert.is(home(), undefined);
  ip('link', 'delete', 'vrrp.7');
  until(() => home() === 'vrrp.7', 'the VIP is there once it is gone');
});

test('strict reverse paths stay for the others, and are put back', () => {
  set('all', 'rp_filter', '1');
  set('lan', 'rp_filter', '0');
  start();
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  assert.equal(
    ['all', 'lan', 'vrrp.7'].map((device) => conf(device, 'rp_filter')),
    ['0', '1', '0'],
  );
  stage.stop();
  assert.equal(
    ['all', 'lan'].map((device) => conf(device, 'rp_filter')),
    ['1', '0'],
  );
  set('all', 'rp_filter', '0');
});

/** What we change, of the interface below and of all. */
const SETTINGS = [
  ...['arp_ignore', 'arp_filter', 'arp_announce', 'promote_secondaries', 'rp_filter'].map((name) => [
    'lan',
    name,
  ]),
  ['all', 'rp_filter'],
] as [string, string][];
const settings = (): string[] => SETTINGS.map(([device, name]) => `${device} ${name} ${conf(device, name)}`);
const PROMOTING = VMAC.replace('use_vmac', 'use_vmac\n  promote_secondaries');

/** Unlike what is usual, and unlike what we need. */
function prepared(): string[] {
  set('all', 'rp_filter', '1');
  for (const [name, value] of [
    ['arp_announce', '1'],
    ['promote_secondaries', '0'],
    ['rp_filter', '0'],
  ] as const)
    set('lan', name, value);
  return settings();
}

function killAll(): void {
  const pids = ['vipkeeperd', 'vrrp'].map((name) => stage.pid(name));
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  until(() => !pids.some(isAlive), 'all are dead');
}

test('what it changed is put back after crashes of its process and of the whole daemon', () => {
  const before = prepared();
  start(PROMOTING);
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  const changed = settings();
  assert.equal(
    changed.filter((line) => before.includes(line)),
    [],
  );
  const first = stage.pid('vrrp');
  process.kill(first, 'SIGKILL');
  until(() => stage.log.includes('the interface vrrp.7 was there already'), 'the next one takes over');
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  killAll();
  assert.equal(settings(), changed);
  start(PROMOTING);
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  assert.equal(settings(), changed);
  stage.stop();
  assert.equal(settings(), before);
  assert.not.ok(existsSync(join(stage.runDir, 'originals')));
  set('all', 'rp_filter', '0');
});

test('a next life that needs none of it puts it back, but what somebody else has set since', () => {
  const before = prepared();
  start(PROMOTING);
  until(() => home() === 'vrrp.7', 'the VIP is on it');
  killAll();
  set('lan', 'arp_ignore', '2');
  ip('link', 'delete', 'vrrp.7');
  start(ROUTER);
  until(() => home() === 'lan', 'the VIP is on the interface');
  const expected = before.map((line) => (line.startsWith('lan arp_ignore') ? 'lan arp_ignore 2' : line));
  assert.equal(settings(), expected);
  stage.stop();
  set('all', 'rp_filter', '0');
  set('lan', 'arp_ignore', '0');
});

test.run();
