import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type LogTargets, openLog } from '../../src/io/log.ts';
import { AF, sockaddrUnix } from '../../src/io/sockaddr.ts';
import { SOCK, Socket } from '../../src/io/socket.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** What the writer, a process of its own, has to do. */
interface Task {
  readonly targets: LogTargets;
  readonly lines: readonly string[];
  /** Says that its standard error is the journal: `mine`, or what another process was told. */
  readonly journal?: 'mine' | 'other';
  /** Says that it is done, and logs one line after the other from then on. */
  readonly goOn?: boolean;
}

const NONE: LogTargets = { console: false, syslog: false, detail: false, facility: 3 };
const SOME = Array.from({ length: 2000 }, (_, i) => `line ${i} of many`);
const MANY = Array.from({ length: 20_000 }, (_, i) => `line ${i} of many`);

/** Logs, closes the log, and ends at once: what is not out by then is lost. */
async function write({ targets, lines, journal, goOn }: Task): Promise<void> {
  const { dev, ino } = fstatSync(2);
  if (journal !== undefined) process.env.JOURNAL_STREAM = `${dev}:${journal === 'mine' ? ino : ino + 1}`;
  const log = openLog(targets);
  for (const line of lines) log.log('warning', line);
  if (goOn) {
    process.send?.('written');
    setInterval(() => log.log('info', 'and on'), 20);
    return;
  }
  log.log('debug', 'a detail');
  await log.close();
  process.exit(7);
}

function writer(task: Task): ChildProcess {
  const child = fork(import.meta.filename, ['writer'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  child.send(task);
  return child;
}

/** What the writer printed on its standard error, line by line; it must end well. */
async function printed(task: Task): Promise<string[]> {
  const child = writer(task);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  assert.equal(await once(child, 'close'), [7, null]);
  return text.split('\n').slice(0, -1);
}

const test = suite('the log');
/** Made by the test only, not by the writers, which are this file too. */
let folder: string;
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
});
test.after(() => rmSync(folder, { recursive: true }));

test('a pipe gets every line, dated and in order, before the end', async () => {
  const lines = await printed({ targets: { ...NONE, console: true }, lines: MANY });
  assert.is(lines.length, MANY.length);
  lines.forEach((line, i) => {
    assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d warning vipkeeperd: line/);
    assert.ok(line.endsWith(` ${MANY[i]}`), line);
  });
});

const fileTargets = (name: string): LogTargets => ({ ...NONE, file: join(folder, name) });

test('a file that others than root and its group cannot read', async () => {
  await printed({ targets: fileTargets('own'), lines: ['secret'] });
  assert.is(statSync(join(folder, 'own')).mode & 0o777, 0o640);
});

