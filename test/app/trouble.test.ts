import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { DaemonStatus } from '../../src/core/status/facts.ts';
import { askControl } from '../../src/io/control.ts';
import { showOnFailure, tailOf } from '../failure.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { eventually, isAlive, ROUTER, Stage } from './stage.ts';

await enclose();

/**
 * Every system call of the supervisor's main thread fails once, one after the other: strace(1) has the kernel answer
 * with an error instead. Whatever it was needed for, the daemon lives, keeps what it has, and is whole again when the
 * trouble is over.
 */
const test = suite('trouble of files, descriptors and memory');
const LONG = process.env.VIPKEEPER_LONG === '1';
/** A call of so many fails at the same time: each has its turn in so many runs. In a long run each fails alone. */
const STRIDE = 2;
const ERRORS = ['ENOSPC', 'EROFS', 'EMFILE', 'ENOMEM', 'EPERM'] as const;
/**
 * What the supervisor asks of the kernel for its own ends. Not the calls of Node's event loop, and of its allocator:
 * when those fail, libuv and V8 end the process (epoll_ctl, mmap, the write that wakes a thread).
 */
const CALLS = [
  ...['openat', 'statx', 'newfstatat', 'fstat', 'getdents64', 'readlink', 'access', 'faccessat2'],
  ...['rename', 'unlink', 'mkdir', 'rmdir', 'chmod', 'fchmod', 'fchown', 'fsync', 'ftruncate'],
  ...['socket', 'socketpair', 'bind', 'connect', 'sendto', 'sendmsg', 'setsockopt', 'accept4', 'pipe2'],
  ...['vfork', 'fork', 'clone', 'kill', 'inotify_init1', 'inotify_add_watch', 'inotify_rm_watch', 'umask'],
];
/** Those whose failure matters for files, but which the event loop uses as well. */
const FILE_CALLS = ['write', 'pwrite64', 'read', 'pread64'];

const stage = new Stage();
/** Not where the daemon looks. */
const notes = mkdtempSync(join(tmpdir(), 'calls-'));
const at = (name: string): string => join(stage.folder, name);
const script = (name: string, text: string): string => {
  writeFileSync(at(name), `#!/bin/sh\n${text}\n`);
  chmodSync(at(name), 0o755);
  return at(name);
};
const OTHER = `vrrp_instance other {
  interface lan
  virtual_router_id 8
  priority 255
  virtual_ipaddress {
    10.9.0.101/24
  }
  track_file {
    number
  }
}
`;

function configure(): void {
  mkdirSync(at('more'));
  writeFileSync(join(at('more'), 'other.conf'), OTHER);
  stage.configure(`global_defs {
  script_user root
  vrrp_notify_fifo ${at('events')}
  config_save_dir ${at('saved')}
  reload_file ${at('mark')}
  startup_script "${script('startup', 'exit 0')}"
}
vrrp_script good {
  script "${script('good', 'exit 0')}"
  interval 1
  timeout 60
}
track_file number {
  file ${at('number')}
  init_file 0
}
${ROUTER.replace(/}\n$/, `  track_script {\n    good\n  }\n  notify "${script('notify', 'exit 0')}"\n}\n`)}
include more/*.conf
`);
}

let daemon: ChildProcess;
let said = '';
test.before(async () => {
  configure();
  await begin();
});
test.after(async () => {
  await end();
  stage.close();
  rmSync(notes, { recursive: true });
});

async function begin(): Promise<void> {
  said = '';
  const [program = '', ...words] = stage.command('-P', '-n', '-l', '-D');
  daemon = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: stage.folder },
  });
  daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await whole('the start');
}

/** It stops as if nothing had been. */
async function end(): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  assert.equal(await ended, [0, null]);
  assert.not.ok(stage.holdsVip());
  assert.equal(readdirSync(stage.runDir), []);
}

showOnFailure(() => tailOf('the daemon', said));

/** The daemon's answer; undefined when it could not take the question. */
async function ask(request: object): Promise<unknown> {
  return askControl(join(stage.runDir, 'control.sock'), request).catch(() => undefined);
}

