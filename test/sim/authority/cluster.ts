import { Prng } from '../../../src/core/prng.ts';
import { type Duration, micros, seconds } from '../../../src/core/time.ts';
import { World } from '../world.ts';
import { type Environment, type Message, Node, type NodeSettings, type Parts, REAL } from './node.ts';

/** A kind of cluster: who votes, whether promises end, whether directors fence. */
interface Kind {
  readonly directors: number;
  readonly witness: boolean;
  readonly fences: boolean;
  readonly endless: boolean;
}

export const KINDS: Readonly<Record<string, Kind>> = {
  'a pair with a witness': { directors: 2, witness: true, fences: false, endless: false },
  'a pair that fences': { directors: 2, witness: false, fences: true, endless: true },
  'a pair with a witness that fences': { directors: 2, witness: true, fences: true, endless: false },
  'three directors': { directors: 3, witness: false, fences: false, endless: false },
  'three directors that fence': { directors: 3, witness: false, fences: true, endless: false },
  'five directors': { directors: 5, witness: false, fences: false, endless: false },
};

export interface Outcome {
  readonly seed: number;
  readonly kind: string;
  /** What was seen that must not be: `two holders`, `no holder`. */
  readonly failure?: string;
  readonly changes: number;
}

const RENEWAL = seconds(1);
const DAY = 120 * RENEWAL;
/** After the last fault: the longest promise, attempts of all, boots. */
const CALM = 80 * RENEWAL;
const FAULTS = 14;
/** Of messages, in renewals, at most: most are quick, some overtaken by many. */
const QUICK = 0.05;
const DELAYS = [...Array<number>(40).fill(QUICK), 3, 12];
const MARGIN = 0.01;

/** Plays one seeded bad day. `drift`: how many times the margin the clocks really differ. */
export function play(seed: number, parts: Parts = REAL, drift = 1, trace?: (line: string) => void): Outcome {
  return new Cluster(seed, parts, drift, trace).play();
}

class Cluster implements Environment {
  readonly world = new World();
  readonly parts: Parts;
  readonly #seed: number;
  readonly #kindName: string;
  readonly #prng: Prng;
  readonly #nodes: Node[];
  readonly #trace: ((line: string) => void) | undefined;
  readonly #cuts = new Map<string, number>();
  #loss = 0;
  /** Nothing goes wrong any more. */
  #calm = false;
  #holders = '';
  #changes = 0;
  #failure: string | undefined;
  /** How long the fence device works; whether it does. */
  #fenceWorks = true;

