import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { ManagedDirector, OWN } from './scene/managed-director.ts';
import { Scene } from './scene/scene.ts';

/**
 * A director whose interface belongs to systemd-networkd, which removes addresses that it does not know: the doctor
 * warns, the VIP is put back at once, and with the doctor's line it is not touched.
 */
export const needs = 'systemd';

const NETWORK = '/etc/systemd/network/10-lan.network';
const NETWORKD = {
  unit: 'systemd-networkd',
  show: 'cat /run/systemd/netif/links/$(cat /sys/class/net/lan/ifindex)',
  setUp: /ADMIN_STATE=configured/,
};

const story = suite('systemd-networkd');
const scene = new Scene();
story.after(() => scene.close());
const machine = await scene.machine('box', [], { init: 'systemd' });
const director = new ManagedDirector(scene, machine, NETWORKD, (name) => [join(ROOT, 'bin', name)]);
const afterRestart = (): Promise<string[]> => director.removedBy('systemctl restart systemd-networkd');

story.before(async () => {
  await director.sh(`ip link add lan type dummy && ip link set lan up
    mkdir -p /etc/systemd/network
    printf '[Match]\\nName=lan\\n[Network]\\nAddress=${OWN}/24\\n' >${NETWORK}
    printf 'LinkLocalAddressing=no\\nIPv6AcceptRA=no\\n' >>${NETWORK}`);
  await director.start();
});

story('the doctor names the file and the line', async () => {
  assert.match(await director.doctor(), /systemd-networkd manages lan/);
});

story('networkd removes the VIP, and it is put back', async () => {
  assert.is.not((await afterRestart()).length, 0, 'it was removed');
});

story("with the doctor's line nothing is removed, and the doctor is content", async () => {
  const [, command = ''] = /^ +(mkdir .*KeepConfiguration.*)$/m.exec(await director.doctor()) ?? [];
  await director.sh(command);
  await afterRestart();
  assert.equal(await afterRestart(), []);
  assert.not.match(await director.doctor(), /KeepConfiguration/);
});

story.run();
