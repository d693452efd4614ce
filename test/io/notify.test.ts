import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { instant, seconds } from '../../src/core/time.ts';
import { ServiceNotifier, watchdogTimeout } from '../../src/io/notify.ts';
import { AF, sockaddrUnix } from '../../src/io/sockaddr.ts';
import { SOCK, Socket } from '../../src/io/socket.ts';
import { suite } from '../suite.ts';

const test = suite('sd_notify');

/** Stands in for the service manager at `path`; what it was told by `act`. */
function told(path: string, act: (notifier: ServiceNotifier) => void): string[] {
  const manager = new Socket(AF.UNIX, SOCK.DGRAM, 0, 'manager');
  manager.bind(sockaddrUnix(path));
  manager.reserve({ data: 4096 });
  const notifier = new ServiceNotifier({ NOTIFY_SOCKET: path });
  act(notifier);
  const texts = manager.receive().map(({ data }) => new TextDecoder().decode(data));
  notifier.close();
  manager.close();
  return texts;
}

test('the manager is told over a path and over the abstract namespace', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
  try {
    for (const path of [join(folder, 'notify'), `@vipkeeper-test-notify-${process.pid}`]) {
      const texts = told(path, (notifier) => {
        assert.is(notifier.ready('MASTER of 2'), undefined);
        notifier.status('one\nREADY=0');
        notifier.reloading(instant(123456));
        notifier.watchdog();
        notifier.stopping('bye');
      });
      assert.equal(texts, [
        'READY=1\nSTATUS=MASTER of 2',
        'STATUS=one READY=0',
        'RELOADING=1\nMONOTONIC_USEC=123456',
        'WATCHDOG=1',
        'STOPPING=1\nSTATUS=bye',
      ]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('without a manager nothing happens', () => {
  assert.is(new ServiceNotifier({}).ready('x'), undefined);
  assert.is(new ServiceNotifier({ NOTIFY_SOCKET: '' }).watchdog(), undefined);
});

test('a manager that cannot be told is an error to log, not an exception', () => {
  const gone = new ServiceNotifier({ NOTIFY_SOCKET: '/nonexistent/notify' }).watchdog();
  assert.match(gone?.message ?? '', /service manager at \/nonexistent\/notify: sendmsg: ENOENT/);
  const long = new ServiceNotifier({ NOTIFY_SOCKET: 'x'.repeat(200) }).watchdog();
  assert.match(long?.message ?? '', /107 bytes/);
});

test('the watchdog counts when it is meant for this process', () => {
  assert.is(watchdogTimeout(5, { WATCHDOG_USEC: '10000000' }), seconds(10));
  assert.is(watchdogTimeout(5, { WATCHDOG_USEC: '10000000', WATCHDOG_PID: '5' }), seconds(10));
  assert.is(watchdogTimeout(5, { WATCHDOG_USEC: '10000000', WATCHDOG_PID: '6' }), undefined);
  for (const WATCHDOG_USEC of [undefined, '', '0', '-1', 'abc', '1e9', '9'.repeat(30)]) {
    assert.is(watchdogTimeout(5, { WATCHDOG_USEC }), undefined);
  }
});

test.run();
