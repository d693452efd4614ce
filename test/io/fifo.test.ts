import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
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
import { Fifos } from '../../src/app/notify/fifos.ts';
import type { FifoSettings } from '../../src/core/notify/settings.ts';
import { openFifo } from '../../src/io/fifo.ts';
import { HANGS_MILLISECONDS } from '../patience.ts';
import { suite } from '../suite.ts';
import { eventually } from './namespace.ts';

/** Real named pipes. */
const test = suite('named pipes for events');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-fifo-'));
test.after(() => rmSync(folder, { recursive: true }));

/** What waits in a pipe: read by another program, to the moment where it would have to wait. */
const waiting = (path: string): string =>
  spawnSync('dd', [`if=${path}`, 'iflag=nonblock', 'status=none'], {
    encoding: 'utf8',
    timeout: HANGS_MILLISECONDS,
  }).stdout;

test('made for its owner only, lines wait in it, and taken away at the end', () => {
  const path = join(folder, 'made');
  const fifo = openFifo(path, { uid: 65534, gid: 65534 });
  const { mode, uid } = statSync(path);
  assert.is(mode & 0o777, 0o600);
  assert.is(uid, 65534);
  assert.ok(fifo.write('INSTANCE "web" MASTER 150\n'));
  assert.is(waiting(path), 'INSTANCE "web" MASTER 150\n');
  fifo.close();
  assert.not(existsSync(path));
});

test('one that was there stays', () => {
  const path = join(folder, 'there');
  execFileSync('mkfifo', [path]);
  openFifo(path, undefined).close();
  assert.ok(existsSync(path));
});

test('a full one takes no more, and never waits', () => {
  const path = join(folder, 'full');
  const fifo = openFifo(path, undefined);
  const line = `${'x'.repeat(1000)}\n`;
  let lines = 0;
  while (lines < 1000 && fifo.write(line)) lines++;
  assert.ok(lines >= 60 && lines < 1000, `${lines} lines`);
  assert.is(waiting(path).length % line.length, 0);
  fifo.close();
});

test('what is no pipe, a link, and a pipe of somebody else are refused', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'kept');
  assert.throws(() => openFifo(file, undefined), /is not a named pipe/);
  assert.is(readFileSync(file, 'utf8'), 'kept');
  const link = join(folder, 'link');
  symlinkSync(file, link);
  assert.throws(() => openFifo(link, undefined), /ELOOP/);
  const theirs = join(folder, 'theirs');
  execFileSync('mkfifo', [theirs]);
  chownSync(theirs, 65534, 65534);
  assert.throws(() => openFifo(theirs, undefined), /belongs to user 65534/);
  openFifo(theirs, { uid: 65534, gid: 65534 }).close();
  assert.throws(() => openFifo(join(folder, 'no/such'), undefined), /mkfifo/);
});

test('the reader gets the path as its last word, and is started again when it dies', async () => {
  const logged: string[] = [];
  const fifos = new Fifos({ secure: false, groups: false }, (_level, message) => logged.push(message));
  const path = join(folder, 'read');
  const script = join(folder, 'reader');
  writeFileSync(script, `#!/bin/sh\nread line <"$2"; echo "$1 $line" >>${folder}/lines\n`, { mode: 0o755 });
  const settings: FifoSettings = { path, reader: { command: [script, 'word'] } };
  const lines = (): string | undefined => {
    const file = join(folder, 'lines');
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  try {
    fifos.configure({ vrrp: settings }, { secure: false, groups: false });
    fifos.write(['all', 'vrrp'], 'one\n');
    await eventually(() => (lines() === 'word one\n' ? true : undefined), 'the first line');
    await eventually(
      () => logged.find((line) => /the reader of .*: it exited/.test(line)),
      'its end is said',
    );
    fifos.write(['vrrp'], 'two\n');
    await eventually(() => (lines() === 'word one\nword two\n' ? true : undefined), 'the second');
    fifos.write(['lvs'], 'for nobody\n');
  } finally {
    fifos.close();
  }
  assert.not(existsSync(path));
});

test('it belongs to the user who reads it: script_user, or the one of its reader', async () => {
  const nobody = { uid: 65534, gid: 65534 };
  chmodSync(folder, 0o755);
  const out = join(folder, 'heard');
  mkdirSync(out);
  chmodSync(out, 0o777);
  const script = join(folder, 'listener');
  const text = `read line <"$1" && echo "$(id -u) $line" >>${out}/$(basename $1)`;
  writeFileSync(script, `#!/bin/sh\n${text}\nexec sleep 60\n`, { mode: 0o755 });
  for (const [name, rules, user] of [
    ['by-rules', { secure: false, groups: false, user: nobody }, undefined],
    ['by-reader', { secure: false, groups: false }, nobody],
  ] as const) {
    const fifos = new Fifos(rules, () => undefined);
    const path = join(folder, name);
    try {
      fifos.configure({ vrrp: { path, reader: { command: [script], ...(user && { user }) } } }, rules);
      assert.equal([statSync(path).uid, statSync(path).gid], [65534, 65534]);
      fifos.write(['vrrp'], 'event\n');
      const heard = (): string | undefined =>
        existsSync(join(out, name)) ? readFileSync(join(out, name), 'utf8') || undefined : undefined;
      assert.is(await eventually(heard, `${name} is heard`), '65534 event\n');
      // Another user of scripts: it is made anew.
      fifos.configure({ vrrp: { path } }, { ...rules, user: { uid: 1, gid: 1 } });
      assert.is(statSync(path).uid, 1);
    } finally {
      fifos.close();
    }
  }
});

test('a reader that fails again and again is said once, loudly, and in the status', async () => {
  const logged: string[] = [];
  const rules = { secure: false, groups: false };
  const fifos = new Fifos(rules, (level, message) => logged.push(`${level} ${message}`));
  try {
    const reader = { command: ['/bin/sh', '-c', 'echo no such thing >&2; exit 7'] };
    fifos.configure({ all: { path: join(folder, 'fails'), reader } }, rules);
    assert.equal(fifos.troubles, []);
    await eventually(() => (fifos.troubles.length > 0 ? true : undefined), 'it is a trouble');
    const how = 'it exited with status 7: no such thing';
    assert.match(fifos.troubles[0] ?? '', `fails fails each time: ${how}`);
    const loud = logged.filter((line) => line.startsWith('crit'));
    assert.is(loud.length, 1, logged.join('; '));
    assert.match(loud[0] ?? '', `has failed 3 times in a row: ${how}; events wait`);
    assert.is(logged.filter((line) => line.startsWith('warning')).length, 2);
  } finally {
    fifos.close();
  }
});

test.run();
