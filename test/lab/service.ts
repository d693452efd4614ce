import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { Scene } from './scene/scene.ts';

/**
 * The daemon as a service, under a real systemd with the unit that the project ships: started, reloaded, killed, frozen
 * and stopped, with no more rights than the unit gives.
 */
export const needs = 'systemd';
export const limitSeconds = 1260;

const VIP = '10.9.0.100';
const UNIT = 'vipkeeper.service';
const CONFIGURATION = '/etc/keepalived/keepalived.conf';
const INSTALLED = '/usr/lib/vipkeeper';

const story = suite('the systemd service');
const scene = new Scene();
story.after(() => scene.close());
const machine = await scene.machine('box', [], { init: 'systemd' });
const sh = async (command: string): Promise<string> => (await machine.run(command)).trim();

const configuration = (priority: number, servers: number): string => `global_defs {
  lvs_sync_daemon lan web
}
vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
virtual_server ${VIP} 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  ${Array.from({ length: servers }, (_, i) => `real_server 10.9.0.${11 + i} 80 {\n  }`).join('\n  ')}
}
`;

const write = (path: string, text: string): Promise<string> =>
  sh(`mkdir -p $(dirname ${path}) && cat >${path} <<'END'\n${text}\nEND`);
const property = (name: string): Promise<string> => sh(`systemctl show -P ${name} ${UNIT}`);
const holds = (): Promise<boolean> => machine.succeeds(`ip -o address show to ${VIP} | grep -q .`);
const table = async (): Promise<string[]> => (await sh('ipvsadm -Sn')).split('\n').filter(Boolean);
const pidOf = (role: string): Promise<string> => sh(`cat /run/vipkeeper/${role}.pid`);
/** What the unit logged so far, `PRIORITY message` a line; the journal is a little behind. */
async function journal(): Promise<string> {
  const lines = await sh(`journalctl --sync; journalctl -u ${UNIT} -o json --output-fields=PRIORITY,MESSAGE`);
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { readonly PRIORITY?: string; readonly MESSAGE?: string })
    .map(({ PRIORITY, MESSAGE }) => `${PRIORITY} ${MESSAGE}`)
    .join('\n');
}
const works = (what: string): Promise<number> =>
  scene.until(`${what}: it holds the VIP and its service`, async () => {
    return (await property('ActiveState')) === 'active' && (await holds()) && (await table()).length > 0;
  });

story.before(async () => {
  await sh('ip link add lan type dummy && ip address add 10.9.0.1/24 dev lan && ip link set lan up');
  // Where a package puts it. The project itself may lie in /tmp, which the unit does not see (PrivateTmp).
  await sh(`mkdir -p ${INSTALLED} && mount --bind ${ROOT} ${INSTALLED}`);
  for (const program of ['vipkeeperd', 'vipkeeper']) {
    await sh(`ln -s ${INSTALLED}/bin/${program} /usr/sbin/${program}`);
  }
  await write(`/etc/systemd/system/${UNIT}`, readFileSync(join(ROOT, 'systemd', UNIT), 'utf8'));
  await write(CONFIGURATION, configuration(255, 1));
  await sh('systemctl daemon-reload');
});

story('systemd has nothing to say about the unit', async () => {
  const { stdout, stderr } = await machine.kernel.attempt([
    'systemd-analyze',
    'verify',
    '--man=no',
    `/etc/systemd/system/${UNIT}`,
  ]);
  assert.is(stdout + stderr, '');
});

story('the start returns when it works, with no more than the capabilities of the unit', async () => {
  await sh(`systemctl start ${UNIT}`);
  assert.is(await property('ActiveState'), 'active');
  assert.is(await property('StatusText'), 'running');
  await works('after the start');
  await scene.until('the sync daemon is master', async () =>
    /master sync daemon/.test(await sh('ipvsadm -l --daemon')),
  );
  assert.is(await property('MainPID'), await pidOf('vipkeeperd'));
  const bounding = await sh(`grep CapBnd /proc/${await pidOf('vrrp')}/status`);
  assert.is.not(bounding, await sh('grep CapBnd /proc/1/status'));
});

story('the VRRP process runs in real time, and no other; none is swapped out', async () => {
  const classOf = async (pid: string): Promise<string> => sh(`ps -o cls= -p ${pid}`);
  assert.is(await classOf(await pidOf('vrrp')), 'RR');
  // What it starts is not.
  assert.match(await sh(`chrt -p ${await pidOf('vrrp')}`), 'SCHED_RR|SCHED_RESET_ON_FORK');
  assert.is(await classOf(await pidOf('check')), 'TS');
  assert.is(await classOf(await property('MainPID')), 'TS');
  assert.is(await property('MemorySwapMax'), '0');
});

story('the journal has its log, with priorities', async () => {
  await scene.until('the journal has it', async () => (await journal()).includes('INIT -> MASTER'));
  assert.match(await journal(), /^5 .*vipkeeperd .* starts with/m);
  assert.match(await journal(), /^6 .*the vrrp process works/m);
});

story('a reload applies a good file, and returns when it has', async () => {
  await write(CONFIGURATION, configuration(255, 2));
  const before = await property('MainPID');
  await sh(`systemctl reload ${UNIT}`);
  await scene.until('the second real server', async () => (await table()).length === 3);
  assert.is(await property('MainPID'), before);
  assert.ok(await holds());
});

