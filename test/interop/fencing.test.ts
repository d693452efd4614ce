import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { PowerStrip } from '../bench/fence-agent.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { operator, statusOf, vipkeeper } from '../lab/scene/director.ts';
import { ip } from '../lab/scene/run.ts';
import type { Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';
import { Directors, router, VIP } from './directors.ts';
import { type MailServer, startExim } from './exim.ts';

/** A pair without a witness that fences, by the power of its hosts. */
await enclose();

const MAIL_PORT = 2525;
type Name = 'a' | 'b';
const peerOf = (name: Name): Name => (name === 'a' ? 'b' : 'a');

const test = suite('a pair that fences');
let directors: Directors<Name>;
let hosts: Directors<Name>['hosts'];
let scene: Scene;
let mail: MailServer;
/** Of the power switch, and of what is told. */
let folder: string;
let power: PowerStrip;

/** Of b, which hears of the first one that is switched off. */
const notified = (): string => `global_defs {
  notification_email {
    ops@example.net
  }
  notification_email_from b@example.net
  smtp_server 127.0.0.1 ${MAIL_PORT}
  notify_fifo ${join(folder, 'fifo')}
  notify_fifo_script ${join(folder, 'reader')}
}
fencing {
  notify ${join(folder, 'alarm')}
  smtp_alert on
}
`;

/** `preempts`: it becomes master whoever was first. */
interface Manner {
  readonly preempts?: boolean;
  readonly policy?: 'evidence';
  /** `startup_alone`. */
  readonly alone?: 'fence' | 'take';
}

function configuration(name: Name, { preempts, policy, alone }: Manner): string {
  const more = [
    ...(preempts ? [] : ['nopreempt']),
    ...(policy === undefined ? [] : [`takeover_policy ${policy}`]),
  ];
  return [
    ...(name === 'b' ? [notified()] : []),
    ...(alone === undefined ? [] : [`fencing {\n  startup_alone ${alone}\n}\n`]),
    directors.heartbeat(),
    power.device(peerOf(name), 'monitor 1'),
    router(name === 'a' ? 150 : 100, ...more),
  ].join('');
}

const start = (name: Name, manner: Manner = {}): void => {
  power.switchOn(name);
  vipkeeper(hosts[name], configuration(name, manner), '-P');
};
const logs = (): string => scene.logs();
/** Waits until it is backup, and its peer's heartbeats come: by ARP they may be a second behind its adverts. */
const follows = (name: Name): Promise<number> =>
  scene.until(`${name} follows ${peerOf(name)}`, async () => {
    const vrrp = (await statusOf(hosts[name]))?.vrrp;
    const [instance, [peer]] = [vrrp?.instances[0], vrrp?.votes?.peers ?? []];
    return (
      instance?.state === 'BACKUP' &&
      instance.master?.address === directors.address(peerOf(name)) &&
      peer?.silent !== undefined
    );
  });
test.before(async () => {
  directors = new Directors(['a', 'b']);
  ({ hosts, scene } = directors);
  folder = join(scene.folder, 'fence');
  power = new PowerStrip(folder, VIP);
  writeFileSync(join(folder, 'reader'), `#!/bin/sh\nexec cat "$1" >>${folder}/lines\n`);
  writeFileSync(join(folder, 'alarm'), `#!/bin/sh\necho "$*: $VIPKEEPER_CAUSE" >>${folder}/alarms\n`);
  for (const name of ['reader', 'alarm']) chmodSync(join(folder, name), 0o755);
  mail = await startExim(hosts.b, MAIL_PORT);
  await directors.watched();
});
test.after(() => directors.close());
test.after.each(() => directors.notTwice());

test('one is elected with the consent of the other', async () => {
  start('a', { preempts: true });
  start('b');
  await directors.heldBy('a');
  assert.is((await directors.claim('a'))?.state, 'holding');
  await scene.until('the device was looked at', () => /works/.test(operator(hosts.b, 'fence', 'status')));
});

test('parted, the other switches it off first, and then takes the address', async () => {
  directors.part(true);
  await directors.heldBy('b');
  assert.match(logs(), 'fencing a: it is silent, and vrrp_instance VI_1 has no majority of votes');
  assert.match(logs(), 'a is off: power-of-a');
  assert.equal(hosts.a.processes(), []);
});

test('who is to hear of it is told: a script, a line and a mail, once each', async () => {
  const linesOf = (name: string): string[] => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  const about = (all: readonly string[]): string[] =>
    all.filter((line) => /(?:DIRECTOR|Director) "?a/.test(line));
  await scene.until('the script ran', () => linesOf('alarms').length > 0);
  await scene.until('the line came', () => about(linesOf('lines')).length > 0);
  await scene.until('the mail came', () => about(mail.mails()).length > 0);
  const [alarm = ''] = linesOf('alarms');
  assert.match(alarm, /^DIRECTOR a OFF 0: switched off by power-of-a: it is silent, and vrrp_instance VI_1/);
  assert.equal(about(linesOf('lines')), ['DIRECTOR "a" OFF 0']);
  assert.is(about(mail.mails()).length, 1);
});

test('it boots into the same partition, and neither takes the address nor shoots', async () => {
  start('a');
  await scene.until('it asks for votes', async () => (await directors.claim('a'))?.state === 'asking');
  await directors.inVain('a');
  assert.is(directors.holder(), 'b');
  assert.not.match(logs(), 'fencing b');
});

test('the cable is mended: it hears its peer and joins as backup', async () => {
  directors.part(false);
  await follows('a');
  assert.is(directors.holder(), 'b');
});

test('with a broken switch nobody takes over, unless the operator answers for it', async () => {
  power.behave('broken');
  await scene.until('it is said', () => logs().includes('fence device power-of-b does not work'));
  hosts.b.kill();
  ip('b', `address flush dev lan to ${VIP}`);
  await scene.until('the shot has failed', () => logs().includes('no fence device switched b off'));
  await directors.inVain('a');
  assert.is(directors.holder(), '');
  assert.match(operator(hosts.a, 'fence', 'status'), 'the power switch does not answer');
  operator(hosts.a, 'fence', 'confirm', 'b');
  await directors.heldBy('a');
  power.behave('works');
});

test('the dead one comes back and follows', async () => {
  start('b');
  await follows('b');
  assert.is(directors.holder(), 'a');
});

test('the operator is told what would be run, and is asked before it is', () => {
  const said = operator(hosts.a, 'fence', 'off', 'b', '--dry-run');
  assert.match(said, `level 1  power-of-b: ${power.agent} with plug=b strip=********`);
  assert.match(said, 'action=off');
  assert.throws(() => operator(hosts.a, 'fence', 'off', 'b'), /say --yes where nobody can be asked/);
  assert.throws(() => operator(hosts.a, 'fence', 'off', 'a', '--yes'), /a is this director/);
  assert.throws(() => operator(hosts.a, 'fence', 'off', 'c', '--yes'), /no such director: c; there are a, b/);
  assert.ok(power.isOn('b'));
});

test('the operator switches the other off', () => {
  assert.is(operator(hosts.a, 'fence', 'off', 'b', '--yes'), 'b is off\n');
  assert.equal(hosts.b.processes(), []);
  assert.match(
    operator(hosts.a, 'fence', 'status'),
    /b was switched off by power-of-b .* the operator wants it; not heard since/,
  );
});

test('started again while the other is off for certain, it takes the address without having heard it', async () => {
  hosts.a.kill();
  ip('a', `address flush dev lan to ${VIP}`);
  start('a');
  await directors.heldBy('a');
  assert.not.ok(power.isOn('b'));
  assert.match(operator(hosts.a, 'fence', 'status'), /b was switched off by power-of-b .* not heard since/);
});

test('it is switched on again, boots and follows', async () => {
  assert.is(operator(hosts.a, 'fence', 'on', 'b', '--yes'), 'b is on\n');
  assert.ok(power.isOn('b'));
  start('b');
  await follows('b');
  await scene.until('it is heard', () =>
    /b was switched off .* heard again/.test(operator(hosts.a, 'fence', 'status')),
  );
  assert.is(directors.holder(), 'a');
});

test('one that is silent and serves on is switched off first: takeover_policy', async () => {
  hosts.b.kill();
  start('b', { policy: 'evidence' });
  await follows('b');
  await scene.until('its device works', () => /works/.test(operator(hosts.b, 'fence', 'status')));
  // Neither adverts nor heartbeats of a arrive; it still answers for the address.
  hosts.b.run('nft', 'add', 'table', 'inet', 'test');
  hosts.b.run('nft', 'add chain inet test in { type filter hook input priority 0 ; }');
  hosts.b.run('nft', 'add', 'rule', 'inet', 'test', 'in', 'meta', 'l4proto', '{ 112, 17 }', 'drop');
  await directors.heldBy('b');
  const explained = operator(hosts.b, 'explain', 'VI_1');
  assert.match(explained, /ago: take: a is off/);
  assert.match(explained, new RegExp(`ago.*: fence: ${VIP} is served on: \\S+ answers for it`));
  assert.match(logs(), new RegExp(`fencing a: ${VIP} is served on`));
});

test('alone from its start it waits, switches the other off, or takes the address: startup_alone', async () => {
  for (const host of directors.all) {
    host.kill();
    ip(host.name, `address flush dev lan to ${VIP}`);
  }
  await directors.heldBy('');
  // It has power, and nobody heard it since.
  power.switchOn('b');
  start('a');
  await directors.inVain('a');
  assert.is(directors.holder(), '');
  assert.ok(power.isOn('b'));
  hosts.a.kill();
  start('a', { alone: 'fence' });
  await directors.heldBy('a');
  assert.not.ok(power.isOn('b'), 'b was switched off');
  hosts.a.kill();
  ip('a', `address flush dev lan to ${VIP}`);
  power.switchOn('b');
  start('a', { alone: 'take' });
  await directors.heldBy('a');
  assert.ok(power.isOn('b'), 'b was not switched off');
  assert.match(logs(), /b was not heard since our start: taken without it \(startup_alone take\)/);
});

test.run();
