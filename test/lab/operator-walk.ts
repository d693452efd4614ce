import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { file, pidOf, statusOf, vipkeeper } from './scene/director.ts';
import type { Host } from './scene/host.ts';
import type { Program } from './scene/program.ts';
import { Scene } from './scene/scene.ts';

/**
 * A new user's walk with a pair: two masters by a mistyped password, a link that is pulled, a frozen process, a dead
 * daemon, maintenance, reloads. Each screen is printed as the operator sees it.
 */
export const needs = 'host';
export const limitSeconds = 600;

const VIP = '10.0.0.100';
const WAN_VIP = '192.0.2.100';
const FREEZES = 5;

const story = suite('the walk of a new user');
const scene = new Scene();
story.after(() => scene.close());
const [lan, wan] = [scene.link('lan'), scene.link('wan0')];
const director = (name: string, last: number): Host =>
  scene.host(name).on(lan, `10.0.0.${last}/24`).on(wan, `192.0.2.${last}/24`);
const [one, two] = [director('one', 1), director('two', 2)];

const configuration = (priority: number, password = 'correct'): string => `vrrp_instance VI_1 {
    state BACKUP
    interface lan
    virtual_router_id 51
    priority ${priority}
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass ${password}
    }
    virtual_ipaddress {
        ${VIP}/24
        ${WAN_VIP}/24 dev wan0
    }
}
`;

interface Screen {
  readonly status: number | null;
  readonly text: string;
}

/** Runs the operator's program on a director, and prints the command and what it says. */
function screen(host: Host, ...words: string[]): Screen {
  const runDir = join(scene.folder, host.name, 'run');
  const [command = '', ...rest] = host.command(join(ROOT, 'bin/vipkeeper'), ...words, '--run-dir', runDir);
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: 'utf8' });
  const text = stdout + stderr;
  console.log(
    `\n${host.name}# vipkeeper ${words.join(' ')}\n${text}${status === 0 ? '' : `(exit status ${status})\n`}`,
  );
  return { status, text };
}

/** Looks again and again, without a screen, until it is so. */
const until = (what: string, host: Host, condition: (router: Router) => boolean): Promise<number> =>
  scene.until(what, async () => {
    const [router] = (await statusOf(host))?.vrrp?.instances ?? [];
    return router !== undefined && condition(router);
  });
type Router = NonNullable<NonNullable<Awaited<ReturnType<typeof statusOf>>>['vrrp']>['instances'][number];
const isMaster = ({ state }: Router): boolean => state === 'MASTER';
const isBackup = ({ state }: Router): boolean => state === 'BACKUP';

let first: Program;
let second: Program;

story('two masters, because a password is mistyped', async () => {
  first = vipkeeper(one, configuration(150), '-P');
  second = vipkeeper(two, configuration(100, 'corect'), '-P');
  await until('the first is master', one, isMaster);
  await until('the second too', two, isMaster);
  await until('the first has seen it', one, ({ otherMasters }) => otherMasters.length > 0);
  const { text } = screen(one, 'status');
  assert.match(text, /VI_1 +MASTER +150 .*\n +has 10\.0\.0\.100\/24, 192\.0\.2\.100\/24 on wan0/);
  assert.match(text, '10.0.0.2 also claims VI_1 (password differs)');
  const check = screen(one, 'status', '--check');
  assert.equal(
    [check.status, check.text.split(' |')[0]],
    [2, 'VIPKEEPER CRITICAL - 10.0.0.2 also claims VI_1 (password differs)'],
  );
});

story('mended by a reload, which says what it did', async () => {
  file(two, 'vipkeeper.conf', configuration(100));
  assert.is(screen(two, 'reload').status, 0);
  await until(
    'the second follows',
    two,
    ({ state, master }) => state === 'BACKUP' && master?.address === '10.0.0.1',
  );
  await until('the first is alone', one, ({ otherMasters }) => otherMasters.length === 0);
  assert.match(screen(two, 'status', VIP).text, /VI_1 +BACKUP +100 .* 10\.0\.0\.1 \(150\)/);
  assert.is(screen(one, 'status', '--check').status, 0);
});

