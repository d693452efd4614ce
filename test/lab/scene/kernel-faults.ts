import * as assert from 'uvu/assert';
import type { DaemonName } from '../../bench/daemon.ts';
import { repetitions } from '../../repetitions.ts';
import { suite } from '../../suite.ts';
import { CONNECTIONS, type Cost, KernelPair } from './kernel-pair.ts';
import { pause } from './scene.ts';

const HOUR = 3600;
/** Longer than a takeover takes. */
const LASTS_MILLISECONDS = 8000;
/** A long run sees each fault more often. */
const TIMES = repetitions(1, 3);

/**
 * This kernel has no nftables for IP, so that a lease is an address's lifetime: one that was frozen answers what waited
 * in its queue before its timer takes the address away.
 */
const QUEUE_MILLISECONDS = 100;

/** What befalls a pair of which the first director is master. */
interface KernelFault {
  readonly name: string;
  /** Nothing is to move. */
  readonly harmless?: boolean;
  /** So long two may answer. */
  readonly two?: number;
  readonly times: number;
  readonly act: (pair: KernelPair) => Promise<void>;
}

const lasts = (): Promise<void> => pause(LASTS_MILLISECONDS);

/** The wall clock of a director goes by so many seconds, away from the other one's or back: of that people are told. */
const stepped = (i: 0 | 1, by: number, away: boolean): KernelFault => ({
  name: `wall clock of the ${i === 0 ? 'master' : 'backup'} ${by > 0 ? '+' : '-'}1 h`,
  harmless: true,
  times: 1,
  async act(pair) {
    const { scene, daemon, directors } = pair;
    await directors[i].run(`date -s "@$(($(date +%s) + ${by}))"`);
    await lasts();
    const told = new RegExp(
      `the clock of ${directors[i].name} is 3[56]\\d\\d\\.\\d s (ahead of|behind) ours`,
    );
    if (away && daemon === 'vipkeeper')
      await scene.until('people are told', () => told.test(pair.daemonOf(i === 0 ? 1 : 0).log));
  },
});

const FAULTS: readonly KernelFault[] = [
  {
    name: 'the master’s kernel frozen, thawed',
    two: QUEUE_MILLISECONDS,
    times: TIMES,
    async act({ directors: [one] }) {
      one.freeze();
      await lasts();
      one.thaw();
    },
  },
  {
    name: 'the backup’s kernel frozen, thawed',
    harmless: true,
    times: TIMES,
    async act({ directors: [, two] }) {
      two.freeze();
      await lasts();
      two.thaw();
    },
  },
  {
    name: 'the master’s processes stopped',
    times: TIMES,
    async act(pair) {
      await pair.signal(0, 'STOP');
      await lasts();
      await pair.signal(0, 'CONT');
    },
  },
  {
    name: 'the master’s processes killed, started again',
    times: TIMES,
    async act(pair) {
      await pair.signal(0, 'KILL');
      await lasts();
      pair.start(0);
    },
  },
  {
    name: 'the master’s cable cut, mended',
    times: TIMES,
    async act({ lan, directors: [one] }) {
      lan.cut(one);
      await lasts();
      lan.mend(one);
    },
  },
  {
    name: 'directors apart, clients hear both',
    times: TIMES,
    async act({ lan, directors }) {
      lan.part(directors, true);
      await lasts();
      lan.part(directors, false);
    },
  },
  ...([0, 1] as const).flatMap((i) => [
    stepped(i, HOUR, true),
    stepped(i, -HOUR, false),
    stepped(i, -HOUR, true),
    stepped(i, HOUR, false),
  ]),
  {
    name: 'the master’s kernel killed',
    times: 1,
    async act({ directors: [one] }) {
      one.powerOff();
      await lasts();
    },
  },
];

/**
 * What befalls a pair of kernels, and what it costs, measured from outside by ARP, pings and TCP. With vipkeeper two
 * never answer, and no connection through IPVS is lost. Of keepalived the figures are printed, to be seen beside.
 */
export function playKernelFaults(daemon: DaemonName): void {
  const story = suite(`faults of a pair of kernels: ${daemon}`);
  let pair: KernelPair;
  story.before(async () => {
    pair = await KernelPair.boot(daemon);
  });
  story.after(() => pair.close());
  const check = daemon === 'vipkeeper' ? costsNothing : () => undefined;

  for (const fault of FAULTS) {
    story(fault.name, async () => {
      for (let time = 0; time < fault.times; time++) {
        const cost = await pair.suffer(fault.act);
        console.log(`  ${daemon}: ${fault.name.padEnd(46)} ${inWords(cost)}`);
        check(fault, cost);
      }
    });
  }

  story('the other one’s daemon ran through it all', () => {
    assert.is(pair.daemonOf(1).state, 'running');
  });

  story.run();
}

function inWords({ two, nobody, lost }: Cost): string {
  const [both, none] = [two, nobody].map((each) => each.toFixed(0).padStart(6));
  return `two ${both} ms, nobody ${none} ms, ${lost} of ${CONNECTIONS} connections lost`;
}

function costsNothing({ name, harmless, two: most = 0 }: KernelFault, { two, lost, moved }: Cost): void {
  assert.ok(Math.round(two) <= most, `${name}: two answered for ${two} ms`);
  assert.is(lost, 0, `${name}: connections were lost`);
  if (harmless) assert.not.ok(moved, `${name}: the other one took over`);
}
