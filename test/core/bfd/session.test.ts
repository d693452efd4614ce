import * as assert from 'uvu/assert';
import { BFD_STATES, type BfdState } from '../../../src/core/bfd/packet.ts';
import { millis, seconds } from '../../../src/core/time.ts';
import { suite } from '../../suite.ts';
import { at, OURS, SETTINGS, Talk, THEIRS } from './neighbor.ts';

const session = suite('bfd session');

session('comes up when both hear each other', () => {
  const talk = new Talk();
  assert.equal(talk.event({ type: 'start' }, 0), ['AdminDown -> Down: started', 'says Down']);
  assert.equal(talk.last, {
    state: 'Down',
    diagnostic: 'no diagnostic',
    poll: false,
    final: false,
    demand: false,
    multiplier: 5,
    mine: OURS,
    yours: 0,
    minTx: seconds(1),
    minRx: millis(10),
  });
  assert.equal(talk.hears({ state: 'Down', yours: 0 }, 20), [
    'Down -> Init: the neighbour was heard',
    'says Init',
  ]);
  assert.is(talk.last?.yours, THEIRS);
  assert.equal(talk.hears({ state: 'Up' }, 40), ['Init -> Up: both hear each other', 'says Up P']);
  assert.is(talk.last?.minTx, millis(10));
});

/** RFC 5880, 6.2 and 6.8.6: from our state by the neighbour's. */
const MACHINE: Record<Exclude<BfdState, 'AdminDown'>, Record<BfdState, BfdState>> = {
  Down: { AdminDown: 'Down', Down: 'Init', Init: 'Up', Up: 'Down' },
  Init: { AdminDown: 'Down', Down: 'Init', Init: 'Up', Up: 'Up' },
  Up: { AdminDown: 'Down', Down: 'Down', Init: 'Up', Up: 'Up' },
};

session('the state machine of RFC 5880, whole', () => {
  for (const [own, row] of Object.entries(MACHINE)) {
    for (const heard of BFD_STATES) {
      const talk = own === 'Up' ? Talk.up() : Talk.started();
      if (own === 'Init') talk.hears({ state: 'Down' }, 0);
      assert.is(talk.session.state, own);
      talk.hears({ state: heard }, 1);
      assert.is(talk.session.state, row[heard], `${own} hears ${heard}`);
    }
  }
});

session('slowly until it is up, then as fast as both want', () => {
  const talk = Talk.started();
  const lonely = talk.until(10_000);
  assert.ok(lonely.length >= 10 && lonely.length <= 13, `${lonely.length} packets in 10 s`);
  talk.hears({ state: 'Init', minRx: millis(50), minTx: seconds(1) }, 10_000);
  const busy = talk.until(11_000);
  assert.ok(busy.length >= 20 && busy.length <= 26, `${busy.length} packets in 1 s`);
});

session('the jitter: up to a quarter less, and with a multiplier of 1 at least a tenth', () => {
  for (const [multiplier, least, most] of [
    [5, 75, 100],
    [1, 75, 90],
  ] as const) {
    const talk = Talk.up({ multiplier }, { minRx: millis(100), minTx: seconds(9) });
    const times = talk.until(20_000).map((line) => Number.parseFloat(line));
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    assert.ok(gaps.length > 100);
    for (const gap of gaps) assert.ok(gap >= least - 0.11 && gap <= most + 0.11, `${gap} ms`);
    assert.ok(Math.max(...gaps) - Math.min(...gaps) > (most - least) / 2, 'it varies');
  }
});

session('is down when nothing came for the detection time, and says why', () => {
  const talk = Talk.up({}, { multiplier: 3, minTx: millis(40) });
  talk.hears({ multiplier: 3, minTx: millis(40) }, 100);
  const told = talk.until(230).filter((line) => line.includes('->'));
  assert.equal(told, ['220.0 Up -> Down: nothing heard of the neighbour for 120 ms']);
  assert.is(talk.last?.diagnostic, 'control detection time expired');
  assert.is(talk.last?.yours, 0);
  assert.equal(talk.session.status().neighborState, undefined);
});

