import * as assert from 'uvu/assert';
import { type Privileges, privilegesOfCheck, privilegesOfSync, suffices } from '../../src/core/privileges.ts';
import { suite } from '../suite.ts';
import { configured, instance, loadText } from './config/memory.ts';

const test = suite('privileges');

function ofCheck(checks: string, globals = '', elsewhere = false): Privileges | undefined {
  const text = `global_defs {\n${globals}\n}\nvirtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT
real_server 10.0.0.1 80 {\n${checks}\n}\n}`;
  const { configuration, diagnostics } = loadText(text);
  if (configuration === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return privilegesOfCheck(configuration, elsewhere);
}
const NETWORK = ['net_admin', 'net_raw', 'net_bind_service'];
const script = (user: string): string => `MISC_CHECK {\nmisc_path /bin/true\n${user}\n}`;

test('probes need the network only', () => {
  const network = { capabilities: NETWORK, gains: false };
  assert.equal(ofCheck('TCP_CHECK {\n}\nPING_CHECK {\n}'), network);
  assert.equal(ofCheck('SSL_GET {\nurl {\npath /\n}\n}'), network);
});

test('scripts need to become their users; one that root runs may need anything', () => {
  const scripts = { capabilities: [...NETWORK, 'kill', 'setgid', 'setuid'], gains: true };
  assert.equal(ofCheck(script('user 1000 1000')), scripts);
  assert.equal(ofCheck(script(''), 'script_user 1000 1000'), scripts);
  assert.is(ofCheck(script('')), undefined);
  assert.is(ofCheck(script('user root')), undefined);
  assert.equal(ofCheck(script('user nobody-of-this-name')), { capabilities: NETWORK, gains: false });
  assert.is(ofCheck(script('user 1000 1000') + script('user 0 0')), undefined);
});

test('a place among others, and a table in another namespace, need more', () => {
  assert.equal(ofCheck('', 'checker_rt_priority 5')?.capabilities, [...NETWORK, 'sys_nice']);
  assert.equal(ofCheck('', 'checker_priority 5')?.capabilities, [...NETWORK, 'sys_nice']);
  assert.equal(ofCheck('', '', true)?.capabilities, [...NETWORK, 'sys_admin']);
});

test('the sync process listens where it copies, relays, or is evidence', () => {
  const router = (policy: string): string =>
    `global_defs {\nlvs_sync_daemon eth0 V\n}\n${instance(`virtual_ipaddress {\n10.0.0.9\n}\n${policy}`)}`;
  const ofSync = (text: string, elsewhere = false): readonly string[] =>
    privilegesOfSync(configured(text), elsewhere).capabilities;
  assert.equal(ofSync(router('')), ['net_admin']);
  assert.equal(ofSync(router('takeover_policy silence')), ['net_admin']);
  assert.equal(ofSync(router('takeover_policy evidence')), ['net_admin', 'net_raw']);
  assert.equal(ofSync(router('takeover_policy proof'), true), ['net_admin', 'net_raw', 'sys_admin']);
});

test('what suffices is what has all that is wanted', () => {
  const little: Privileges = { capabilities: ['net_admin'], gains: false };
  const more: Privileges = { capabilities: ['net_admin', 'kill'], gains: true };
  const all = [little, more, undefined];
  for (const [i, given] of all.entries())
    assert.equal(
      all.map((wanted) => suffices(given, wanted)),
      all.map((_, j) => j <= i),
    );
  assert.not.ok(suffices({ ...more, gains: false }, { ...little, gains: true }));
});

test.run();
