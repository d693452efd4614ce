import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Prng } from '../../src/core/prng.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { AddressWatch } from '../lab/scene/address-watch.ts';
import { file, pidOf, vipkeeper } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { run } from '../lab/scene/run.ts';
import { pause, Scene } from '../lab/scene/scene.ts';
import { suite } from '../suite.ts';

/**
 * A pair with adverts each 100 ms under seeded faults: stopped and killed processes, flapping links, reloads, signals,
 * full disks. The addresses are watched from outside. Prints for how long nobody or both had the address, by the fault
 * before. `SOAK_SECONDS` (1500), `SEED`.
 */
export const limitSeconds = 7200;

await enclose();

const SECONDS = Number(process.env.SOAK_SECONDS ?? 1500);
const SEED = Number(process.env.SEED ?? 1);
const VIP = '10.0.0.100';
/** Its adverts are too frequent for a lease: what a dead process leaves is removed by its supervisor. */
const ADVERT_SECONDS = 0.1;
/** A process that lives for longer than this is looked at: by then it has warmed up. */
const WARM_SECONDS = 60;
const GROWTH_MIB = 40;
const GROWTH_FILES = 24;
const MEANT_FOR_NOBODY = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 36, 37, 64] as const;

interface Look {
  readonly at: number;
  readonly mib: number;
  readonly files: number;
}

class Director {
  readonly host: Host;
  readonly #priority: number;
  #program: Program | undefined;
  /** It was ended on purpose and is not back yet. */
  down = false;
  /** The first and last look at each process that has warmed up. */
  readonly looks = new Map<number, { readonly first: Look; last: Look; readonly role: string }>();
  readonly #born = new Map<number, number>();

