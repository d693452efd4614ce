import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
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

test.run();