session('a neighbour that ends the session has not failed: RFC 5882, 3.2', () => {
  const talk = Talk.up();
  assert.is(talk.session.reachable, true);
  talk.hears({ state: 'AdminDown' }, 10);
  assert.equal([talk.session.state, talk.session.reachable], ['Down', true]);
  talk.until(5000);
  assert.is(talk.session.reachable, true, 'nor when it is silent after that');
  talk.hears({ state: 'Init' }, 6000);
  talk.hears({ state: 'Down' }, 6010);
  assert.equal([talk.session.state, talk.session.reachable], ['Down', false]);
  assert.is(Talk.started().session.reachable, false, 'before it was up there is nothing to count on');
});

session('a session that fell because we stood still has not failed, if it comes back', () => {
  const slept = (): Talk => {
    const talk = Talk.up();
    talk.until(20);
    // Four seconds of nothing; the neighbour did not hear us.
    talk.hears({ state: 'Down', diagnostic: 'control detection time expired' }, 4000);
    assert.equal([talk.session.state, talk.session.reachable], ['Down', true]);
    return talk;
  };
  const talk = slept();
  talk.until(5000);
  talk.hears({ state: 'Init' }, 5000);
  assert.equal([talk.session.state, talk.session.reachable], ['Up', true]);
  for (let ms = 5000; ms < 12_000; ms += 10) {
    talk.hears({}, ms);
    talk.until(ms + 5);
  }
  assert.equal([talk.session.state, talk.session.reachable], ['Up', true]);
  const gone = slept();
  assert.ok(gone.until(10_000).includes('9000.0 unreachable: it did not come back within 5 s'));
  assert.is(gone.session.reachable, false);
});

session('... also where our own timers notice it first', () => {
  const talk = Talk.up();
  talk.until(20);
  talk.session.timeout(at(4000));
  assert.equal([talk.session.state, talk.session.reachable], ['Down', true]);
  const awake = Talk.up();
  awake.until(200);
  assert.equal([awake.session.state, awake.session.reachable], ['Down', false]);
});

session('each packet puts off the end, and our own min_rx stretches it', () => {
  const talk = Talk.up({ minRx: millis(60) }, { multiplier: 2, minTx: millis(10) });
  for (let ms = 0; ms <= 1000; ms += 100) {
    talk.until(ms);
    talk.hears({ multiplier: 2, minTx: millis(10) }, ms);
  }
  assert.is(talk.session.state, 'Up');
  assert.is(talk.session.status().detectionTime, millis(120));
  talk.until(1119);
  assert.is(talk.session.state, 'Up');
  talk.until(1120);
  assert.is(talk.session.state, 'Down');
});

session('a change is told at once, but not sooner than the neighbour can take it', () => {
  const talk = Talk.started();
  assert.equal(talk.hears({ state: 'Down', minRx: millis(50) }, 10), [
    'Down -> Init: the neighbour was heard',
  ]);
  assert.equal(talk.hears({ state: 'Up', minRx: millis(50) }, 20), ['Init -> Up: both hear each other']);
  assert.match(talk.until(60)[0] ?? '', /^(3[789]|4\d)\.\d says Up P$/);
});

session('answers a poll at once, and not with a poll', () => {
  const talk = Talk.up();
  assert.equal(talk.hears({ poll: true }, 1), ['says Up F']);
});

session('polls until it is answered', () => {
  const talk = Talk.up();
  assert.match(talk.until(9).join(), /says Up P/);
  talk.hears({ final: true }, 9);
  assert.not.match(talk.until(40).join(), / P/);
});

