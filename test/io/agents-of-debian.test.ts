import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { agentFacts } from '../../src/io/agentmetadata.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';

/** Every agent of Debian's package fence-agents: what it says of itself; a configuration that is held against it. */
const test = suite("Debian's fence agents");
const FOLDER = '/usr/sbin';
/** A question to the operator: it has no metadata, and is no agent. */
const NONE = 'fence_ack_manual';
const folder = mkdtempSync(join(tmpdir(), 'agents-'));
const key = join(folder, 'key');
writeFileSync(key, 'a secret of these two\n');
chmodSync(key, 0o600);
test.after(() => rmSync(folder, { recursive: true }));

const installed = readdirSync(FOLDER).filter((name) => name.startsWith('fence_') && name !== NONE);

/** The errors that `vipkeeperd -t` finds in a configuration with this device. */
function told(agent: string, ...lines: readonly string[]): string {
  const file = join(folder, 'vipkeeper.conf');
  writeFileSync(
    file,
    `heartbeat {
  key_file ${key}
  director a 127.0.0.1
  director b 192.0.2.2
  name a
}
fence_device power {
  agent ${agent}
  target b
  ${lines.join('\n  ')}
}
vrrp_instance VI_1 {
  interface lo
  virtual_router_id 51
  virtual_ipaddress {
    192.0.2.100
  }
}
`,
  );
  const { stdout, stderr } = spawnSync(join(ROOT, 'bin/vipkeeperd'), ['-t', '-f', file], {
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line.includes(': error: '))
    .join('\n');
}

test('the metadata of every one is read', () => {
  assert.ok(installed.length > 70, `${installed.length} agents`);
  const kinds = new Set<string>();
  for (const agent of installed) {
    const facts = agentFacts(agent);
    assert.ok(facts.kind === 'good', `${agent}: ${JSON.stringify(facts)}`);
    for (const { name, type, choices } of facts.parameters) {
      kinds.add(type);
      assert.ok(type !== 'select' || choices.length > 0, `${agent}: ${name}`);
    }
    for (const action of ['metadata', 'monitor']) assert.ok(facts.actions.includes(action), agent);
  }
  assert.equal([...kinds].sort(), ['boolean', 'integer', 'second', 'select', 'string']);
  assert.is(agentFacts(NONE).kind, 'bad');
});

test('what each of them needs is enough, in the words of today; without it, it is asked for', () => {
  for (const agent of ['fence_ipmilan', 'fence_apc', 'fence_vmware_rest']) {
    const facts = agentFacts(agent);
    if (facts.kind !== 'good') throw new Error(`${agent}: ${facts.problem}`);
    const needed = facts.parameters.filter(
      ({ name, required, deprecated }) => required && !deprecated && name !== 'action',
    );
    assert.is(told(agent, ...needed.map(({ name }) => `parameter ${name} 10.0.0.9`)), '', agent);
    const said = told(agent);
    for (const { name } of needed) assert.match(said, `${agent} needs parameter ${name}`);
  }
});

test('old words are as good as new ones', () => {
  assert.is(told('fence_apc', 'parameter ipaddr 10.0.0.9', 'parameter login x', 'parameter port 7'), '');
});

test('unknown, wrong and impossible words are told', () => {
  const ipmi = (line: string): string => told('fence_ipmilan', 'parameter ip 10.0.0.9', line);
  assert.match(ipmi('parameter lanpls 1'), 'fence_ipmilan has no parameter lanpls');
  assert.match(ipmi('parameter lanplus maybe'), 'lanplus is 1 or 0');
  assert.match(ipmi('parameter privlvl god'), 'privlvl is one of callback, user, operator, administrator');
  assert.match(ipmi('parameter power_wait soon'), 'power_wait is a whole number');
  assert.match(ipmi('parameter ipport http'), 'ipport is a whole number');
  assert.match(ipmi('parameter action off'), 'action is not to be set here');
  assert.match(told('fence_scsi', 'action reboot'), 'fence_scsi cannot do reboot');
  assert.match(told('fence_kdump', 'parameter nodename b'), 'fence_kdump has no status');
  assert.is(told('fence_kdump', 'parameter nodename b', 'verify off'), '');
  assert.match(told(NONE), `${NONE} is no fence agent`);
});

test.run();