  constructor(seed: number, parts: Parts, drift: number, trace?: (line: string) => void) {
    this.#seed = seed;
    this.parts = parts;
    this.#trace = trace;
    this.#prng = new Prng(seed);
    this.#kindName = this.#prng.pick(Object.keys(KINDS));
    const kind = KINDS[this.#kindName] as Kind;
    const names = Array.from({ length: kind.directors }, (_, i) => `d${i}`);
    const voters = kind.witness ? [...names, 'w'] : names;
    const longest: Duration = micros(RENEWAL * this.#prng.between(3, 5));
    this.#nodes = voters.map((name, rank) => {
      const settings: NodeSettings = {
        name,
        rank,
        isDirector: name !== 'w',
        voters,
        voter: { longest, margin: MARGIN },
        promise: kind.endless ? undefined : micros(longest - this.#prng.between(0, 1) * RENEWAL),
        renewal: RENEWAL,
        fences: kind.fences,
        clockRate: 1 + (this.#prng.unit() - 0.5) * MARGIN * drift * 0.99,
        clockOffset: this.#prng.between(0, 1e9),
      };
      return new Node(settings, this);
    });
  }

  play(): Outcome {
    for (const node of this.#nodes) this.world.at(this.#prng.unit() * 3 * RENEWAL, () => node.boot());
    for (let fault = 0; fault < FAULTS; fault++) {
      this.world.at(this.#prng.unit() * DAY, () => this.#fault());
    }
    this.world.at(DAY + 10 * RENEWAL, () => this.#mend());
    this.world.run(DAY + CALM);
    this.#failure ??= this.#outcome();
    const failure = this.#failure === undefined ? {} : { failure: this.#failure };
    return { seed: this.#seed, kind: this.#kindName, changes: this.#changes, ...failure };
  }

  /** In the calm after the last fault exactly one holds: all are connected. */
  #outcome(): string | undefined {
    return this.#nodes.filter(({ holds }) => holds).length === 1 ? undefined : 'no holder';
  }

  // What nodes need.

  look(): void {
    const holders = this.#nodes.filter(({ holds }) => holds).map(({ settings }) => settings.name);
    const text = holders.join(' and ');
    if (text === this.#holders) return;
    this.#holders = text;
    this.#changes += 1;
    this.#say(text === '' ? 'nobody holds' : `${text} holds`);
    if (holders.length > 1) this.#failure ??= 'two holders';
  }

  send(message: Message, to: string | undefined): void {
    for (const node of this.#nodes) {
      const { name } = node.settings;
      if (name === message.from || (to !== undefined && to !== name)) continue;
      const copies = !this.#calm && this.#prng.chance(0.02) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if ((this.#cuts.get(`${message.from}>${name}`) ?? 0) > 0 || this.#prng.chance(this.#loss)) continue;
        // Most are quick; some overtake others by far.
        const delay = this.#prng.unit() * (this.#calm ? QUICK : this.#prng.pick(DELAYS)) * RENEWAL;
        this.world.at(this.world.now + delay, () => node.receive(message));
      }
    }
  }

  fence(by: Node, target: string): void {
    const takes = this.#prng.unit() * 6 * RENEWAL;
    const works = this.#fenceWorks && !this.#prng.chance(0.2);
    this.#say(`${by.settings.name} fences ${target}${works ? '' : ', in vain'}`);
    const node = this.#node(target);
    const done = this.world.now + takes;
    this.world.at(done, () => {
      if (!works || node === undefined) return by.fenceDone(target, done, false);
      node.powerOff();
      this.#say(`${target} is off`);
      by.fenceDone(target, done, true);
      // Somebody switches it on again.
      this.world.at(done + this.#prng.unit() * 20 * RENEWAL, () => node.boot());
    });
  }

  isOff(target: string): boolean {
    return this.#node(target)?.on === false;
  }

  #node(name: string): Node | undefined {
    return this.#nodes.find(({ settings }) => settings.name === name);
  }

  // Faults.

  #fault(): void {
    const prng = this.#prng;
    const node = prng.pick(this.#nodes);
    const { name } = node.settings;
    const lasts = prng.unit() * (prng.chance(0.3) ? 30 : 6) * RENEWAL;
    const end = this.world.now + lasts;
    const others = this.#nodes.filter((other) => other !== node).map(({ settings }) => settings.name);
    const bootLater = (): void => this.world.at(end, () => node.boot());
    const faults: Readonly<Record<string, () => void>> = {
      sleep: () => node.sleep(lasts),
      crash: () => {
        node.crash();
        bootLater();
      },
      power: () => {
        node.powerOff();
        bootLater();
      },
      stop: () => {
        node.stop();
        bootLater();
      },
      yield: () => node.yield(),
      cut: () => this.#cut([`${name}>${others[0]}`, `${others[0]}>${name}`], end),
      deaf: () => this.#cut([`${others[0]}>${name}`], end),
      alone: () => {
        const ways = others.flatMap((other) => [`${name}>${other}`, `${other}>${name}`]);
        this.#cut(ways, end);
      },
      loss: () => {
        this.#loss = 0.3;
        this.world.at(end, () => {
          this.#loss = 0;
        });
      },
      fence: () => {
        this.#fenceWorks = false;
        this.world.at(end, () => {
          this.#fenceWorks = true;
        });
      },
    };
    const kind = prng.pick(Object.keys(faults));
    this.#say(`${kind} ${name} for ${(lasts / RENEWAL).toFixed(1)}`);
    faults[kind]?.();
  }

  #cut(ways: readonly string[], end: number): void {
    const by = (step: number): void => {
      for (const way of ways) this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + step);
    };
    by(1);
    this.world.at(end, () => by(-1));
  }

  #mend(): void {
    this.#calm = true;
    this.#cuts.clear();
    this.#loss = 0;
    this.#fenceWorks = true;
    for (const node of this.#nodes) node.boot();
  }

  #say(text: string): void {
    this.#trace?.(`${(this.world.now / RENEWAL).toFixed(3).padStart(8)}  ${text}`);
  }
}