story('a reload of a file with errors fails, says why, and what runs goes on', async () => {
  await write(CONFIGURATION, configuration(255, 2).replace('priority', 'priorty'));
  const before = await property('MainPID');
  assert.not.ok(await machine.succeeds(`systemctl reload ${UNIT}`));
  await scene.until('the journal says why', async () =>
    /^3 .*keepalived\.conf:7:3: error: unknown keyword 'priorty'/m.test(await journal()),
  );
  assert.is(await property('ActiveState'), 'active');
  assert.is(await property('MainPID'), before);
  assert.ok(await holds());
  assert.is((await table()).length, 3);
});

story('SIGHUP reloads too, and systemd is told', async () => {
  await write(CONFIGURATION, configuration(255, 1));
  await sh(`systemctl kill --kill-whom=main -s HUP ${UNIT}`);
  await scene.until('one real server', async () => (await table()).length === 2);
  await scene.until('it is active again', async () => (await property('ActiveState')) === 'active');
});

for (const role of ['vrrp', 'check', 'sync']) {
  story(`killed, the ${role} process is started again alone`, async () => {
    const before = await property('MainPID');
    const killed = await pidOf(role);
    await sh(`kill -9 ${killed}`);
    await scene.until('it has a successor', async () => (await pidOf(role)) !== killed);
    await works(`after the death of ${role}`);
    assert.is(await property('MainPID'), before);
    assert.is(await property('NRestarts'), '0');
  });
}

/** The whole service is there again with new processes, and nothing of the old ones is left. */
async function isStartedAgain(old: readonly string[]): Promise<void> {
  const main = old[0] ?? '';
  await scene.until('a new daemon', async () => !['0', main].includes(await property('MainPID')));
  await works('after the restart');
  for (const pid of old) assert.not.ok(await machine.succeeds(`kill -0 ${pid}`), `${pid} is gone`);
}
const allPids = async (): Promise<string[]> => [
  await property('MainPID'),
  await pidOf('vrrp'),
  await pidOf('check'),
  await pidOf('sync'),
];

story('killed, the supervisor takes all with it, and systemd starts the service again', async () => {
  const old = await allPids();
  await sh(`kill -9 ${old[0]}`);
  await isStartedAgain(old);
  assert.is(await property('NRestarts'), '1');
});

story('frozen, the supervisor is found by the watchdog and started again', async () => {
  const old = await allPids();
  await sh(`kill -STOP ${old[0]}`);
  await isStartedAgain(old);
  assert.is(await property('NRestarts'), '2');
  assert.match(machine.kernel.console(), /Watchdog timeout/);
});

story('a stop takes the VIP and the services away and is clean', async () => {
  await sh('ipvsadm -A -t 10.9.0.99:9 -s rr');
  await sh(`systemctl stop ${UNIT}`);
  assert.not.ok(await holds());
  assert.equal(await table(), ['-A -t 10.9.0.99:9 -s rr']);
  assert.is(await sh('ipvsadm -l --daemon'), '');
  assert.is(await property('Result'), 'success');
  assert.is(await property('ExecMainStatus'), '0');
  assert.not.ok(await machine.succeeds('pgrep -f "[v]ipkeeper"'));
  assert.is(await sh('ls /run/vipkeeper 2>/dev/null || echo gone'), 'gone');
});

story('with a wrong configuration the start fails at once, says why, and is not tried again', async () => {
  await write(CONFIGURATION, configuration(255, 1).replace('priority', 'priorty'));
  assert.not.ok(await machine.succeeds(`systemctl start ${UNIT}`));
  assert.is(await property('ActiveState'), 'failed');
  assert.is(await property('ExecMainStatus'), '2');
  await scene.until('the journal says why', async () => /keepalived\.conf:7:3: error/.test(await journal()));
  assert.not.ok(await holds());
});

const DROP_IN = '/etc/systemd/system/vipkeeper.service.d/namespace.conf';
const NAMESPACED = `net_namespace blue\n${configuration(255, 1)}`;
const holdsInBlue = (): Promise<boolean> =>
  machine.succeeds(
    `ip -n blue -o address show to ${VIP} | grep -q . && ip netns exec blue ipvsadm -Sn | grep -q ${VIP}`,
  );

story(
  'the unit does not let it into a network namespace, and the log names the drop-in that does',
  async () => {
    await sh('ip netns add blue && ip -n blue link add lan type dummy');
    await sh('ip -n blue address add 10.9.0.1/24 dev lan && ip -n blue link set lan up');
    await write(CONFIGURATION, NAMESPACED);
    assert.not.ok(await machine.succeeds(`systemctl start ${UNIT}`));
    assert.is(await property('ExecMainStatus'), '4');
    await scene.until('the journal says why', async () =>
      /install systemd\/namespace\.conf as/.test(await journal()),
    );
  },
);

// The sample's comments are what there is to choose from.
for (const choice of [['NetworkNamespacePath'], ['CapabilityBoundingSet', 'RestrictNamespaces']]) {
  story(`it runs there with ${choice.join(' and ')} of the drop-in`, async () => {
    const sample = readFileSync(join(ROOT, 'systemd/namespace.conf'), 'utf8').replace('/NAME', '/blue');
    const chosen = sample.replace(new RegExp(`^#(?=(${choice.join('|')})=)`, 'gm'), '');
    await write(DROP_IN, chosen);
    await sh(`systemctl daemon-reload && systemctl start ${UNIT}`);
    await scene.until('the VIP and its service are in the namespace', holdsInBlue);
    assert.not.ok(await holds());
    await sh(`systemctl stop ${UNIT}`);
    assert.not.ok(await holdsInBlue());
  });
}

story.run();
