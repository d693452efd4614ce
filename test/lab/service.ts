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
const allPids = async (): Promise<string[]> => [
  await property('MainPID'),
  await pidOf('vrrp'),
  await pidOf('check'),
  await pidOf('sync'),
];
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
  await sh("grep -q '^vipkeeper:' /etc/group || echo 'vipkeeper:x:4711:' >>/etc/group");
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

/** Bits of <linux/capability.h>: what the unit names. */
const CHOWN = 0,
  DAC_OVERRIDE = 1,
  KILL = 5,
  SETGID = 6,
  SETUID = 7,
  SETPCAP = 8,
  BIND = 10,
  ADMIN = 12,
  RAW = 13;
const MODULE = 16,
  SYS_ADMIN = 21,
  NICE = 23;
const mask = (...bits: readonly number[]): bigint => bits.reduce((all, bit) => all | (1n << BigInt(bit)), 0n);
const capabilities = async (pid: string, name: string): Promise<bigint> =>
  BigInt(`0x${(await sh(`awk '/^${name}/ {print $2}' /proc/${pid}/status`)) || '0'}`);

story("the daemon's processes have few capabilities, in every thread", async () => {
  const allowed: Record<string, bigint> = {
    vipkeeperd: mask(CHOWN, DAC_OVERRIDE, KILL, SETGID, SETUID, SETPCAP, BIND, ADMIN, RAW, MODULE, NICE),
    vrrp: mask(ADMIN, RAW, NICE),
    check: mask(BIND, ADMIN, RAW),
    sync: mask(ADMIN),
  };
  for (const [role, bits] of Object.entries(allowed)) {
    for (const thread of (await sh(`ls /proc/${await pidOf(role)}/task`)).split('\n')) {
      for (const name of ['CapEff', 'CapPrm'])
        assert.is(await capabilities(thread, name), bits, `${role} ${name}`);
    }
  }
});

/** Says what a script may do, into a file beside it. */
const PROBE = `#!/bin/sh
exec >$0.new 2>&1
sgrep=/usr/local/bin/setuid-grep
awk '/^CapEff/ {print "effective", $2}' /proc/self/status
$sgrep CapEff /proc/self/status | awk '{print "setuid", $2}'
touch $0.file && chown nobody $0.file && echo may chown
cat /var/tmp/theirs/file >/dev/null && echo may read
ip netns exec probe true && echo may enter
mount -t tmpfs none /mnt && echo may mount
echo score $(cat /proc/self/oom_score_adj)
mv $0.new $0.saw`;
const saw = (who: string): Promise<string> => sh(`cat /var/tmp/probes/${who}.saw 2>/dev/null || :`);
const SCRIPTED = configuration(255, 1).replace(
  '  virtual_ipaddress',
  '  notify_master /var/tmp/probes/root\n  notify "/var/tmp/probes/user" nobody\n  virtual_ipaddress',
);
async function masterAgain(): Promise<void> {
  await sh('rm -f /var/tmp/probes/*.saw');
  await sh(`systemctl restart ${UNIT}`);
  await works('after the restart');
  await scene.until(
    'the scripts have run',
    async () => (await saw('root')) !== '' && (await saw('user')) !== '',
  );
}

