import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs';
import * as assert from 'uvu/assert';
import { ip } from '../../src/core/ip.ts';
import { after, type Instant, millis, seconds } from '../../src/core/time.ts';
import { Alarm, now } from '../../src/io/clock.ts';
import { AF, sockaddrIp } from '../../src/io/sockaddr.ts';
import { SO, SOCK, SOL_SOCKET, Socket } from '../../src/io/socket.ts';
import { HANGS_MILLISECONDS } from '../patience.ts';
import { suite } from '../suite.ts';

const test = suite('clock');

function udp(): Socket {
  const socket = new Socket(AF.INET, SOCK.DGRAM, 0, 'test datagrams');
  socket.bind(sockaddrIp(ip('127.0.0.1')));
  socket.setOption(SOL_SOCKET, SO.RCVBUFFORCE, 8 << 20);
  socket.reserve({ data: 64 });
  return socket;
}

function spinUntil(at: Instant): void {
  while (now() < at);
}

test('the clock counts whole microseconds and does not go back', () => {
  let last = now();
  for (let i = 0; i < 10_000; i++) {
    const next = now();
    assert.ok(Number.isInteger(next) && next >= last);
    last = next;
  }
});

test('an alarm comes once, not before its deadline, and knows the time', async () => {
  for (const delay of [-1000, 0, 1, 700, 3300]) {
    const due = (now() + delay) as Instant;
    const calls: Instant[] = [];
    const at = await new Promise<Instant>((resolve) => {
      const alarm = new Alarm((instant) => {
        calls.push(instant);
        resolve(instant);
      });
      alarm.arm(due);
    });
    assert.ok(at >= due, `${at} is before ${due}`);
    assert.ok(at <= now());
    await new Promise((resolve) => setTimeout(resolve, 3));
    assert.is(calls.length, 1);
  }
});

test('the last deadline counts', async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    const start = now();
    const moved = new Alarm((at) => order.push(`moved ${at >= after(start, millis(20))}`));
    const cleared = new Alarm(() => order.push('cleared'));
    const closed = new Alarm(() => order.push('closed'));
    const last = new Alarm(() => resolve());
    moved.arm(after(start, millis(1)));
    moved.arm(after(start, millis(20)));
    cleared.arm(after(start, millis(1)));
    cleared.arm(undefined);
    closed.arm(after(start, millis(1)));
    closed.close();
    last.arm(after(start, millis(25)));
  });
  assert.equal(order, ['moved true']);
});

test('an idle alarm lets the process end, an armed one does not', () => {
  const clock = new URL('../../src/io/clock.js', import.meta.url);
  const run = (code: string): string =>
    spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', `import { Alarm, now } from '${clock}';${code}`],
      {
        encoding: 'utf8',
        timeout: HANGS_MILLISECONDS,
      },
    ).stdout;
  assert.is(run(`new Alarm(() => {}); console.log('end');`), 'end\n');
  assert.is(run(`new Alarm(() => console.log('fired')).arm(now() + 20000);`), 'fired\n');
  const again = `let fired = 0;
    const a = new Alarm(() => (++fired === 1 ? setTimeout(() => a.arm(now() + 20000), 5) : console.log(fired)));
    a.arm(now() + 1000);`;
  assert.is(run(again), '2\n');
  assert.is(
    run(`const a = new Alarm(() => {}); a.arm(now() + 6e8); a.arm(undefined); console.log('end');`),
    'end\n',
  );
});

/** What a stalled process does in the given phase of the loop: the deadline passes, then adverts arrive. */
type Phase = (stall: () => void) => void;
const phases: Record<string, Phase> = {
  'the callback of another socket': (stall) => {
    const other = udp();
    other.listen({
      datagram: () => {
        other.close();
        stall();
      },
      error: assert.unreachable,
    });
    other.send(Uint8Array.of(0), other.localName());
  },
  setImmediate: (stall) => setImmediate(stall),
  'a timer': (stall) => setTimeout(stall, 1),
  'the completion of a file operation': (stall) => readFile('/proc/self/stat', stall),
  'the callback of another alarm': (stall) => new Alarm(stall).arm(now()),
};