story('a reload that changes nothing, and one with an error', async () => {
  assert.is(screen(one, 'reload').status, 0);
  file(one, 'vipkeeper.conf', configuration(150).replace('priority', 'priorty'));
  const { status, text } = screen(one, 'reload');
  assert.is(status, 1);
  assert.match(text, "unknown keyword 'priorty'");
  file(one, 'vipkeeper.conf', configuration(150));
  assert.is(screen(one, 'reload').status, 0);
  await until('it is still master', one, isMaster);
});

story('the link of a VIP is pulled: the other takes over, and the status says why', async () => {
  wan.cut(one);
  await until('the first is in fault', one, ({ state }) => state === 'FAULT');
  await until('the second is master', two, isMaster);
  await scene.until('the VIPs have moved', () => two.has(WAN_VIP) && !one.has(WAN_VIP) && !one.has(VIP));
  assert.match(screen(one, 'status').text, /VI_1 +FAULT .* wan0/);
  assert.match(screen(one, 'explain').text, /^VI_1: FAULT for .* wan0/);
  assert.is(screen(one, 'status', '--check').status, 2);
  wan.mend(one);
  await until('the first is master again', one, isMaster);
});

story('a frozen process: the status says so, and the other has the VIP', async () => {
  for (let freezes = 0; freezes < FREEZES; freezes++) {
    const frozen = pidOf(one, 'vrrp');
    process.kill(frozen, 'SIGSTOP');
    await until('the second is master', two, isMaster);
    await scene.until('its silence is seen', async () => {
      const [vrrp] = (await statusOf(one))?.processes ?? [];
      return vrrp?.pid !== frozen || one.has(VIP) === false;
    });
    const { text } = screen(one, 'status');
    await scene.until('it is started anew', async () => {
      const [vrrp] = (await statusOf(one))?.processes ?? [];
      return vrrp?.pid !== undefined && vrrp.pid !== frozen;
    });
    await scene.until('the first is master again', () => one.has(VIP) && !two.has(VIP));
    // On a busy machine it was killed, as it is after ten seconds, before anybody looked.
    if (!text.includes('silent for')) continue;
    assert.match(text, /as the vrrp process said \d+ s ago: it is silent since/);
    assert.match(text, /vrrp +\d+ +stopped, silent for \d+ s/);
    return;
  }
  assert.unreachable('the frozen process was always killed before anybody looked');
});

story('maintenance: who has taken over, and the way back', async () => {
  const { text } = screen(one, 'maintenance', 'on');
  assert.match(text, 'VI_1: 10.0.0.2 has taken over');
  assert.match(screen(one, 'status').text, /MAINTENANCE[\s\S]*VI_1 +FAULT .* 10\.0\.0\.2 \(100\)/);
  assert.is(screen(one, 'status', '--check').status, 1);
  screen(one, 'maintenance', 'off');
  await until('it is back', one, (router) => isMaster(router) || router.cause.includes('maintenance ended'));
  await until('it is master', one, isMaster);
  await until('the second follows', two, isBackup);
});

story('maintenance where nobody is left to take over', async () => {
  assert.is(await second.stop(), 'exit status 0');
  assert.match(screen(one, 'maintenance', 'on').text, 'VI_1: nobody has taken over within');
  screen(one, 'maintenance', 'off');
  await until('it is master', one, isMaster);
});

story('the daemon is dead, and VRRP goes on', async () => {
  first.signal('SIGKILL');
  await scene.until('it is gone', () => !first.running);
  const { status, text } = screen(one, 'status');
  assert.is(status, 1);
  assert.match(text, 'does not run, but its processes below go on');
  assert.match(text, /this host has 10\.0\.0\.100\/24, 192\.0\.2\.100\/24 on wan0/);
  assert.is(screen(one, 'status', '--check').status, 2);
  first = vipkeeper(one, configuration(150), '-P');
  await until('a new one works', one, isMaster);
});

story('the doctor has nothing to say of the segment', () => {
  const { text } = screen(one, 'doctor');
  assert.not.match(text, /interfaces:|peer:|gateway:/);
});

story.run();
