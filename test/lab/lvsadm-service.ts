import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { Scene } from './scene/scene.ts';

/** lvsadm.service under a real systemd: the table restored at start, saved and cleared at stop. */
export const needs = 'systemd';

const UNIT = 'lvsadm.service';
const RULES = '/etc/ipvsadm.rules';
const INSTALLED = '/usr/lib/vipkeeper';

const story = suite('the table as a service');
const scene = new Scene();
story.after(() => scene.close());
const machine = await scene.machine('box', [], { init: 'systemd' });
const sh = async (command: string): Promise<string> => (await machine.run(command)).trim();
const table = (): Promise<string> => sh('ipvsadm -Sn');
const isActive = (): Promise<boolean> => machine.succeeds(`systemctl is-active ${UNIT}`);

const SERVICE = '-A -t 10.9.0.100:80 -s wrr';
const SERVER = '-a -t 10.9.0.100:80 -r 10.9.0.11:80 -g -w 3';

story.before(async () => {
  await sh(`mkdir -p ${INSTALLED} && mount --bind ${ROOT} ${INSTALLED}`);
  for (const program of ['lvsadm', 'lvsadm-save', 'lvsadm-restore', 'vipkeeper']) {
    await sh(`ln -s ${INSTALLED}/bin/${program} /usr/sbin/${program}`);
  }
  const unit = readFileSync(join(ROOT, 'systemd', UNIT), 'utf8');
  await sh(`cat >/etc/systemd/system/${UNIT} <<'END'\n${unit}\nEND\nsystemctl daemon-reload`);
});

story('systemd has nothing to say about the unit', async () => {
  const unit = `/etc/systemd/system/${UNIT}`;
  const { stdout, stderr } = await machine.kernel.attempt(['systemd-analyze', 'verify', '--man=no', unit]);
  assert.is(stdout + stderr, '');
});

story('a start restores what ipvsadm saved, comments and all', async () => {
  await sh(`printf '# ipvsadm.rules\\n${SERVICE}\\n${SERVER}\\n' >${RULES}`);
  await sh('ipvsadm -A -t 9.9.9.9:9');
  await sh(`systemctl start ${UNIT}`);
  assert.is(await table(), `${SERVICE}\n${SERVER}`);
  assert.ok(await isActive());
});

story('a stop saves the table and clears it; the next start has it again', async () => {
  await sh('lvsadm -A -f 7 -s sh');
  await sh(`systemctl stop ${UNIT}`);
  assert.is(await table(), '', await sh(`journalctl --sync; journalctl -u ${UNIT}`));
  const saved = await sh(`cat ${RULES}`);
  assert.equal(saved.split('\n').sort(), ['-A -f 7 -s sh', SERVICE, SERVER].sort());
  await sh(`systemctl restart ${UNIT}`);
  assert.is(await table(), saved);
});

story('a table that can not be saved is not cleared, and the file stays', async () => {
  const before = await table();
  await sh(`cp ${RULES} /run/rules && mkdir ${RULES}.new`);
  await sh(`systemctl stop ${UNIT} || true`);
  assert.is(await sh(`systemctl show -P Result ${UNIT}`), 'exit-code');
  assert.is(await table(), before);
  await sh(`cmp ${RULES} /run/rules && rmdir ${RULES}.new`);
});

story('with SAVE_ON_STOP=no and another file', async () => {
  await sh(`printf 'RULES=/etc/other.rules\\nSAVE_ON_STOP=no\\n' >/etc/default/lvsadm`);
  await sh(`systemctl start ${UNIT}`);
  assert.not.equal(await table(), '', 'without the file the table stays as it is');
  await sh(`systemctl stop ${UNIT}`);
  assert.is(await table(), '');
  assert.not.ok(await machine.succeeds('test -e /etc/other.rules'));
});

