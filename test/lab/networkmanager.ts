import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { Scene } from './scene/scene.ts';

/**
 * A director whose interface belongs to NetworkManager, which removes addresses that it does not know when it sets the
 * interface up anew: the doctor warns, and the VIP is put back at once. In a bare Debian, for this machine has none.
 */
export const needs = 'systemd';
export const long = true;

const VIP = '10.9.0.100';
const PROFILE = '/etc/NetworkManager/system-connections/lan.nmconnection';
const CONFIGURATION = '/etc/keepalived/keepalived.conf';
const TREE = join(ROOT, 'dist/debian');
const program = (name: string): string[] => [`/outside${process.execPath}`, `/outside${ROOT}/build/${name}`];

const story = suite('NetworkManager');
const scene = new Scene();
story.after(() => scene.close());
assert.ok(existsSync(TREE), `${TREE} is not there: npm run lab -- test/lab/networkmanager.ts makes it`);
const lan = scene.link('lan');
const machine = await scene.machine('box', [lan], { init: 'systemd', tree: TREE });
const sh = async (command: string): Promise<string> => (await machine.run(command)).trim();
const holds = (address = VIP): Promise<boolean> =>
  machine.succeeds(`ip -o address show dev lan to ${address} | grep -q .`);
const doctor = async (): Promise<string> =>
  (await machine.kernel.attempt([...program('vipkeeper'), 'doctor'])).stdout;
/** Throws with what NetworkManager knows of the interface, and what it said, until it has set it up. */
async function manages(): Promise<boolean> {
  const state = await sh('nmcli device show lan; :');
  if (/STATE: +100/.test(state) && (await holds('10.9.0.1'))) return true;
  throw new Error(`${state}\n${await sh('journalctl --no-pager -n 20 -u NetworkManager')}`);
}

/** Runs the command; what the kernel said of the VIP until it is held again. */
async function removedBy(command: string): Promise<string[]> {
  const monitor = machine.start('monitor', ['ip', '-o', 'monitor', 'address']);
  // It hears everything from when it has said of this.
  await scene.until('the monitor listens', async () => {
    await sh('ip address add 10.9.1.1/32 dev lo; ip address delete 10.9.1.1/32 dev lo');
    return monitor.log.includes('10.9.1.1');
  });
  await sh(command);
  await scene.until('NetworkManager has set the interface up', manages);
  await scene.until('the VIP is there', () => holds());
  monitor.signal('SIGTERM');
  return monitor.log.split('\n').filter((line) => line.startsWith('Deleted') && line.includes(VIP));
}

story.before(async () => {
  await sh(`cat >${PROFILE} <<'END'
[connection]
id=lan
type=ethernet
interface-name=lan
[ipv4]
method=manual
address1=10.9.0.1/24
[ipv6]
method=disabled
END
chmod 600 ${PROFILE}`);
  const udev = 'systemd-udevd systemd-udevd-control.socket systemd-udevd-kernel.socket';
  await sh(`rm -f $(for unit in ${udev}; do echo /etc/systemd/system/$unit /etc/systemd/system/$unit.service; done)
    systemctl daemon-reload && systemctl start systemd-udevd && udevadm trigger --subsystem-match=net && udevadm settle
    systemctl start NetworkManager`);
  await scene.until('NetworkManager has set the interface up', manages);
  await sh(`mkdir -p $(dirname ${CONFIGURATION}) && cat >${CONFIGURATION} <<'END'
vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority 255
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
END`);
  machine.start('vipkeeperd', [...program('vipkeeperd'), '-n', '-l', '-D', '-G', '-P']);
  await scene.until('the VIP is there', () => holds());
});

story('the doctor warns', async () => {
  assert.match(await doctor(), /NetworkManager manages lan/);
});

story('NetworkManager removes the VIP when it sets the interface up anew, and it is put back', async () => {
  for (const command of ['nmcli device reapply lan', 'nmcli connection up lan'])
    assert.is.not((await removedBy(command)).length, 0, `${command} removed it`);
});

story("the doctor's line: nothing is removed any more, and the doctor is content", async () => {
  const [, command = ''] = /^ +(nmcli .*)$/m.exec(await doctor()) ?? [];
  await sh(command);
  await sh('systemctl restart NetworkManager');
  await scene.until('the VIP is there', () => holds());
  assert.ok(await holds('10.9.0.1'), 'its own address stays');
  assert.not.match(await doctor(), /NetworkManager/);
});

story.run();
