import * as assert from 'uvu/assert';
import { type Ip, ip } from '../../src/core/ip.ts';
import { after, type Instant, instant, millis, seconds } from '../../src/core/time.ts';
import { VrrpInstance } from '../../src/core/vrrp/instance.ts';
import type { Datagram } from '../../src/core/vrrp/packet.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import { SETTINGS } from '../core/vrrp/router.ts';
import { suite } from '../suite.ts';

/**
 * Two routers and every course of events of a given length: each period is a good one, or one direction or both
 * are lost, or one router sleeps or restarts. From whatever state that led to, as soon as they hear each other one
 * yields, and one stays. `swarm.test.ts` samples a larger world; this leaves nothing of a small one out.
 */
const PERIODS = process.env.VIPKEEPER_LONG === '1' ? 6 : 4;
/** Longer than an advert interval, and three of them longer than a master-down interval. */
const PERIOD = millis(1500);
/** Two that hear each other: an advert passes at least each second, and the answer to it comes at once. */
const TO_YIELD = millis(1500);
/** After a sleep silence must be heard once more, and preemption needs a whole down interval. */
const TO_REST = seconds(12);

const MOST_TURNS = 20;

const COURSES = [
  'well',
  'first deaf',
  'second deaf',
  'apart',
  'first sleeps',
  'second sleeps',
  'first restarts',
];
type Course = (typeof COURSES)[number];

class Router {
  readonly settings: VrrpSettings;
  readonly source: Ip;
  #machine: VrrpInstance;
  #socket: Datagram[] = [];

  constructor(settings: VrrpSettings, source: Ip, now: Instant) {
    this.settings = settings;
    this.source = source;
    this.#machine = this.#started(now);
  }

  #started(now: Instant): VrrpInstance {
    const machine = new VrrpInstance(this.settings);
    machine.handle({ type: 'link', up: true, source: this.source, why: 'up' }, now);
    machine.handle({ type: 'start' }, now);
    return machine;
  }

  get isMaster(): boolean {
    return this.#machine.status().state === 'MASTER';
  }

  /** A crash: the peers hear nothing of it. */
  restart(now: Instant): void {
    this.#machine = this.#started(now);
    this.#socket = [];
  }

  arrived(adverts: readonly Datagram[]): void {
    this.#socket.push(...adverts);
  }

  get deadline(): number {
    return this.#machine.deadline() ?? Number.POSITIVE_INFINITY;
  }

  /** The socket first, then the timers, as the shell does. Returns what it sends. */
  turn(now: Instant): Datagram[] {
    for (const packet of this.#socket) this.#machine.handle({ ...packet, type: 'packet' }, now);
    this.#socket = [];
    if (this.deadline <= now) this.#machine.timeout(now);
    return this.#machine.take().filter((effect) => effect.type === 'send');
  }
}

class Pair {
  readonly #first: Router;
  readonly #second: Router;
  #now = instant(1e9);

  constructor(first: Partial<VrrpSettings>, second: Partial<VrrpSettings>) {
    this.#first = new Router({ ...SETTINGS, ...first }, ip('10.0.0.1'), this.#now);
    this.#second = new Router({ ...SETTINGS, ...second }, ip('10.0.0.2'), this.#now);
  }

  masters(): number {
    return Number(this.#first.isMaster) + Number(this.#second.isMaster);
  }

  get firstIsMaster(): boolean {
    return this.#first.isMaster;
  }

  live(course: Course): void {
    if (course === 'first restarts') this.#first.restart(this.#now);
    this.#run(course, after(this.#now, PERIOD));
  }

  /** All is well from now on. */
  rest(): void {
    this.#run('well', after(this.#now, TO_YIELD));
    this.#run('well', after(this.#now, TO_REST), () => {
      if (this.masters() > 1) throw new Error('two masters that hear each other');
    });
    if (this.masters() !== 1) throw new Error('no master');
  }

  /** Up to `end`; `look` is called whenever nothing is on its way any more. */
  #run(course: Course, end: Instant, look?: () => void): void {
    const awake = [this.#first, this.#second].filter(
      (router) =>
        router !== (course === 'first sleeps' ? this.#first : undefined) &&
        router !== (course === 'second sleeps' ? this.#second : undefined),
    );
    for (;;) {
      this.#settle(course, awake);
      look?.();
      const next = Math.min(...awake.map(({ deadline }) => deadline));
      if (next > end) break;
      this.#now = instant(Math.max(next, this.#now));
    }
    this.#now = end;
  }

  /** Lets packets go to and fro until all is said. */
  #settle(course: Course, awake: readonly Router[]): void {
    for (let said = true, turns = 0; said; turns++) {
      if (turns > MOST_TURNS) throw new Error('they do not come to rest');
      said = false;
      for (const router of awake) {
        const sent = router.turn(this.#now);
        const other = router === this.#first ? this.#second : this.#first;
        const deaf = router === this.#first ? 'second deaf' : 'first deaf';
        if (course !== 'apart' && course !== deaf) other.arrived(sent);
        said ||= sent.length > 0;
      }
    }
  }
}

/** Every sequence of courses. */
function* histories(length: number): Generator<readonly Course[]> {
  if (length === 0) yield [];
  else for (const rest of histories(length - 1)) for (const course of COURSES) yield [course, ...rest];
}

const KINDS: readonly [name: string, Partial<VrrpSettings>, Partial<VrrpSettings>][] = [
  ['different priorities', { priority: 200 }, { priority: 100 }],
  ['equal priorities', {}, {}],
  ['nopreempt', { priority: 200, preempt: false }, { priority: 100, preempt: false }],
  ['the better one waits', { priority: 200, preemptDelay: seconds(2) }, { priority: 100 }],
  ['the owner and a backup', { priority: 255, initial: 'MASTER' }, { priority: 100 }],
  ['version 2', { version: 2, priority: 200 }, { version: 2, priority: 100 }],
];

const test = suite(`all courses of ${PERIODS} periods`);

for (const [name, first, second] of KINDS) {
  test(name, () => {
    let count = 0;
    for (const history of histories(PERIODS)) {
      const pair = new Pair(first, second);
      try {
        for (const course of history) pair.live(course);
        pair.rest();
        if (first.preempt !== false && first.priority !== undefined)
          assert.ok(pair.firstIsMaster, 'the better one serves');
      } catch (error) {
        throw new Error(`${(error as Error).message} after: ${history.join(', ')}`);
      }
      count += 1;
    }
    assert.is(count, COURSES.length ** PERIODS);
  });
}

test('a router that never yields is found', () => {
  const stubborn: Partial<VrrpSettings> = { priority: 255, ownerIgnores: true };
  const pair = new Pair(stubborn, stubborn);
  assert.throws(() => pair.rest(), /two masters/);
});

test.run();
