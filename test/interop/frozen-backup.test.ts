import * as assert from 'uvu/assert';
import { Prng } from '../../src/core/prng.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { keepalived, statusOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { pause, Scene } from '../lab/scene/scene.ts';
import { Watcher } from '../lab/scene/watcher.ts';
import { repetitions } from '../repetitions.ts';
import { suite } from '../suite.ts';

/**
 * Backups are stopped for 0.1 to 5 s again and again under a live master. When they wake, their master-down timers
 * expired long ago and the adverts of all that time wait in the sockets: none may take over.
 */
await enclose();

const BACKUPS = 8;
/** Freezes of each backup: 200 in all with VIPKEEPER_LONG=1. */
const FREEZES = repetitions(5, 25);
const SEED = 20;
const FROZEN_MILLISECONDS = [100, 5000] as const;
const AWAKE_MILLISECONDS = [50, 1000] as const;
const MASTER = '10.0.0.1';

/** The three routers of one backup: every master-down interval is far shorter than the longest freeze. */
const ROUTERS = [
  { version: 3, advert: 0.2 },
  { version: 3, advert: 1 },
  { version: 2, advert: 1 },
];

const configuration = (priority: number, backups: readonly number[]): string =>
  backups
    .flatMap((backup) =>
      ROUTERS.map(({ version, advert }, i) => {
        const vrid = 1 + backup * ROUTERS.length + i;
        return `vrrp_instance router${vrid} {
  state BACKUP
  interface lan
  version ${version}
  virtual_router_id ${vrid}
  priority ${priority}
  advert_int ${advert}
  virtual_ipaddress {
    10.0.1.${vrid}/24
  }
}
`;
      }),
    )
    .join('');

const test = suite(`${BACKUPS * FREEZES} freezes of backups under a live master`);
const indices = Array.from({ length: BACKUPS }, (_, i) => i);
let scene: Scene;
let director: Host;
let backups: Host[];
let eye: Watcher;

/** The states of all routers of the backups. */
async function states(): Promise<string[]> {
  const all = await Promise.all(backups.map(statusOf));
  return all.flatMap((status) => status?.vrrp?.instances.map(({ state }) => state) ?? ['no answer']);
}

const all = async (state: string): Promise<boolean> => {
  const found = await states();
  return found.length === BACKUPS * ROUTERS.length && found.every((one) => one === state);
};

test.before(async () => {
  scene = new Scene();
  const lan = scene.link('lan');
  director = scene.host('master').on(lan, `${MASTER}/24`);
  backups = indices.map((i) => scene.host(`backup${i}`).on(lan, `10.0.0.${10 + i}/24`));
  eye = await Watcher.start(scene.host('eye').on(lan), '');
  // A master in real time is punctual on a busy machine; its usual limit of processor time would kill it there.
  const punctual = 'global_defs {\n  vrrp_rt_priority 50\n  vrrp_rlimit_rttime 1000000\n}\n';
  keepalived(director, punctual + configuration(200, indices), '-P');
  const serves = (): boolean =>
    indices.every((i) => ROUTERS.every((_, j) => director.has(`10.0.1.${1 + i * ROUTERS.length + j}`)));
  await scene.until('the master serves', serves);
  for (const [i, host] of backups.entries()) vipkeeper(host, configuration(100, [i]), '-P');
  await scene.until('all others follow', () => all('BACKUP'));
});
test.after(() => scene?.close());

/** A backup's life: awake and frozen by turns. */
async function freezeAgainAndAgain(host: Host, random: Prng): Promise<void> {
  for (let i = 0; i < FREEZES; i++) {
    await pause(random.between(...AWAKE_MILLISECONDS));
    host.freeze();
    await pause(random.between(...FROZEN_MILLISECONDS));
    host.thaw();
  }
}

test('none takes over, and none says a word', async () => {
  await eye.clear();
  await Promise.all(backups.map((host, i) => freezeAgainAndAgain(host, new Prng(SEED + i))));
  await scene.until('all are awake and follow', () => all('BACKUP'));
  const { adverts } = await eye.observations();
  const others = adverts.filter(({ source }) => source !== MASTER);
  assert.ok(adverts.length > 100, 'the master was alive all the time');
  assert.equal(others, [], `${others.length} false takeovers`);
});

test('when the master is really dead, all take over', async () => {
  await eye.clear();
  // Frozen first: keepalived's child would see its parent die and say goodbye.
  director.freeze();
  director.kill();
  await scene.until('all are master', () => all('MASTER'));
  const { adverts } = await eye.observations();
  assert.is(new Set(adverts.map(({ source }) => source).filter((source) => source !== MASTER)).size, BACKUPS);
});

test.run();