/** Everything is as it was configured. */
async function whole(after: string): Promise<void> {
  await eventually(async () => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) throw new Error(`${after}: it ended`);
    const status = (await ask({ verb: 'status' })) as Partial<DaemonStatus> | undefined;
    const seen = status?.vrrp?.instances.map(({ name, state }) => `${name} ${state}`).join();
    return seen === 'web MASTER,other MASTER' && stage.holdsVip();
  }, `${after}: it is whole again`);
}

/** What people and chance ask of the supervisor. */
const ACTS: Readonly<Record<string, () => Promise<void> | void>> = {
  async reload() {
    await ask({ verb: 'reload' });
  },
  async dumps() {
    await answered('SIGUSR1', /keepalived_parent\.data/);
    await answered('SIGUSR2', /keepalived\.stats/);
  },
  async 'the death of a child'() {
    const before = stage.pid('vrrp');
    process.kill(before, 'SIGKILL');
    await told(said.length, /the vrrp process is gone/);
    await pause(400);
  },
  async maintenance() {
    await ask({ verb: 'maintenance', on: true });
    // One that is not heard is said again.
    await eventually(async () => (await ask({ verb: 'maintenance', on: false })) !== undefined, 'it hears');
  },
  async script() {
    await pause(1100);
  },
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const told = (from: number, what: RegExp): Promise<void> =>
  eventually(() => what.test(said.slice(from)) || !isAlive(daemon.pid ?? 0), `${what}`);
async function answered(signal: NodeJS.Signals, what: RegExp): Promise<void> {
  const from = said.length;
  daemon.kill(signal);
  await told(from, what);
}

const tracerOf = (pid: number): number =>
  Number(/^TracerPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

/** Does something while strace, with these words, looks at the supervisor's main thread. */
async function traced(words: readonly string[], act: () => Promise<void> | void): Promise<void> {
  const pid = daemon.pid ?? 0;
  const strace = spawn('strace', ['-qq', ...words, '-p', `${pid}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(strace, 'exit');
  try {
    await eventually(
      () => strace.exitCode !== null || !isAlive(pid) || tracerOf(pid) === strace.pid,
      'strace looks',
    );
    await act();
  } finally {
    strace.kill('SIGINT');
    await ended;
  }
}

/** How often each of the calls is made; those that are not made are left out. */
async function counted(calls: readonly string[], places: readonly string[], act: () => Promise<void> | void) {
  const file = join(notes, 'calls');
  rmSync(file, { force: true });
  const filter = places.flatMap((place) => ['-P', place]);
  await traced(['-o', file, '-e', `trace=${calls.join(',')}`, ...filter], act);
  const counts = new Map<string, number>();
  for (const [, call = ''] of readFileSync(file, 'utf8').matchAll(/^(\w+)\(/gm))
    counts.set(call, (counts.get(call) ?? 0) + 1);
  return counts;
}

/** Paths below which calls on descriptors are looked at. */
const PLACES = [
  'run/vipkeeperd.pid.new',
  'run/vrrp.pid.new',
  'run/routers.new',
  'state/operator.json.new',
].map(at);

/** Children that died are started again ever later: each time there is a new daemon. */
const FRESH = 'the death of a child';

for (const [name, act] of Object.entries(ACTS)) {
  test(`${name}: each call fails in its turn`, async () => {
    const failing: [call: string, count: number, places: readonly string[]][] = [];
    for (const [call, count] of await counted(CALLS, [], act)) failing.push([call, count, []]);
    await whole(name);
    for (const [call, count] of await counted(FILE_CALLS, PLACES, act)) failing.push([call, count, PLACES]);
    await whole(name);
    const stride = name === FRESH ? 1 : STRIDE;
    for (const [call, count, places] of failing) {
      const runs = LONG ? count : Math.min(count, stride);
      for (const error of ERRORS) {
        for (let nth = 1; nth <= runs; nth++) {
          const when = LONG ? `${nth}` : `${nth}+${stride}`;
          const filter = places.flatMap((place) => ['-P', place]);
          const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=${when}`];
          if (name === FRESH) {
            await end();
            await begin();
          }
          await traced(['-o', '/dev/null', ...inject, ...filter], act);
          await whole(`${name}: ${call} ${when} of ${count}: ${error}`);
        }
      }
    }
    await end();
    await begin();
  });
}

test.run();