  constructor(host: Host, priority: number) {
    this.host = host;
    this.#priority = priority;
    for (const name of ['run', 'state']) {
      mkdirSync(this.folder(name), { recursive: true });
      run(['mount', '-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', this.folder(name)]);
    }
  }
  folder(name: string): string {
    return join(this.host.scene.folder, this.host.name, name);
  }
  configuration(variant = 0): string {
    return `global_defs {
  script_user root
}
vrrp_script steady {
  script /bin/true
  interval 1
  weight 2
}
vrrp_instance VI_1 {
  interface lan
  virtual_router_id 51
  version 3
  priority ${this.#priority + variant}
  advert_int ${ADVERT_SECONDS}
  virtual_ipaddress {
    ${VIP}/24
  }
  track_script {
    steady
  }
}
`;
  }
  start(): void {
    this.down = false;
    this.#program = vipkeeper(this.host, this.configuration(), '-P');
  }
  /** Its processes, by their role. */
  pids(): { readonly role: string; readonly pid: number }[] {
    return ['vipkeeperd', 'vrrp'].flatMap((role) => {
      try {
        return [{ role, pid: pidOf(this.host, role) }];
      } catch {
        return [];
      }
    });
  }
  signal(role: string, signal: NodeJS.Signals | number): boolean {
    const pid = this.pids().find((each) => each.role === role)?.pid;
    try {
      if (pid !== undefined) process.kill(pid, signal);
      return pid !== undefined;
    } catch {
      return false;
    }
  }
  /** Ends all of it, and starts it again later. */
  async end(how: 'SIGKILL' | 'SIGTERM', after: number): Promise<void> {
    this.down = true;
    if (how === 'SIGKILL') this.host.kill();
    else await this.#program?.stop();
    run(['ip', '-n', this.host.name, 'address', 'flush', 'dev', 'lan', 'to', VIP]);
    await pause(after);
    this.start();
  }
  /** Why it is not as it should be. */
  complaint(): string | undefined {
    if (this.down || this.#program?.running === true) return undefined;
    return `${this.host.name}: ${this.#program?.state}\n${this.#program?.log.split('\n').slice(-15).join('\n')}`;
  }
  look(now: number): void {
    for (const { role, pid } of this.pids()) {
      if (!this.#born.has(pid)) this.#born.set(pid, now);
      if (now - (this.#born.get(pid) ?? now) < WARM_SECONDS * 1000) continue;
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const mib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
        const look = { at: now, mib, files: readdirSync(`/proc/${pid}/fd`).length };
        const known = this.looks.get(pid);
        if (known === undefined) this.looks.set(pid, { role, first: look, last: look });
        else known.last = look;
      } catch {
        // It ended in this moment.
      }
    }
  }
}

const test = suite(`soak of ${SECONDS} s, seed ${SEED}`);

test('no daemon dies unasked, nothing grows, and somebody has the address again', async () => {
  const scene = new Scene();
  const link = scene.link('lan');
  const directors = [
    new Director(scene.host('a').on(link, '10.0.0.1/24'), 150),
    new Director(scene.host('b').on(link, '10.0.0.2/24'), 100),
  ] as const;
  const watch = await AddressWatch.start(
    scene,
    directors.map(({ host }) => host),
  );
  for (const director of directors) director.start();
  await scene.until('the pair runs', () => directors[0].host.has(VIP));
  const random = new Prng(SEED);
  const faults: { readonly at: number; readonly name: string }[] = [{ at: 0, name: 'start' }];
  const begun = Date.now();
  const complaints: string[] = [];
  while (Date.now() - begun < SECONDS * 1000 && complaints.length === 0) {
    const director = random.pick(directors);
    const name = random.pick(FAULT_NAMES);
    faults.push({ at: Date.now(), name });
    await FAULTS[name]?.(director, random, link);
    faults.push({ at: Date.now(), name: `after ${name}` });
    await pause(1500 + 2500 * random.unit());
    for (const each of directors) {
      each.look(Date.now());
      complaints.push(...(each.complaint() ?? []));
    }
  }
  await scene.until(
    'the better one has the address',
    () => directors[0].host.has(VIP) && !directors[1].host.has(VIP),
  );
  report(watch, faults, begun, directors);
  assert.equal(complaints, []);
  for (const { looks, host } of directors) {
    for (const [pid, { role, first, last }] of looks) {
      const what = `${host.name} ${role} ${pid}`;
      assert.ok(last.mib - first.mib < GROWTH_MIB, `${what}: ${first.mib} -> ${last.mib} MiB`);
      assert.ok(last.files - first.files < GROWTH_FILES, `${what}: ${first.files} -> ${last.files} files`);
    }
  }
  for (const director of directors)
    for (const name of ['run', 'state']) run(['umount', '-l', director.folder(name)]);
  scene.close();
});

type Fault = (
  director: Director,
  random: Prng,
  link: { cut(host: Host): void; mend(host: Host): void },
) => unknown;

async function freeze(director: Director, role: string, milliseconds: number): Promise<void> {
  if (!director.signal(role, 'SIGSTOP')) return;
  await pause(milliseconds);
  director.signal(role, 'SIGCONT');
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'VRRP process stopped': (director, random) => freeze(director, 'vrrp', 100 + 2900 * random.unit()),
  'supervisor stopped': (director, random) => freeze(director, 'vipkeeperd', 100 + 2900 * random.unit()),
  'VRRP process killed': (director) => director.signal('vrrp', 'SIGKILL'),
  'all killed': (director, random) => director.end('SIGKILL', 500 + 2000 * random.unit()),
  'all stopped cleanly': (director, random) => director.end('SIGTERM', 500 + 2000 * random.unit()),
  'link flaps': async (director, random, link) => {
    for (let flaps = random.between(1, 4); flaps > 0; flaps--) {
      link.cut(director.host);
      await pause(50 + 800 * random.unit());
      link.mend(director.host);
      await pause(50 + 300 * random.unit());
    }
  },
  reloads: async (director, random) => {
    for (let reloads = random.between(1, 10); reloads > 0; reloads--) {
      file(director.host, 'vipkeeper.conf', director.configuration(random.between(0, 3)));
      director.signal('vipkeeperd', 'SIGHUP');
      await pause(200 * random.unit());
    }
  },
  'signals at random': async (director, random) => {
    for (let signals = random.between(5, 20); signals > 0; signals--) {
      director.signal(random.pick(['vipkeeperd', 'vrrp']), random.pick(MEANT_FOR_NOBODY));
      await pause(50 * random.unit());
    }
  },
  'disks full': async (director, random) => {
    for (const name of ['run', 'state']) {
      try {
        writeFileSync(join(director.folder(name), 'ballast'), Buffer.alloc(1 << 20));
      } catch {
        // It is full: that was wanted.
      }
    }
    director.signal('vrrp', 'SIGKILL');
    director.signal('vipkeeperd', 'SIGHUP');
    await pause(1000 + 2000 * random.unit());
    for (const name of ['run', 'state']) rmSync(join(director.folder(name), 'ballast'), { force: true });
  },
};
const FAULT_NAMES = Object.keys(FAULTS);

/** For how long nobody had the address, and both, by the fault before. */
function report(
  watch: AddressWatch,
  faults: readonly { readonly at: number; readonly name: string }[],
  begun: number,
  directors: readonly Director[],
): void {
  const times = new Map<string, { count: number; nobody: number; both: number; longestBoth: number }>();
  const holders = new Set<string>();
  let [since, cause] = [begun, 'start'];
  const note = (at: number): void => {
    const length = Math.max(0, at - since);
    const row = times.get(cause) ?? { count: 0, nobody: 0, both: 0, longestBoth: 0 };
    times.set(cause, row);
    if (holders.size === 0) row.nobody += length;
    if (holders.size > 1) {
      row.both += length;
      row.longestBoth = Math.max(row.longestBoth, length);
    }
    since = Math.max(since, at);
  };
  const events = [
    ...watch.moments
      .filter(({ address }) => address === VIP)
      .map((moment) => ({ ...moment, name: undefined })),
    ...faults.map(({ at, name }) => ({ at, name, host: '', present: false })),
  ].sort((a, b) => a.at - b.at);
  for (const { at, name, host, present } of events) {
    note(at);
    if (name === undefined) holders[present ? 'add' : 'delete'](host);
    else if (!name.startsWith('after ')) {
      cause = name;
      const row = times.get(name) ?? { count: 0, nobody: 0, both: 0, longestBoth: 0 };
      row.count += 1;
      times.set(name, row);
    }
  }
  note(Date.now());
  const cell = (value: string | number): string => String(value).padStart(12);
  const rows = [...times].map(
    ([name, row]) => name.padEnd(24) + [row.count, row.nobody, row.both, row.longestBoth].map(cell).join(''),
  );
  const head =
    'fault before'.padEnd(24) + ['times', 'nobody, ms', 'both, ms', 'longest both'].map(cell).join('');
  console.log([`${((Date.now() - begun) / 1000).toFixed(0)} s`, head, ...rows].join('\n'));
  for (const { host, looks } of directors) {
    for (const [pid, { role, first, last }] of looks) {
      const lived = ((last.at - first.at) / 1000).toFixed(0);
      console.log(
        [
          `${host.name} ${role} ${pid} in ${lived} s: ${first.mib.toFixed(0)} -> ${last.mib.toFixed(0)} MiB`,
          `${first.files} -> ${last.files} files`,
        ].join(', '),
      );
    }
  }
}

test.run();