story('the files of the RHEL family are read where they are', async () => {
  await sh('rm /etc/default/lvsadm && mkdir -p /etc/sysconfig && lvsadm -C');
  await sh(`printf -- '${SERVICE}\\n' >/etc/sysconfig/ipvsadm`);
  await sh(`printf '# Save on stop.\\nIPVS_SAVE_ON_STOP="no"\\n' >/etc/sysconfig/ipvsadm-config`);
  await sh(`systemctl start ${UNIT}`);
  assert.is(await table(), SERVICE);
  await sh(`lvsadm -A -f 9 -s rr && systemctl stop ${UNIT}`);
  assert.is(await sh('cat /etc/sysconfig/ipvsadm'), SERVICE, 'it is not to be saved');
  await sh(`printf 'IPVS_SAVE_ON_STOP="yes"\\n' >/etc/sysconfig/ipvsadm-config`);
  await sh(`systemctl start ${UNIT} && lvsadm -A -f 9 -s rr && systemctl stop ${UNIT}`);
  assert.match(await sh('cat /etc/sysconfig/ipvsadm'), '-A -f 9 -s rr');
  await sh('rm -r /etc/sysconfig');
  await sh(`printf 'RULES=/etc/other.rules\\nSAVE_ON_STOP=no\\n' >/etc/default/lvsadm`);
});

story('sync daemons start with the table, and stop with it', async () => {
  await sh(
    'ip link add s0 type dummy && ip address add 10.9.1.1/24 dev s0 && ip link set s0 up multicast on',
  );
  await sh(`cp /etc/default/lvsadm /run/lvsadm && printf 'IFACE=s0\\nSYNCID=5\\n' >>/etc/default/lvsadm`);
  const started = async (daemon: string): Promise<string[]> => {
    await sh(`echo DAEMON=${daemon} >>/etc/default/lvsadm && systemctl start ${UNIT}`);
    const lines = (await sh('ipvsadm -L --daemon')).split('\n').filter((line) => line !== '');
    await sh(`systemctl stop ${UNIT}`);
    assert.is(await sh('ipvsadm -L --daemon'), '', daemon);
    return lines.map((line) => line.replace(/, maxlen.*/, ''));
  };
  const master = 'master sync daemon (mcast=s0, syncid=5';
  const backup = 'backup sync daemon (mcast=s0, syncid=5';
  assert.equal(await started('none'), []);
  assert.equal(await started('master'), [master]);
  assert.equal(await started('backup'), [backup]);
  assert.equal(await started('both'), [master, backup]);
  await sh('mv /run/lvsadm /etc/default/lvsadm && ip link delete s0');
});

story('a file with errors makes the start fail and says why', async () => {
  await sh(`printf -- '-A -t nonsense\\n' >/etc/other.rules`);
  assert.not.ok(await machine.succeeds(`systemctl start ${UNIT}`));
  await scene.until('the journal says why', async () =>
    (await sh(`journalctl --sync; journalctl -u ${UNIT}`)).includes('illegal virtual server address'),
  );
});

story('the preparation of a host is a service too', async () => {
  const unit = 'vipkeeper-prepare@.service';
  const text = readFileSync(join(ROOT, 'systemd', unit), 'utf8');
  await sh(`cat >/etc/systemd/system/${unit} <<'END'\n${text}\nEND\nsystemctl daemon-reload`);
  await sh("echo 'PREPARE=10.9.0.100 10.9.0.101' >/etc/default/vipkeeper-realserver");
  await sh('systemctl start vipkeeper-prepare@realserver');
  assert.is(await sh('sysctl -n net.ipv4.conf.all.arp_ignore'), '1');
  assert.match(await sh('ip address show dev lo'), '10.9.0.101/32');
  await sh('systemctl stop vipkeeper-prepare@realserver');
  assert.is(await sh('sysctl -n net.ipv4.conf.all.arp_ignore'), '0');
  assert.not.match(await sh('ip address show dev lo'), '10.9.0.10');
});

story.run();
