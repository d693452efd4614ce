import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT } from './engine/root.ts';
import { Scene } from './scene/scene.ts';

/** systemd/vipkeeper.service under a real systemd: started, reloaded, killed, frozen, and stopped. */
export const needs = 'systemd';
export const limitSeconds = 300;

const VIP = '10.0.0.100';
const STATUS = `${ROOT}/bin/vipkeeper status`;
const LONG = 90;
const story = suite('vipkeeper.service under systemd');
const scene = new Scene();
story.after(() => scene.close());
const lan = scene.link('lan');
const machine = await scene.machine('box', [lan], { init: 'systemd' });

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

const configure = (text: string): Promise<string> =>
  machine.run(`mkdir -p /etc/keepalived; cat >/etc/keepalived/keepalived.conf <<'END'\n${text}END`);
const property = async (name: string): Promise<string> =>
  (await machine.run(`systemctl show -P ${name} vipkeeper`)).trim();
const holdsVip = (): Promise<boolean> => machine.succeeds(`ip -o address show to ${VIP} | grep -q .`);

/** Waits until systemd has started it so many times again, and it does its work. */
async function runsAgain(times: number): Promise<void> {
  const active = async (): Promise<boolean> =>
    (await property('NRestarts')) === String(times) && (await property('ActiveState')) === 'active';
  await scene.until('it runs again', active, LONG);
  await scene.until('it holds the VIP', holdsVip, LONG);
}

story('it starts, says that it is ready, and takes the VIP', async () => {
  await machine.run(`ln -s ${ROOT}/bin/vipkeeperd /usr/sbin/vipkeeperd
    cp ${ROOT}/systemd/vipkeeper.service /etc/systemd/system/
    ip address add 10.0.0.1/24 dev lan
    systemctl daemon-reload`);
  await configure(configuration(100));
  await machine.run('systemctl start vipkeeper || { journalctl -u vipkeeper; false; }');
  assert.is(await property('ActiveState'), 'active');
  await scene.until('it holds the VIP', holdsVip);
});

story('a reload takes the new configuration without a new process', async () => {
  const pid = await property('MainPID');
  await configure(configuration(150));
  await machine.run('systemctl reload vipkeeper');
  await scene.until('the priority is 150', () => machine.succeeds(`${STATUS} | grep -q 150`));
  await scene.until('it holds the VIP', holdsVip);
  assert.is(await property('MainPID'), pid);
});

story('a reload of a configuration that is wrong leaves it as it was', async () => {
  const pid = await property('MainPID');
  await configure('vrrp_instance web {\n  interfaze lan\n}\n');
  await machine.succeeds('systemctl reload vipkeeper');
  const told = (): Promise<boolean> =>
    machine.succeeds('journalctl -u vipkeeper | grep -q "unknown.*interfaze"');
  await scene.until('the error is in the journal', told);
  await configure(configuration(150));
  assert.is(await property('MainPID'), pid);
  assert.ok(await holdsVip());
});

story('killed, it is started again', async () => {
  await machine.run(`kill -9 ${await property('MainPID')}`);
  await runsAgain(1);
});

story('frozen, it is ended by the watchdog and started again', async () => {
  await machine.run(`kill -STOP ${await property('MainPID')}`);
  await runsAgain(2);
});

story('a stop gives the VIP up and leaves no process and no failure', async () => {
  await machine.run('systemctl stop vipkeeper');
  assert.equal([await property('ActiveState'), await property('Result')], ['inactive', 'success']);
  assert.not.ok(await holdsVip());
  assert.not.ok(await machine.succeeds('pgrep -f "[v]ipkeeper"'));
});

story.run();
