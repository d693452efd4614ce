import { pause } from '../lab/scene/scene.ts';
import type { DaemonName } from './daemon.ts';
import { FaultPair } from './fault-pair.ts';
import type { StripManner } from './fence-agent.ts';
import { type Bench, type Benchmark, measure } from './measure.ts';
import type { Column, Figures, Section, Target } from './result.ts';
import { PATIENCE_SECONDS, VISITS_A_SECOND } from './visitor.ts';

/** How long a fault lasts: the backup has taken over long before, if it does. */
const LASTS_MILLISECONDS = 8000;
const NEVER: Target = { text: '0', met: (vipkeeper) => vipkeeper === 0 };

/** What befalls a pair of which the first director is master, from beginning to end. */
interface PairFault {
  readonly name: string;
  /** It is about what protects the pair, which keepalived's has not. */
  readonly about?: 'witness' | 'fence devices';
  /** Where nobody can know better: two answer. */
  readonly unsafe?: boolean;
  readonly act: (pair: FaultPair) => Promise<void>;
}

const lasts = (): Promise<void> => pause(LASTS_MILLISECONDS);

/** The directors are apart, and the other one's device does that. */
const fenced = (name: string, manner: StripManner, unsafe = false): PairFault => ({
  name: `apart, the fence device ${name}`,
  about: 'fence devices',
  unsafe,
  async act(pair) {
    pair.behave(manner);
    pair.part(true);
    await lasts();
    pair.behave('works');
    pair.part(false);
    for (const i of [0, 1] as const) await pair.reboot(i);
  },
});

const FAULTS: readonly PairFault[] = [
  {
    name: 'daemon frozen',
    async act(pair) {
      pair.freeze(0, 'SIGSTOP');
      await lasts();
      pair.freeze(0, 'SIGCONT');
    },
  },
  {
    name: 'daemon killed, started again',
    async act(pair) {
      pair.crash(0);
      await lasts();
      pair.start(0);
    },
  },
  {
    name: 'all cables of the master cut',
    async act(pair) {
      pair.cut(0);
      await lasts();
      pair.mend(0);
    },
  },
  {
    name: 'directors apart, clients hear both',
    async act(pair) {
      pair.part(true);
      await lasts();
      pair.part(false);
    },
  },
  {
    name: 'the backup hears nothing',
    async act(pair) {
      pair.deafen(1, true);
      await lasts();
      pair.deafen(1, false);
    },
  },
  {
    name: 'the master hears nothing',
    async act(pair) {
      pair.deafen(0, true);
      await lasts();
      pair.deafen(0, false);
    },
  },
  {
    name: '30 % of all packets lost',
    async act(pair) {
      pair.lose(30);
      await lasts();
      pair.lose(0);
    },
  },
  {
    name: 'both killed and booted at once',
    async act(pair) {
      pair.crash(0);
      pair.crash(1);
      pair.start(0);
      pair.start(1);
      await lasts();
    },
  },
  {
    name: 'both booted apart',
    async act(pair) {
      pair.crash(0);
      pair.crash(1);
      pair.part(true);
      pair.start(0);
      pair.start(1);
      await lasts();
      pair.part(false);
    },
  },
  {
    name: 'apart, and the master frozen',
    async act(pair) {
      pair.part(true);
      await lasts();
      pair.freeze(0, 'SIGSTOP');
      await lasts();
      pair.freeze(0, 'SIGCONT');
      pair.part(false);
    },
  },
  {
    name: 'witness killed, started again',
    about: 'witness',
    async act(pair) {
      pair.killWitness();
      await lasts();
      pair.startWitness();
    },
  },
  {
    name: 'master killed while there is no witness',
    about: 'witness',
    async act(pair) {
      pair.killWitness();
      pair.crash(0);
      await lasts();
      pair.startWitness();
      pair.start(0);
    },
  },
  fenced('works', 'works'),
  fenced('hangs', 'hangs'),
  fenced('fails', 'fails'),
  fenced('works too late', 'late'),
  fenced('lies', 'lies', true),
];

const two = (name: string): string => `${name}: two`;
const nobody = (name: string): string => `${name}: nobody`;
const failed = (name: string): string => `${name}: visits failed`;
const COLUMNS: readonly Column[] = FAULTS.flatMap(({ name, unsafe = false }) => [
  { label: two(name), unit: 'ms', ...(!unsafe && { target: NEVER }) },
  { label: nobody(name), unit: 'ms' },
  { label: failed(name), unit: '' },
]);

/**
 * For how long two directors answered for the virtual address, and nobody, and what visitors saw of it, by what befell
 * them.
 */
export const faults: Benchmark = {
  name: 'faults',
  about: 'a pair cut, frozen, killed, parted: how long two answer for the VIP, and nobody; visits that fail',
  run: async (bench) => [await inTurn(bench)],
};

function inTurn(bench: Bench): Promise<Section> {
  const rounds = bench.effort.quick ? 1 : 3;
  return measure(bench, {
    title: 'Faults: who answers for the VIP by ARP, ping and TCP, adverts each second',
    note:
      `asked every 4 ms from outside; each fault lasts ${LASTS_MILLISECONDS / 1000} s; n = ${rounds}; ` +
      'vipkeeper with a witness, or with fence devices and none; ' +
      '"nobody" after a master that died is what the protocol waits (3.6 s); visits are new connections, ' +
      `${VISITS_A_SECOND} a second, for a page of the director itself, and fail after ${PATIENCE_SECONDS} s of silence`,
    columns: COLUMNS,
    rounds,
    once: async (daemon) => {
      const figures: Record<string, number> = {};
      for (const fault of FAULTS) Object.assign(figures, await suffer(bench, daemon, fault));
      return figures;
    },
  });
}

async function suffer(bench: Bench, daemon: DaemonName, fault: PairFault): Promise<Figures> {
  if (fault.about !== undefined && daemon === 'keepalived') return {};
  const pair = new FaultPair(daemon, fault.about ?? 'witness');
  try {
    await pair.open();
    await fault.act(pair);
    await pair.settle();
    const [found, visits] = [await pair.holders(), await pair.visits()];
    bench.progress(
      `${fault.name}: ${daemon}: two answer for ${found.two.toFixed(0)} ms, nobody for ` +
        `${found.nobody.toFixed(0)} ms; ${visits.failed} of ${visits.tried} visits failed`,
    );
    return {
      [two(fault.name)]: found.two,
      [nobody(fault.name)]: found.nobody,
      [failed(fault.name)]: visits.failed,
    };
  } finally {
    pair.close();
  }
}
