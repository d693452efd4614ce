import * as assert from 'uvu/assert';
import { type AgentFacts, type Facts, NO_HOST } from '../../../src/core/config/facts.ts';
import { seconds } from '../../../src/core/time.ts';
import { claims, memberSettings } from '../../../src/core/vrrp/group.ts';
import { suite } from '../../suite.ts';
import { configured, findings, instance, KEY_FILE } from './memory.ts';

const test = suite('fence_device and fencing');

const HEARTBEAT = `heartbeat {\nkey_file ${KEY_FILE}\ndirector a 10.0.0.1\ndirector b 10.0.0.2\nname a\n}\n`;
const device = (lines: string, name = 'power'): string =>
  `${HEARTBEAT}fence_device ${name} {\nagent fence_x\ntarget b\n${lines}\n}\n`;
const AGENT: AgentFacts = {
  kind: 'good',
  actions: ['off', 'status', 'monitor', 'metadata'],
  parameters: [
    { name: 'action', required: true, type: 'string', choices: [] },
    { name: 'ip', required: true, type: 'string', choices: [] },
    { name: 'port', required: true, deprecated: true, type: 'string', choices: [] },
    { name: 'plug', required: true, obsoletes: 'port', type: 'string', choices: [] },
    { name: 'power_wait', required: false, type: 'second', choices: [] },
    { name: 'ipport', required: false, type: 'integer', choices: [] },
    { name: 'lanplus', required: false, type: 'boolean', choices: [] },
    { name: 'auth', required: false, type: 'select', choices: ['md5', 'none'] },
  ],
};
const host = (fenceAgent: AgentFacts): Facts => ({ ...NO_HOST, fenceAgent: () => fenceAgent });
const told = (lines: string, agent: AgentFacts = AGENT): string =>
  findings(device(lines), { '/key': 'secret\n' }, host(agent)).join('\n');
const GOOD = 'parameter ip 10.0.0.9\nparameter plug 7';

test('a device with what is not said; a pair that fences is protected', () => {
  assert.equal(configured(device('parameter ip 10.0.0.9\nlevel 2')).fencing, {
    devices: [
      {
        ...{
          name: 'power',
          agent: 'fence_x',
          target: 'b',
          parameters: { ip: '10.0.0.9' },
          level: 2,
          action: 'off',
          verify: true,
        },
        ...{ timeout: seconds(60), retries: 1, delay: seconds(0), monitor: seconds(60) },
      },
    ],
    startup: 'wait',
    onFailure: 'wait',
  });
  assert.is(told(GOOD), '');
});

test("parameters are held against the agent's metadata", () => {
  assert.match(told('parameter plug 7'), 'error 8:7 fence_x needs parameter ip');
  assert.is(told('parameter ip 10.0.0.9\nparameter port 7'), '', 'port is the old word for plug');
  assert.match(told(`${GOOD}\nparameter lanpls 1`), 'error 12:11 fence_x has no parameter lanpls');
  assert.match(told(`${GOOD}\nparameter ipport x`), 'ipport is a whole number');
  assert.match(told(`${GOOD}\nparameter power_wait 1s`), 'power_wait is a whole number');
  assert.match(told(`${GOOD}\nparameter lanplus maybe`), 'lanplus is 1 or 0');
  assert.match(told(`${GOOD}\nparameter auth crypt`), 'auth is one of md5, none');
  assert.match(told(`${GOOD}\nparameter action off`), 'action is not to be set here');
  assert.match(told(`${GOOD}\naction reboot`), 'fence_x cannot do reboot');
  assert.match(told(`${GOOD}\nparameter ip 10.0.0.8`), 'ip is given twice');
});

test('an agent without a status is believed only where that is written', () => {
  const blind = { ...AGENT, actions: ['off', 'monitor', 'metadata'] };
  assert.match(told(GOOD, blind), 'fence_x has no status: nobody can see whether it did its work');
  assert.is(told(`${GOOD}\nverify off`, blind), '');
});

test('an agent that is none is an error', () => {
  assert.match(
    told(GOOD, { kind: 'bad', problem: 'there is no such program' }),
    'fence_x is no fence agent: there is no',
  );
});

test('a secret comes from a file', () => {
  assert.equal(told(`parameter plug 7\nparameter_file ip /key`), '');
  assert.match(
    told(`parameter plug 7\nparameter_file ip /nowhere`),
    'ip cannot be read: /nowhere does not exist',
  );
});

test('who hears of alarms, with devices and without', () => {
  const { notify } = configured(`${HEARTBEAT}fencing {\nnotify "/bin/alarm x"\n}\n`);
  assert.equal(notify.subjects, [
    { of: 'fencing', name: '', scripts: { any: { command: ['/bin/alarm', 'x'] } }, mail: false },
  ]);
  assert.is(
    findings(`${HEARTBEAT}fencing {\nnotify "/bin/alarm x"\n}\n`).filter((line) => /fencing/.test(line))
      .length,
    0,
  );
});

test('what is missing or unknown is said', () => {
  const bare = findings(`${HEARTBEAT}fence_device x {\n}\n`).join();
  assert.match(bare, 'fence_device x has no agent');
  assert.match(bare, 'fence_device x has no target');
  assert.match(findings(device('').replace('target b', 'target bb')).join(), 'there is no director bb');
  assert.match(findings(`${HEARTBEAT}fencing {\n}\n`).join(), 'fencing without a fence_device does nothing');
  assert.match(
    findings(device('') + device('').slice(HEARTBEAT.length)).join(),
    'fence_device power is defined twice',
  );
});

test('what is done when no device works is said for each router, for a group as one, or for all', () => {
  const body = 'virtual_ipaddress {\n10.0.0.100\n}\non_fence_failure manual';
  const device1 = device('parameter ip 10.0.0.9');
  const { instances, groups } = configured(
    `${device1}${instance(body)}vrrp_sync_group G {\ngroup {\nV\n}\non_fence_failure take\n}\n`,
  );
  assert.is(instances[0]?.onFenceFailure, 'manual');
  assert.is(groups[0]?.onFenceFailure, 'take');
  const grouped = `${device1}${instance(body)}vrrp_sync_group G {\ngroup {\nV\n}\n}\n`;
  assert.match(findings(grouped).join('\n'), 'on_fence_failure has no effect in the sync group G');
  assert.match(findings(instance(body)).join('\n'), 'on_fence_failure without a fence_device does nothing');
});

test('what is needed to take over is said for each router, or for a group as one', () => {
  const body = 'virtual_ipaddress {\n10.0.0.100\n}\ntakeover_policy proof';
  const group = (lines = ''): string => `vrrp_sync_group G {\ngroup {\nV\n}\n${lines}}\n`;
  const { instances, groups } = configured(instance(body) + group('takeover_policy evidence\n'));
  assert.is(groups[0]?.takeoverPolicy, 'evidence');
  assert.is(memberSettings(instances, groups)[0]?.takeoverPolicy, 'evidence');
  assert.is(memberSettings(instances, claims(instances, []))[0]?.takeoverPolicy, 'proof');
  assert.is(
    memberSettings(
      instances,
      groups.map(({ takeoverPolicy: _, ...rest }) => rest),
    )[0]?.takeoverPolicy,
    undefined,
  );
  assert.match(
    findings(instance(body) + group()).join('\n'),
    'takeover_policy has no effect in the sync group G',
  );
  assert.match(findings(instance(body.replace('proof', 'prof'))).join('\n'), /silence.*evidence.*proof/);
});

test.run();