for (const [name, phase] of Object.entries(phases)) {
  for (const adverts of [1, 10, 1000]) {
    test(`after a stall in ${name}, ${adverts} waiting adverts come before the alarm`, async () => {
      const receiver = udp();
      const order: string[] = [];
      await new Promise<void>((resolve) => {
        const alarm = new Alarm(() => {
          order.push('alarm');
          resolve();
        });
        receiver.listen({ datagram: () => order.push('advert'), error: assert.unreachable });
        phase(() => {
          const due = after(now(), millis(5));
          alarm.arm(due);
          spinUntil(after(due, millis(10)));
          const sender = udp();
          sender.sendBatch(Array(adverts).fill(Uint8Array.of(1)), receiver.localName());
          sender.close();
        });
      });
      receiver.close();
      assert.equal(order, [...Array(adverts).fill('advert'), 'alarm']);
    });
  }
}

for (const turn of [1, 2, 3]) {
  test(`a stall in turn ${turn} after the deadline leaves no advert unread`, async () => {
    const ADVERTS = 5;
    const receiver = udp();
    const busy = udp();
    let sent = 0;
    let received = 0;
    const unread = await new Promise<number>((resolve) => {
      const due = after(now(), millis(5));
      const alarm = new Alarm(() => resolve(sent - received));
      receiver.listen({ datagram: () => received++, error: assert.unreachable });
      // Readable in every turn of the loop; in one of them, after the deadline, it stalls.
      let turns = 0;
      busy.listen({
        datagram: () => {
          if (now() >= due && ++turns === turn) {
            spinUntil(after(now(), millis(10)));
            sent = busy.sendBatch(Array(ADVERTS).fill(Uint8Array.of(1)), receiver.localName());
          }
          busy.send(Uint8Array.of(0), busy.localName());
        },
        error: assert.unreachable,
      });
      busy.send(Uint8Array.of(0), busy.localName());
      alarm.arm(due);
    });
    busy.close();
    receiver.close();
    assert.is(unread, 0);
  });
}

test('an advert that was waiting moves the deadline', async () => {
  const receiver = udp();
  let early = 0;
  const at = await new Promise<Instant>((resolve) => {
    let due = after(now(), millis(5));
    const alarm = new Alarm((instant) => {
      if (instant < due) early++;
      resolve(instant);
    });
    receiver.listen({
      datagram: () => {
        due = after(now(), millis(50));
        alarm.arm(due);
        receiver.close();
      },
      error: assert.unreachable,
    });
    alarm.arm(due);
    spinUntil(after(due, millis(5)));
    receiver.send(Uint8Array.of(1), receiver.localName());
  });
  assert.is(early, 0);
  assert.ok(at > 0);
});

test('an endless flood does not hold up the alarm for ever', async () => {
  const receiver = udp();
  let received = 0;
  await new Promise<void>((resolve) => {
    // Each datagram is answered by one more, so that the socket is never read empty.
    receiver.listen({
      datagram: () => {
        received++;
        receiver.send(Uint8Array.of(1), receiver.localName());
      },
      error: assert.unreachable,
    });
    receiver.sendBatch(Array(2000).fill(Uint8Array.of(1)), receiver.localName());
    new Alarm(() => resolve()).arm(after(now(), millis(5)));
  });
  receiver.close();
  assert.ok(received > 0);
});

test('a flood whose turns are long does not put off the alarm for many of them', async () => {
  const receiver = udp();
  let turns = 0;
  await new Promise<void>((resolve) => {
    const due = after(now(), millis(5));
    receiver.listen({
      datagram: () => {
        if (now() >= due) turns++;
        spinUntil(after(now(), millis(35)));
        receiver.send(Uint8Array.of(1), receiver.localName());
      },
      error: assert.unreachable,
    });
    receiver.send(Uint8Array.of(1), receiver.localName());
    new Alarm(() => resolve()).arm(due);
  });
  receiver.close();
  // Of a second, when 32 of them were taken.
  assert.ok(turns <= 12, `${turns} turns`);
});

test('a far deadline is taken', () => {
  const alarm = new Alarm(() => assert.unreachable());
  alarm.arm(after(now(), seconds(1e9)));
  alarm.close();
});

test.run();