story("scripts of root have root's capabilities, and none of the daemon's score", async () => {
  for (const who of ['root', 'user']) await write(`/var/tmp/probes/${who}`, PROBE);
  await sh('chmod 755 /var/tmp/probes/* && chmod 777 /var/tmp/probes && ip netns add probe');
  await sh('mkdir -m 700 /var/tmp/theirs && touch /var/tmp/theirs/file && chown -R nobody /var/tmp/theirs');
  await sh('cp /bin/grep /usr/local/bin/setuid-grep && chmod 4755 /usr/local/bin/setuid-grep');
  await write(CONFIGURATION, SCRIPTED);
  await masterAgain();
  const root = await saw('root');
  for (const what of ['chown', 'read', 'enter', 'mount'])
    assert.match(root, new RegExp(`^may ${what}$`, 'm'), root);
  const effective = BigInt(`0x${/^effective (\S+)$/m.exec(root)?.[1]}`);
  assert.is(effective & mask(SYS_ADMIN, CHOWN, DAC_OVERRIDE), mask(SYS_ADMIN, CHOWN, DAC_OVERRIDE), root);
  assert.match(root, /^score 0$/m);
  assert.not.ok(await machine.succeeds('mountpoint -q /mnt'), 'behind the walls of the unit');
  const user = await saw('user');
  assert.match(user, /^effective 0+$/m, user);
  assert.match(
    user,
    new RegExp(`^setuid ${effective.toString(16).padStart(16, '0')}$`, 'm'),
    'setuid programs work',
  );
  assert.not.match(user, /may enter|may mount/);
});

story('with scripts.conf they have the host, and the daemon has no more than before', async () => {
  const dropIn = '/etc/systemd/system/vipkeeper.service.d/scripts.conf';
  await write(dropIn, readFileSync(join(ROOT, 'systemd/scripts.conf'), 'utf8'));
  await sh('systemctl daemon-reload');
  await masterAgain();
  assert.ok(await machine.succeeds('mountpoint -q /mnt'), await saw('root'));
  assert.is(
    await capabilities(await pidOf('vipkeeperd'), 'CapEff').then((bits) => bits & mask(SYS_ADMIN)),
    0n,
  );
  await sh(`umount /mnt && rm ${dropIn} && systemctl daemon-reload`);
  await write(CONFIGURATION, configuration(255, 1));
  await sh(`systemctl restart ${UNIT}`);
  await works('as before');
});

story('what SIGUSR1 writes is where others look for it; it opens no debugger', async () => {
  for (const pid of await allPids()) await sh(`kill -USR1 ${pid}`);
  await scene.until('the file in /tmp', () => machine.succeeds('test -s /tmp/keepalived.data'));
  assert.is(await sh('ss -Hltn'), '');
  await works('after the signals');
});

story('a process that aborts leaves no core with keys in it', async () => {
  await sh('sysctl -q kernel.core_pattern=/var/tmp/core.%p');
  await machine.kernel.attempt(['sh', '-c', 'ulimit -c unlimited; sh -c "kill -ABRT \\$\\$"']);
  assert.is(await sh('ls /var/tmp/core.* | wc -l'), '1', 'other programs leave one here');
  const pid = await pidOf('vrrp');
  await sh(`prlimit --core=unlimited --pid ${pid} && kill -ABRT ${pid}`);
  await scene.until('it has a successor', async () => (await pidOf('vrrp')) !== pid);
  assert.not.ok(await machine.succeeds(`test -e /var/tmp/core.${pid}`));
  await works('after the abort');
});

story('the group vipkeeper may look, under the restrictions of the unit too', async () => {
  assert.is(await sh("stat -c '%a %U %G' /run/vipkeeper/status.sock"), '660 root vipkeeper');
  const look = 'setpriv --reuid=65534 --regid=65534 --groups=$(getent group vipkeeper | cut -d: -f3)';
  assert.match(await sh(`${look} /usr/sbin/vipkeeper status`), /MASTER/);
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

story(
  'a reload of a file with errors fails, says why, and the running configuration stays in force',
  async () => {
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
  },
);

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

story('killed, the supervisor takes all with it, and systemd starts the service again', async () => {
  const old = await allPids();
  await sh('touch /run/vipkeeper/kept');
  await sh(`kill -9 ${old[0]}`);
  await isStartedAgain(old);
  assert.is(await property('NRestarts'), '1');
  assert.ok(
    await machine.succeeds('test -e /run/vipkeeper/kept'),
    'what it wrote down is there for the next',
  );
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
for (const choice of [['NetworkNamespacePath'], ['AmbientCapabilities']]) {
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
