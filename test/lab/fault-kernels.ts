import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { ROOT } from './engine/root.ts';
import { Eye } from './scene/eye.ts';
import type { Machine, RemoteProgram } from './scene/machine.ts';
import { pause, Scene } from './scene/scene.ts';

/**
 * Two directors with a kernel each, and a witness: kernels that stand still, lose power, and whose clocks are set by
 * an hour. Measured from outside, by ARP, pings and TCP, for how long two answer for the address: never.
 */
export const needs = 'pair of kernels';
export const limitSeconds = 1500;
export const long = true;

const VIP = '10.0.0.100';
const KEY = 'a secret of these three';
const HOUR = 3600;
const LONGEST_PROMISE_SECONDS = 3;
/** Longer than a takeover takes. */
const LASTS_MILLISECONDS = 8000;
const TIMES = 3;

const story = suite('faults of a pair of kernels');
const scene = new Scene();
story.after(() => scene.close());

const lan = scene.link('lan');
const user = scene.host('user').on(lan, '10.0.0.10/24');
const witness = scene.host('witness').on(lan, '10.0.0.9/24');
const [one, two] = await Promise.all([scene.machine('one', [lan]), scene.machine('two', [lan])]);
let eye: Eye;
let daemon: RemoteProgram;

const configuration = (name: string, priority: number): string => `heartbeat {
  cluster web
  key_file /tmp/web.key
  director one 10.0.0.1
  director two 10.0.0.2
  name ${name}
  longest_promise ${LONGEST_PROMISE_SECONDS}
}
witness {
  address 10.0.0.9
}
vrrp_instance web {
  interface lan
  virtual_router_id 7
  version 3
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;

async function direct(machine: Machine, address: string, priority: number): Promise<RemoteProgram> {
  await machine.run(`ip address add ${address}/24 dev lan
    umask 077
    echo '${KEY}' >/tmp/web.key
    cat >/tmp/web.conf <<'END'\n${configuration(machine.name, priority)}END`);
  const options = ['-n', '-l', '-D', '-G', '-P', '-f', '/tmp/web.conf'];
  return machine.start('vipkeeperd', [`${ROOT}/bin/vipkeeperd`, ...options]);
}
const hardware = async (machine: Machine): Promise<string> =>
  (await machine.run('cat /sys/class/net/lan/address')).trim();

/** What two and nobody answered for, in milliseconds, while something befell the pair. */
async function suffer(name: string, act: () => Promise<void>): Promise<number> {
  await eye.settle(await hardware(one));
  await eye.begin();
  await act();
  await eye.settle();
  const found = await eye.holders();
  const columns = [found.two, found.nobody].map((each) => each.toFixed(0).padStart(6));
  console.log(`  ${name.padEnd(40)} two ${columns[0]} ms, nobody ${columns[1]} ms`);
  assert.is(Math.round(found.two), 0, `${name}: two answered`);
  return found.nobody;
}
/** The wall clock goes by so many seconds. */
const step = (machine: Machine, by: number): Promise<string> =>
  machine.run(`date -s "@$(($(date +%s) + ${by}))"`);
const lasts = (): Promise<void> => pause(LASTS_MILLISECONDS);
const mostly = (found: readonly number[]): number => [...found].sort((a, b) => a - b).at(-1) ?? 0;

async function times(name: string, act: () => Promise<void>): Promise<number> {
  const found: number[] = [];
  for (let time = 0; time < TIMES; time++) found.push(await suffer(name, act));
  return mostly(found);
}

story('the better one answers for the address', async () => {
  const keys = join(scene.folder, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'web.key'), `${KEY}\n`, { mode: 0o600 });
  const options = ['--keys', keys, '--longest', `${LONGEST_PROMISE_SECONDS}`];
  witness.start('witness', [join(ROOT, 'bin/vipkeeper-witness'), ...options]);
  daemon = await direct(one, '10.0.0.1', 150);
  await direct(two, '10.0.0.2', 100);
  eye = await Eye.open(user, 'lan', [await hardware(one), await hardware(two)], `10.0.0.10>${VIP}`);
});

story('its kernel stands still, and goes on', async () => {
  await times('the master’s kernel frozen, thawed', async () => {
    one.freeze();
    await lasts();
    one.thaw();
  });
});

story('the other one’s kernel stands still, and goes on: nothing happens', async () => {
  const nobody = await times('the backup’s kernel frozen, thawed', async () => {
    two.freeze();
    await lasts();
    two.thaw();
  });
  assert.ok(nobody < 1000, `nobody answered for ${nobody} ms`);
});

story(
  'the wall clocks are set by an hour, forth and back: nothing happens, and people are told',
  async () => {
    for (const machine of [one, two]) {
      for (const by of [HOUR, -HOUR, -HOUR, HOUR]) {
        const name = `wall clock of ${machine.name} ${by > 0 ? '+' : '-'}1 h`;
        const nobody = await suffer(name, async () => {
          await step(machine, by);
          await lasts();
        });
        assert.ok(nobody < 1000, `${name}: nobody answered for ${nobody} ms`);
      }
    }
    assert.match(daemon.log, /the clock of two is 36\d\d\.\d s (ahead of|behind) ours/);
  },
);

story('it loses power: the other one answers, and keeps the address', async () => {
  await suffer('the master’s kernel killed', async () => {
    one.powerOff();
    await lasts();
  });
});

story.run();
