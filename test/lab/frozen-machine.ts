import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import type { Machine } from './scene/machine.ts';
import { Scene } from './scene/scene.ts';

/**
 * Two directors with a kernel each. The master's whole machine is paused, as a hypervisor does: the other one
 * takes over; resumed, it lets go of the VIP that it still had. Then it loses power.
 */
export const needs = 'pair of kernels';
export const limitSeconds = 900;

const VIP = '10.0.0.100';
const LONG = 60;
const story = suite('a machine that is paused');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const user = scene.host('user').on(lan, '10.0.0.10/24');
const [one, two] = await Promise.all([scene.machine('one', [lan]), scene.machine('two', [lan])]);

const configuration = (priority: number): string => `vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}
  }
}
`;

async function direct(machine: Machine, address: string, priority: number): Promise<void> {
  await machine.run(`ip address add ${address}/24 dev lan
    cat >/tmp/web.conf <<'END'\n${configuration(priority)}END`);
  machine.start('vipkeeperd', [
    `${ROOT}/bin/vipkeeperd`,
    '-n',
    '-l',
    '-D',
    '-G',
    '-P',
    '-f',
    '/tmp/web.conf',
  ]);
}

const has = (machine: Machine): Promise<boolean> =>
  machine.succeeds(`ip -o address show to ${VIP} | grep -q .`);
const masterIs = (machine: Machine): Promise<number> =>
  scene.until(`${machine.name} holds the VIP`, () => has(machine), LONG);
/** Who answers for the VIP on the segment: the hardware address. */
function owner(): string {
  user.run('ip', 'neigh', 'flush', 'all');
  user.succeeds('ping', '-c', '1', '-W', '2', VIP);
  return /lladdr (\S+)/.exec(user.run('ip', 'neigh', 'show', VIP))?.[1] ?? '';
}
const hardware = async (machine: Machine): Promise<string> =>
  (await machine.run('cat /sys/class/net/lan/address')).trim();

story('the preferred one is master', async () => {
  await direct(one, '10.0.0.1', 150);
  await direct(two, '10.0.0.2', 100);
  await masterIs(one);
  await scene.until('it answers for the VIP', async () => owner() === (await hardware(one)), LONG);
  assert.not.ok(await has(two));
});

story('paused, it is followed by the other one', async () => {
  one.freeze();
  await masterIs(two);
  await scene.until('the other one answers for the VIP', async () => owner() === (await hardware(two)), LONG);
});

story('resumed, it becomes master again by an election, and the other one lets go', async () => {
  one.thaw();
  await scene.until('one of them holds the VIP', async () => (await has(one)) && !(await has(two)), LONG);
  await scene.until('it answers for the VIP', async () => owner() === (await hardware(one)), LONG);
});

story('without power, it is followed by the other one for good', async () => {
  one.powerOff();
  await masterIs(two);
  await scene.until('the other one answers for the VIP', async () => owner() === (await hardware(two)), LONG);
});

story.run();
