import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { Scene } from './scene/scene.ts';

/**
 * A director whose interface belongs to systemd-networkd, which removes addresses that it does not know: the doctor
 * warns, the VIP is put back at once, and with the doctor's line it is not touched.
 */
export const needs = 'systemd';

const VIP = '10.9.0.100';
const NETWORK = '/etc/systemd/network/10-lan.network';
const CONFIGURATION = '/etc/keepalived/keepalived.conf';

const story = suite('systemd-networkd');
const scene = new Scene();
story.after(() => scene.close());
const machine = await scene.machine('box', [], { init: 'systemd' });
const sh = async (command: string): Promise<string> => (await machine.run(command)).trim();
const holds = (): Promise<boolean> => machine.succeeds(`ip -o address show to ${VIP} | grep -q .`);
const doctor = async (): Promise<string> =>
  (await machine.kernel.attempt([join(ROOT, 'bin/vipkeeper'), 'doctor'])).stdout;
/** Throws with what networkd knows of the interface, and what it said, until it has configured it. */
async function manages(): Promise<boolean> {
  const state = await sh('cat /run/systemd/netif/links/$(cat /sys/class/net/lan/ifindex)');
  if (state.includes('ADMIN_STATE=configured')) return true;
  throw new Error(
    `${state}\n${await sh('journalctl --no-pager -n 20 -u systemd-networkd -u systemd-udevd')}`,
  );
}

/** Restarts networkd; what the kernel said of the VIP until it is held again. */
async function afterRestart(): Promise<string[]> {
  const monitor = machine.start('monitor', ['ip', '-o', 'monitor', 'address']);
  // It hears everything from when it has said of this.
  await scene.until('the monitor listens', async () => {
    await sh('ip address add 10.9.1.1/32 dev lan; ip address delete 10.9.1.1/32 dev lan');
    return monitor.log.includes('10.9.1.1');
  });
  await sh('systemctl restart systemd-networkd');
  await scene.until('networkd has configured the interface', manages);
  await scene.until('the VIP is there', holds);
  monitor.signal('SIGTERM');
  return monitor.log.split('\n').filter((line) => line.startsWith('Deleted') && line.includes(VIP));
}

story.before(async () => {
  await sh('ip link add lan type dummy && ip link set lan up');
  await sh(`mkdir -p /etc/systemd/network $(dirname ${CONFIGURATION})
    printf '[Match]\\nName=lan\\n[Network]\\nAddress=10.9.0.1/24\\n' >${NETWORK}
    printf 'LinkLocalAddressing=no\\nIPv6AcceptRA=no\\n' >>${NETWORK}`);
  const udev = 'systemd-udevd systemd-udevd-control.socket systemd-udevd-kernel.socket';
  await sh(`rm -f $(for unit in ${udev}; do echo /etc/systemd/system/$unit /etc/systemd/system/$unit.service; done)
    systemctl daemon-reload && systemctl start systemd-udevd && udevadm trigger --subsystem-match=net && udevadm settle
    systemctl start systemd-networkd`);
  await scene.until('networkd has configured the interface', manages);
  await sh(`cat >${CONFIGURATION} <<'END'
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
  machine.start('vipkeeperd', [join(ROOT, 'bin/vipkeeperd'), '-n', '-l', '-D', '-G', '-P']);
  await scene.until('the VIP is there', holds);
});

story('the doctor names the file and the line', async () => {
  assert.match(await doctor(), /systemd-networkd manages lan/);
});

story('networkd removes the VIP, and it is put back', async () => {
  assert.is.not((await afterRestart()).length, 0, 'it was removed');
});

story("with the doctor's line nothing is removed, and the doctor is content", async () => {
  const [, command = ''] = /^ +(mkdir .*KeepConfiguration.*)$/m.exec(await doctor()) ?? [];
  await sh(command);
  await afterRestart();
  assert.equal(await afterRestart(), []);
  assert.not.match(await doctor(), /KeepConfiguration/);
});

story.run();