test('what is no regular file of ours is refused at once, and stays as it is', () => {
  writeFileSync(join(folder, 'others'), 'as it was', { mode: 0o600 });
  symlinkSync('others', join(folder, 'link'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  mkdirSync(join(folder, 'for-all'));
  chmodSync(join(folder, 'for-all'), 0o1777);
  writeFileSync(join(folder, 'for-all/theirs'), 'as it was', { mode: 0o666 });
  chownSync(join(folder, 'for-all/theirs'), 65_534, 65_534);
  linkSync(join(folder, 'others'), join(folder, 'for-all/hard'));
  for (const [name, why] of [
    ['link', /is a symbolic link/],
    ['pipe', /is not a regular file/],
    ['for-all', /EISDIR/],
    ['for-all/theirs', /is another user's/],
    ['for-all/hard', /is another user's/],
  ] as const) {
    assert.throws(() => openLog(fileTargets(name)), why, name);
  }
  for (const name of ['others', 'for-all/theirs'])
    assert.is(readFileSync(join(folder, name), 'utf8'), 'as it was');
});

test('the journal gets priorities, on each line of a message; a pipe of a service does not', async () => {
  const task: Task = { targets: { ...NONE, console: true, detail: true }, lines: ['one\n  two'] };
  assert.equal(await printed({ ...task, journal: 'mine' }), [
    '<4>vipkeeperd: one',
    '<4>vipkeeperd:   two',
    '<7>vipkeeperd: a detail',
  ]);
  for (const line of await printed({ ...task, journal: 'other' })) assert.match(line, /^\d{4}-/);
});

test('a reader that does not read costs lines, which are counted, and holds nobody up', async () => {
  const long = Array.from({ length: 2000 }, (_, i) => `${i} ${'x'.repeat(10_000)}`);
  const child = writer({ targets: { ...NONE, console: true }, lines: long, goOn: true });
  await once(child, 'message');
  let text = '';
  let lost: string | undefined;
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    lost = /\((\d+) lines? before this one lost\) and on/.exec(text)?.[1];
  });
  const count = Number(await eventually(() => lost, 'lines get through again'));
  child.kill('SIGKILL');
  const kept = text.split('\n').filter((line) => line.endsWith('xxx'));
  assert.ok(kept.length >= 400 && kept.length < 600, `kept ${kept.length}`);
  kept.forEach((line, i) => {
    assert.ok(line.includes(` ${i} x`));
  });
  assert.ok(count >= long.length - kept.length);
});

test('a reader that never reads does not keep the writer from ending', async () => {
  const child = writer({ targets: { ...NONE, console: true }, lines: MANY });
  assert.equal(await once(child, 'exit'), [7, null]);
});

test('a file gets every line, after what was in it', async () => {
  const file = join(folder, 'log');
  for (let n = 1; n <= 2; n++) {
    await printed({ targets: { ...NONE, file }, lines: SOME });
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    assert.is(lines.length, n * SOME.length);
    assert.match(lines.at(-1) ?? '', /^\d{4}-.*T.*\+00:00 warning vipkeeperd\[\d+\]: line 1999 of many$/);
  }
});

test('a file that cannot be written is an error; a disk that is full is none', async () => {
  assert.throws(() => openLog({ ...NONE, file: join(folder, 'none', 'log') }), /ENOENT/);
  await printed({ targets: { ...NONE, file: '/dev/full' }, lines: ['x'] });
});

test('a reader that went away does not end the writer', async () => {
  const child = writer({ targets: { ...NONE, console: true }, lines: SOME });
  child.stderr?.destroy();
  assert.equal(await once(child, 'exit'), [7, null]);
});

function syslogDaemon(path: string): Socket {
  const daemon = new Socket(AF.UNIX, SOCK.DGRAM, 0, 'syslogd');
  daemon.bind(sockaddrUnix(path));
  daemon.reserve({ data: 4096 });
  return daemon;
}

test('syslog gets a datagram a line, with facility and severity', async () => {
  const path = join(folder, 'dev-log');
  const daemon = syslogDaemon(path);
  const log = openLog({ ...NONE, syslog: true, facility: 16, syslogSocket: path });
  log.log('crit', 'one\ntwo');
  log.log('debug', 'not wanted');
  log.log('info', 'three');
  await log.close();
  const texts = daemon.receive().map(({ data }) => new TextDecoder().decode(data));
  daemon.close();
  const head = `vipkeeperd[${process.pid}]:`;
  assert.equal(texts, [`<130>${head} one`, `<130>${head} two`, `<134>${head} three`]);
});

test('a line names the process that said it, and when it did, by the clock of the place', async () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Asia/Kolkata';
  const path = join(folder, 'log-of-a-child');
  const daemon = syslogDaemon(join(folder, 'syslog-of-a-child'));
  try {
    const targets = { ...NONE, file: path, syslog: true, syslogSocket: join(folder, 'syslog-of-a-child') };
    const log = openLog(targets);
    const at = Date.UTC(2026, 0, 2, 20, 0, 0, 7);
    log.log('notice', 'web: INIT -> MASTER', { process: 'vipkeeper-vrrp', pid: 77, at });
    await log.close();
    const line = '2026-01-03T01:30:00.007+05:30 notice vipkeeper-vrrp[77]: web: INIT -> MASTER\n';
    assert.is(readFileSync(path, 'utf8'), line);
    const texts = daemon.receive().map(({ data }) => new TextDecoder().decode(data));
    assert.equal(texts, ['<29>vipkeeper-vrrp[77]: web: INIT -> MASTER']);
  } finally {
    daemon.close();
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test('a syslog daemon that is gone or does not read costs lines, not the writer', async () => {
  const path = join(folder, 'dev-log-full');
  const targets = { ...NONE, syslog: true, syslogSocket: path };
  await printed({ targets, lines: SOME });
  const daemon = syslogDaemon(path);
  await printed({ targets, lines: SOME });
  const kept = daemon.receive().map(({ data }) => new TextDecoder().decode(data));
  daemon.close();
  assert.match(kept[0] ?? '', /line 0 of many$/);
});

if (process.argv[2] === 'writer') process.once('message', (task: Task) => void write(task));
else test.run();
