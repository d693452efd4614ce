import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prng } from '../../src/core/prng.ts';
import type { Link } from '../lab/scene/link.ts';
import { pause } from '../lab/scene/scene.ts';
import { RESTART_MS, type SoakDirector } from './director.ts';

/** What befalls one director. */
export interface FaultKind {
  readonly name: string;
  /** How often, among the others. */
  readonly weight: number;
  /** It ends processes: only of the director whose growth is not watched. */
  readonly deadly?: boolean;
  act(director: SoakDirector, random: Prng, lan: Link): Promise<void>;
}

const SIGNALS = ['HUP', 'USR1', 'USR2', '36', '63', '64', 'ALRM', '40', '50'];
const send = (pid: number | undefined, signal: string): void => {
  if (pid !== undefined) spawnSync('kill', ['-s', signal, `${pid}`]);
};

/** A frozen process that is not heard for ten seconds is killed by the supervisor: none is frozen for so long. */
const frozen = (random: Prng): number => random.between(100, 6000);

/** Stops a process, or what the function stops, for a while. */
async function freeze(random: Prng, pids: readonly (number | undefined)[]): Promise<void> {
  for (const pid of pids) send(pid, 'STOP');
  await pause(frozen(random));
  for (const pid of pids) send(pid, 'CONT');
}

async function restart(director: SoakDirector, signal: 'SIGTERM' | 'SIGKILL', all: boolean): Promise<void> {
  await director.end(signal, all);
  await pause(RESTART_MS);
  director.start();
}

export const FAULTS: readonly FaultKind[] = [
  {
    name: 'SIGSTOP of all',
    weight: 3,
    act: (director, random) => freeze(random, director.host.processes()),
  },
  {
    name: 'SIGSTOP of vrrp',
    weight: 2,
    act: (director, random) => freeze(random, [director.pidOf('vrrp')]),
  },
  {
    name: 'SIGSTOP of the supervisor',
    weight: 2,
    act: (director, random) => freeze(random, [director.daemonPid]),
  },
  {
    name: 'SIGKILL of vrrp',
    weight: 3,
    deadly: true,
    act: async (director) => send(director.pidOf('vrrp'), 'KILL'),
  },
  {
    name: 'SIGKILL of the supervisor',
    weight: 2,
    deadly: true,
    act: (director) => restart(director, 'SIGKILL', false),
  },
  {
    name: 'SIGKILL of all',
    weight: 3,
    deadly: true,
    act: (director) => restart(director, 'SIGKILL', true),
  },
  {
    name: 'SIGTERM',
    weight: 2,
    deadly: true,
    act: (director) => restart(director, 'SIGTERM', false),
  },
  {
    name: 'link down',
    weight: 3,
    async act(director, random, lan) {
      lan.cut(director.host);
      await pause(random.between(50, 3000));
      lan.mend(director.host);
    },
  },
  {
    name: 'link flaps',
    weight: 2,
    async act(director, random, lan) {
      for (let i = random.between(3, 10); i > 0; i--) {
        lan.cut(director.host);
        await pause(random.between(5, 200));
        lan.mend(director.host);
        await pause(random.between(5, 200));
      }
    },
  },
  {
    name: 'reload',
    weight: 4,
    async act(director, random) {
      director.configure({ second: random.chance(0.5) });
      for (let i = random.between(1, 5); i > 0; i--) send(director.daemonPid, 'HUP');
    },
  },
  {
    name: 'signals',
    weight: 4,
    async act(director, random) {
      const roles = ['vrrp', 'check'].flatMap((role) => director.pidOf(role) ?? []);
      const targets = [director.daemonPid, director.daemonPid, ...roles];
      for (let i = random.between(5, 30); i > 0; i--) {
        send(random.pick(targets), random.pick(SIGNALS));
        await pause(random.between(0, 50));
      }
    },
  },
  {
    name: 'full disks',
    weight: 3,
    async act(director, random) {
      director.fill();
      send(director.daemonPid, random.pick(SIGNALS));
      if (random.chance(0.5)) await director.ask({ verb: 'reload' });
      await pause(random.between(500, 5000));
      director.drain();
    },
  },
  {
    name: 'read-only disks',
    weight: 2,
    async act(director, random) {
      director.remount('ro');
      send(director.daemonPid, random.pick(SIGNALS));
      await pause(random.between(500, 5000));
      director.remount('rw');
    },
  },
  {
    name: 'full disks and SIGKILL of vrrp',
    weight: 2,
    deadly: true,
    async act(director, random) {
      director.fill();
      send(director.pidOf('vrrp'), 'KILL');
      await pause(random.between(500, 5000));
      director.drain();
    },
  },
  {
    name: 'maintenance',
    weight: 2,
    async act(director, random) {
      await director.ask({ verb: 'maintenance', on: true });
      await pause(random.between(200, 3000));
      while ((await director.ask({ verb: 'maintenance', on: false })) === undefined) await pause(100);
    },
  },
  {
    name: 'a tracked script fails',
    weight: 2,
    async act(director, random) {
      const script = join(director.folder, 'good');
      writeFileSync(script, '#!/bin/sh\nexit 1\n');
      await pause(random.between(1000, 5000));
      writeFileSync(script, '#!/bin/sh\nexit 0\n');
    },
  },
  {
    name: 'a tracked script is not there',
    weight: 1,
    async act(director, random) {
      const script = join(director.folder, 'good');
      chmodSync(script, 0o644);
      await pause(random.between(1000, 5000));
      chmodSync(script, 0o755);
    },
  },
];
