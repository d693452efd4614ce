import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { AgentAction, AgentEnd, DeviceSettings } from '../../src/core/fence/agent.ts';
import { seconds } from '../../src/core/time.ts';
import { agentFacts, parseMetadata } from '../../src/io/agentmetadata.ts';
import { runAgent } from '../../src/io/fenceagent.ts';
import { suite } from '../suite.ts';

/** Agents of Debian's package fence-agents, and those that no package has. */
const test = suite('fence agents');
const folder = mkdtempSync(join(tmpdir(), 'agents-'));
test.after(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, mode);
  return path;
}
const device = (agent: string, parameters: Record<string, string> = {}, timeout = 60): DeviceSettings => ({
  ...{ name: 'x', agent, target: 'b', parameters, level: 1, action: 'off', verify: true, retries: 0 },
  ...{ timeout: seconds(timeout), delay: seconds(0), monitor: seconds(0) },
});
const run = (settings: DeviceSettings, action: AgentAction): Promise<AgentEnd> =>
  new Promise((resolve) => runAgent(settings, action, resolve));

test('fence_dummy switches off, and its status says so', async () => {
  const dummy = device('fence_dummy', { type: 'file', status_file: join(folder, 'state') });
  assert.is((await run(dummy, 'monitor')).status, 0);
  writeFileSync(join(folder, 'state'), 'on');
  assert.is((await run(dummy, 'status')).status, 0);
  assert.is((await run(dummy, 'off')).status, 0);
  const status = await run(dummy, 'status');
  assert.is(status.status, 2);
  assert.match(status.said, 'Status: OFF');
});

test('agents say what they take', () => {
  for (const agent of ['fence_dummy', 'fence_ipmilan', 'fence_apc', 'fence_virsh']) {
    const facts = agentFacts(agent);
    assert.is(facts.kind, 'good', agent);
    if (facts.kind !== 'good') continue;
    assert.ok(
      ['off', 'reboot', 'monitor'].every((action) => facts.actions.includes(action)),
      agent,
    );
  }
  const ipmi = agentFacts('fence_ipmilan');
  const known = ipmi.kind === 'good' ? ipmi.parameters : [];
  assert.equal(
    known.find(({ name }) => name === 'privlvl'),
    {
      name: 'privlvl',
      required: false,
      type: 'select',
      choices: known.find(({ name }) => name === 'privlvl')?.choices,
    },
  );
  assert.is(known.find(({ name }) => name === 'lanplus')?.type, 'boolean');
  const apc = agentFacts('fence_apc');
  assert.ok(apc.kind === 'good' && apc.parameters.some(({ name, required }) => name === 'plug' && required));
});

test('what is no agent is said', () => {
  assert.equal(agentFacts('fence_nowhere'), { kind: 'bad', problem: 'there is no such program' });
  assert.equal(agentFacts(script('plain', 'exit 0', 0o644)), {
    kind: 'bad',
    problem: 'it is not executable',
  });
  assert.match(JSON.stringify(agentFacts(script('fails', 'echo broken >&2; exit 3'))), 'status 3: broken');
  assert.match(JSON.stringify(agentFacts(script('babbles', 'echo hello'))), 'no metadata of a fence agent');
  assert.match(JSON.stringify(agentFacts(script('floods', 'yes'))), 'its metadata has no end');
  assert.is(parseMetadata('<resource-agent><parameters>').kind, 'bad');
  assert.is(parseMetadata('\u0000<<<').kind, 'bad');
});

test('one that never ends is killed, with what it started', async () => {
  const mark = join(folder, 'alive');
  const agent = script('hangs', `(sleep 5; touch ${mark}) & sleep 600`);
  const end = await run(device(agent, {}, 1), 'off');
  assert.is(end.status, null);
  assert.match(end.said, 'it took longer than 1 s');
  await new Promise((resolve) => setTimeout(resolve, 5500));
  assert.not.ok(existsSync(mark));
});

test('what one prints without end is not kept', async () => {
  const agent = script('prints', 'head -c 300000000 /dev/zero | tr "\\0" x; echo the end; exit 1');
  const end = await run(device(agent), 'off');
  assert.is(end.status, 1);
  assert.ok(end.said.length <= 500);
  assert.match(end.said, 'the end');
});

test('parameters go by standard input, not where every user sees them', async () => {
  const agent = script('shows', 'echo "$@" "$(env)"; cat >&2');
  const end = await run(device(agent, { password: 'secret word' }), 'status');
  assert.match(end.said, /password=secret word action=status$/);
  assert.is(end.said.split('secret').length, 2, 'once');
});

test('one that does not read, or cannot start, is an end too', async () => {
  assert.is(
    (await run(device(script('deaf', 'exec <&-; exit 4'), { x: 'y'.repeat(200_000) }), 'off')).status,
    4,
  );
  const missing = await run(device(join(folder, 'nothing')), 'off');
  assert.is.not(missing.status, 0);
});

test.run();
