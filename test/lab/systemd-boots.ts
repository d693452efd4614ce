import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { Scene } from './scene/scene.ts';

/** The lab's machine under systemd: units of ours start, stop, and are started again when they die. */
export const needs = 'systemd';

const story = suite('systemd in the lab');
const scene = new Scene();
story.after(() => scene.close());
const machine = await scene.machine('box', [], { init: 'systemd' });

story('systemd is the first process and is content', async () => {
  assert.is((await machine.run('cat /proc/1/comm')).trim(), 'systemd');
  await scene.until('no job is left', async () =>
    (await machine.run('systemctl list-jobs')).includes('No jobs'),
  );
  assert.is((await machine.run('systemctl --failed --no-legend')).trim(), '');
});

story('a unit of ours starts, is restarted when it dies, and stops', async () => {
  await machine.run(`cat >/etc/systemd/system/patient.service <<'UNIT'
[Service]
ExecStart=sleep infinity
Restart=always
RestartSec=100ms
UNIT
systemctl daemon-reload && systemctl start patient`);
  const pid = async (): Promise<string> => (await machine.run('systemctl show -P MainPID patient')).trim();
  const first = await pid();
  await machine.run(`kill -9 ${first}`);
  await scene.until('it has a new process', async () => !['0', first].includes(await pid()));
  await machine.run('systemctl stop patient');
  assert.is(await pid(), '0');
});

story.run();
