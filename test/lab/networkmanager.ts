import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { ManagedDirector, OWN } from './scene/managed-director.ts';
import { Scene } from './scene/scene.ts';

/**
 * A director whose interface belongs to NetworkManager, which removes addresses that it does not know when it sets the
 * interface up anew: the doctor warns, and the VIP is put back at once. In a bare Debian, for this machine has none.
 */
export const needs = 'systemd';
export const long = true;

const PROFILE = '/etc/NetworkManager/system-connections/lan.nmconnection';
const NETWORKMANAGER = {
  unit: 'NetworkManager',
  show: 'nmcli device show lan',
  setUp: /STATE: +100/,
};
const TREE = join(ROOT, 'dist/debian');

const story = suite('NetworkManager');
const scene = new Scene();
story.after(() => scene.close());
assert.ok(existsSync(TREE), `${TREE} is not there: npm run lab -- test/lab/networkmanager.ts makes it`);
const lan = scene.link('lan');
const machine = await scene.machine('box', [lan], { init: 'systemd', tree: TREE });
const director = new ManagedDirector(scene, machine, NETWORKMANAGER, (name) => [
  `/outside${process.execPath}`,
  `/outside${ROOT}/build/${name}`,
]);

story.before(async () => {
  await director.sh(`cat >${PROFILE} <<'END'
[connection]
id=lan
type=ethernet
interface-name=lan
[ipv4]
method=manual
address1=${OWN}/24
[ipv6]
method=disabled
END
chmod 600 ${PROFILE}`);
  await director.start();
});

story('the doctor warns', async () => {
  assert.match(await director.doctor(), /NetworkManager manages lan/);
});

story('NetworkManager removes the VIP when it sets the interface up anew, and it is put back', async () => {
  for (const command of ['nmcli device reapply lan', 'nmcli connection up lan'])
    assert.is.not((await director.removedBy(command)).length, 0, `${command} removed it`);
});

story("the doctor's line: nothing is removed any more, and the doctor is content", async () => {
  const [, command = ''] = /^ +(nmcli .*)$/m.exec(await director.doctor()) ?? [];
  await director.sh(command);
  await director.sh('systemctl restart NetworkManager');
  await scene.until('the VIP is there', () => director.holds());
  assert.ok(await director.holds(OWN), 'its own address stays');
  assert.not.match(await director.doctor(), /NetworkManager/);
});

story.run();
