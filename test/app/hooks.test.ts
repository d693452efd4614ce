import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { HookRunner, type ScriptRules } from '../../src/app/notify/hooks.ts';
import type { Hook } from '../../src/core/notify/hooks.ts';
import { seconds } from '../../src/core/time.ts';
import { Driver } from '../../src/io/drive.ts';
import { eventually } from '../io/namespace.ts';
import { suite } from '../suite.ts';

/** Real scripts in real processes: good ones, and all kinds of bad ones. */
const test = suite('hooks');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-hooks-'));
chmodSync(folder, 0o755);
const runners: HookRunner[] = [];
test.after(async () => {
  for (const runner of runners) await runner.close(0);
  rmSync(folder, { recursive: true });
});

const RULES: ScriptRules = { secure: false, groups: false };
const NOBODY = { uid: 65534, gid: 65534 };

/** A script of this text, as a hook of its name. */
function hook(title: string, text: string, changes: Partial<Hook> = {}): Hook {
  const path = join(folder, title);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return { title, command: [path], environment: {}, timeout: seconds(30), ...changes };
}

class Bench {
  readonly logged: string[] = [];
  readonly runner: HookRunner;

  constructor(rules: ScriptRules = RULES) {
    this.runner = new HookRunner(new Driver(), rules, (_level, message) => this.logged.push(message));
    runners.push(this.runner);
  }

  async says(what: RegExp): Promise<void> {
    await eventually(
      () => this.logged.find((line) => what.test(line)),
      () => `${what}, only: ${this.logged.join('; ')}`,
    );
  }
}

const linesOf = (name: string): string[] | undefined => {
  try {
    return readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
  } catch {
    return undefined;
  }
};
/** Waits for so many lines of a file that scripts write. */
const lines = (name: string, count: number): Promise<string[]> =>
  eventually(() => {
    const found = linesOf(name);
    return found !== undefined && found.length >= count ? found : undefined;
  }, `${count} lines in ${name}`);