session('a slower pace waits until the neighbour knows, a faster one does not', () => {
  const talk = Talk.up({}, { minRx: millis(1) });
  talk.hears({ final: true, minRx: millis(1) }, 1);
  const pace = (): number => talk.session.status().transmitInterval;
  talk.event({ type: 'change', settings: { ...SETTINGS, minTx: millis(200) } }, 2);
  assert.is(pace(), millis(10));
  talk.until(12);
  assert.is(talk.last?.minTx, millis(200));
  assert.ok(talk.last?.poll);
  talk.hears({ final: true, minRx: millis(1) }, 13);
  assert.is(pace(), millis(200));
  talk.event({ type: 'change', settings: { ...SETTINGS, minTx: millis(20) } }, 14);
  assert.is(pace(), millis(20));
});

session('a shorter detection time waits until the neighbour knows', () => {
  const talk = Talk.up({ minRx: millis(100) });
  talk.hears({ final: true }, 1);
  const detection = (): number => talk.session.status().detectionTime;
  assert.is(detection(), millis(500));
  talk.event({ type: 'change', settings: SETTINGS }, 2);
  assert.is(detection(), millis(500));
  talk.hears({ final: true }, 3);
  assert.is(detection(), millis(50));
});

session('an answer to an older poll does not confirm what changed since', () => {
  const talk = Talk.up({}, { minRx: millis(1) });
  talk.event({ type: 'change', settings: { ...SETTINGS, minTx: millis(200) } }, 1);
  talk.hears({ final: true, minRx: millis(1) }, 2);
  assert.is(talk.session.status().transmitInterval, millis(10));
  talk.hears({ final: true, minRx: millis(1) }, 3);
  assert.is(talk.session.status().transmitInterval, millis(200));
});

session('passive: silent until spoken to, and again when nobody is there', () => {
  const talk = Talk.started({ passive: true });
  assert.equal(talk.until(60_000), []);
  talk.hears({ state: 'Down', yours: 0, minTx: seconds(1) }, 60_000);
  assert.is(talk.last?.state, 'Init');
  assert.is(talk.until(64_900).length > 3, true);
  talk.until(66_000);
  assert.is(talk.session.state, 'Down');
  assert.equal(talk.until(200_000), []);
});

session('a neighbour that wants no packets gets none but answers', () => {
  const talk = Talk.up({}, { minRx: millis(0) });
  talk.hears({ minRx: millis(0), minTx: seconds(60) }, 1);
  assert.equal(talk.until(1000), []);
  assert.equal(talk.hears({ minRx: millis(0), minTx: seconds(60), poll: true }, 1001), ['says Up F']);
});

session('a neighbour in demand mode gets none while both are up, but polls', () => {
  const demanding = { demand: true, minTx: seconds(60) };
  const talk = Talk.up();
  talk.hears({ ...demanding, final: true }, 1);
  assert.equal(talk.until(1000), []);
  talk.event({ type: 'change', settings: { ...SETTINGS, multiplier: 3 } }, 1001);
  assert.match(talk.until(1100).join(), /says Up P/);
});

session('stopped, it says so for the detection time, and then nothing', () => {
  const talk = Talk.up({}, { minTx: seconds(1) });
  assert.equal(talk.event({ type: 'stop' }, 100), ['Up -> AdminDown: stopped', 'says AdminDown']);
  assert.is(talk.last?.diagnostic, 'administratively down');
  assert.equal(talk.hears({}, 101), []);
  const said = talk.until(60_000);
  assert.ok(said.length >= 4 && said.length <= 7, `${said.length} more`);
  assert.is(talk.session.deadline(), undefined);
  assert.equal(talk.event({ type: 'start' }, 70_000), ['AdminDown -> Down: started', 'says Down']);
});

session('counts and remembers', () => {
  const talk = Talk.up();
  talk.until(60);
  const { wentUp, wentDown, received, sent, cause } = talk.session.status();
  assert.equal([wentUp, wentDown, received], [1, 1, 1]);
  assert.is(sent, talk.sent.length);
  assert.is(cause, 'nothing heard of the neighbour for 50 ms');
});

session.run();