/** `Z` is a zombie; `undefined` when there is none. */
const stateOf = (pid: string): string | undefined => {
  try {
    return /^State:\s*(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
};

test('they run one event after another, with the words and the environment that they are given', async () => {
  const bench = new Bench();
  const out = join(folder, 'order');
  const slow = hook('slow', `sleep 0.3; echo slow $* $VIPKEEPER_CAUSE >>${out}`);
  const quick = hook('quick', `echo quick >>${out}`);
  const environment = { VIPKEEPER_CAUSE: 'because; $(of) it' };
  bench.runner.run('web', [{ ...slow, command: [...slow.command, 'a b', '$HOME'], environment }], false);
  bench.runner.run('web', [quick], false);
  assert.equal(await lines('order', 2), ['slow a b $HOME because; $(of) it', 'quick']);
});

test('one that hangs is ended with all that it started, and leaves no zombie', async () => {
  const bench = new Bench();
  const text = `trap '' TERM; sleep 1000 & echo $$ $! >>${join(folder, 'pids')}; wait; sleep 1000`;
  bench.runner.run('web', [hook('hangs', text, { timeout: seconds(0.4) })], false);
  bench.runner.run('web', [hook('after', `echo after >>${join(folder, 'after-it')}`)], false);
  await bench.says(/hangs took longer than 0.4 s: ended/);
  await lines('after-it', 1);
  const pids = linesOf('pids')?.flatMap((line) => line.split(' ')) ?? [];
  assert.is(pids.length, 2);
  assert.is(stateOf(pids[0] ?? ''), undefined);
  // The other was somebody else's child in the end: whoever buries orphans here may take a moment.
  await eventually(() => ['Z', undefined].includes(stateOf(pids[1] ?? '')) || undefined, 'it is gone');
});

/** Stands still until the process has ended and is not buried yet; nothing else happens here meanwhile. */
function standStillUntilEnd(pid: string | number): void {
  const limit = Date.now() + 60_000;
  while (stateOf(String(pid)) !== 'Z') if (Date.now() > limit) throw new Error(`${pid} does not end`);
}

test('what it printed last is told, also when its end is known before that was read', async () => {
  const bench = new Bench();
  const go = join(folder, 'go');
  const text = `echo $$ >>${join(folder, 'waiting')}; until [ -e ${go} ]; do sleep 0.01; done; echo last words`;
  bench.runner.run('web', [hook('ends', text)], false);
  const [pid = ''] = await lines('waiting', 1);
  // The end of another child is news, and so is what that printed: it is read first. Meanwhile ours prints and ends.
  const other = spawn('echo', ['anything'], { stdio: ['ignore', 'pipe', 'ignore'] });
  other.stdout.once('data', () => {
    writeFileSync(go, '');
    standStillUntilEnd(pid);
  });
  standStillUntilEnd(other.pid ?? '');
  await bench.says(/^ends: last words$/);
});

test('what it leaves in the background neither delays the next nor dies of what it prints', async () => {
  const bench = new Bench();
  const out = join(folder, 'left');
  const text = `(for i in 1 2 3 4; do sleep 0.2; echo noise; echo noise >&2; done; echo alive >>${out}) & echo begun`;
  bench.runner.run('web', [hook('leaves', text)], false);
  await bench.says(/^leaves: begun/);
  assert.is(linesOf('left'), undefined);
  bench.runner.run('web', [hook('next', `echo next >>${join(folder, 'next-one')}`)], false);
  await lines('next-one', 1);
  assert.equal(await lines('left', 1), ['alive']);
});

test('one that floods is read, and the end of what it printed is kept', async () => {
  const bench = new Bench();
  bench.runner.run(
    'web',
    [hook('floods', 'head -c 20000000 /dev/zero | tr "\\\\0" x; echo; echo the end; exit 3')],
    false,
  );
  await bench.says(/^floods: it exited with status 3: x+ the end$/);
  assert.ok((bench.logged.at(-1)?.length ?? 0) < 1100);
});

test('whatever the nice value of the daemon, that of a script is 0, and nothing is said of it', async () => {
  const own = getPriority();
  const bench = new Bench();
  try {
    setPriority(15);
    bench.runner.run('root', [hook('root', 'nice')], false);
    bench.runner.run('nobody', [hook('nobody', 'nice', { user: NOBODY })], false);
    for (const title of ['root', 'nobody']) await bench.says(new RegExp(`^${title}: 0$`));
  } finally {
    setPriority(own);
  }
});

test('not there, not executable, no script at all, a user that may not', async () => {
  const bench = new Bench();
  const run = (title: string, mode: number, changes: Partial<Hook> = {}): void => {
    const made = hook(title, 'exit 0', changes);
    chmodSync(join(folder, title), mode);
    bench.runner.run(title, [made], false);
  };
  run('absent', 0o755, { command: ['/nonexistent/hook'] });
  await bench.says(/^absent: .*(ENOENT|No such file)/);
  run('plain', 0o644);
  await bench.says(/^plain: .*(EACCES|Permission denied)/);
  run('private', 0o700, { user: NOBODY });
  await bench.says(/^private: .*(EACCES|Permission denied)/);
  writeFileSync(join(folder, 'headless'), `echo headless >>${join(folder, 'said')}\n`);
  chmodSync(join(folder, 'headless'), 0o755);
  bench.runner.run(
    'headless',
    [{ ...hook('unused', ''), title: 'h', command: [join(folder, 'headless')] }],
    false,
  );
  await lines('said', 1);
});

test('as whom: the user, without the groups of ours, or with all of its own', async () => {
  const out = join(folder, 'who');
  writeFileSync(out, '');
  chownSync(out, NOBODY.uid, NOBODY.gid);
  const bench = new Bench({ ...RULES, user: NOBODY });
  bench.runner.run('web', [hook('who-am-i', `echo $(id -u) $(id -g) $(id -G) >>${out}`)], false);
  assert.equal(await lines('who', 1), ['65534 65534 65534']);
  const all = new Bench({ ...RULES, user: NOBODY, groups: true });
  all.runner.run('web', [hook('who-again', `echo $(id -u) $(id -g) >>${out}`)], false);
  assert.equal((await lines('who', 2))[1], '65534 65534');
});

test('enable_script_security: what others can write is not run by root, looked at each time', async () => {
  const bench = new Bench({ ...RULES, secure: true });
  const path = join('/root', `vipkeeper-hook-${process.pid}`);
  const out = join(folder, 'secure');
  writeFileSync(path, `#!/bin/sh\necho ran as $(id -u) >>${out}\n`);
  try {
    chmodSync(path, 0o755);
    const secure: Hook = { title: 'secure', command: [path], environment: {}, timeout: seconds(9) };
    bench.runner.run('web', [secure], false);
    assert.equal(await lines('secure', 1), ['ran as 0']);
    chmodSync(path, 0o777);
    bench.runner.run('web', [secure], false);
    await bench.says(/^secure: not run: others can write \/root\/vipkeeper-hook-/);
    assert.is(linesOf('secure')?.length, 1);
  } finally {
    rmSync(path);
  }
});

test('the end of the daemon waits for them, but not long', async () => {
  const bench = new Bench();
  const out = join(folder, 'ended');
  bench.runner.run('web', [hook('ends', `sleep 0.3; echo ended >>${out}`)], true);
  bench.runner.run('mail', [hook('stays', `echo $$ >${join(folder, 'stays-pid')}; exec sleep 1000`)], true);
  const [pid = ''] = await lines('stays-pid', 1);
  await bench.runner.close(1000);
  assert.equal(linesOf('ended'), ['ended']);
  await eventually(() => stateOf(pid) === undefined || undefined, 'it is killed');
});

test.run();
