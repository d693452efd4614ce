import type { World } from '../world.ts';
import type { Vip } from './day.ts';
import type { Host } from './host.ts';

/** What is seen from outside that must not be. */
export type CheckName =
  /** Two would answer for an address at the same instant. */
  | 'two holders'
  /** All is well again, and nobody answers for an address. */
  | 'no holder'
  /** All is well again, and the holder changes. */
  | 'no rest';

export class Complaint extends Error {
  override name = 'Complaint';
  readonly check: CheckName;

  constructor(check: CheckName, what: string) {
    super(`${check}: ${what}`);
    this.check = check;
  }
}

/** Looks at the hosts from outside: it knows true time, and who would answer for which address. */
export class Watch {
  readonly #world: World;
  readonly #vips: readonly Vip[];
  readonly #hosts: readonly Host[];
  readonly #trace: ((line: string) => void) | undefined;
  readonly #holders: string[];
  /** How often an address had another holder. */
  changes = 0;

  constructor(
    world: World,
    vips: readonly Vip[],
    hosts: readonly Host[],
    trace: ((line: string) => void) | undefined,
  ) {
    this.#world = world;
    this.#vips = vips;
    this.#hosts = hosts;
    this.#trace = trace;
    this.#holders = vips.map(() => '');
  }

  /** Something may be answered that was not before. */
  look(): void {
    for (const [i, vip] of this.#vips.entries()) {
      const holders = this.#holdersOf(vip);
      const text = holders.join(' and ');
      if (text !== '' && text !== this.#holders[i]) {
        this.changes += 1;
        this.#holders[i] = text;
        this.note(`${text} holds ${vip.address}`);
      }
      if (holders.length > 1) this.#complain('two holders', `${text} hold ${vip.address}`);
    }
  }

  /** Exactly one holds each address, and the same that held it when this was asked for last. */
  outcome(first: boolean): void {
    for (const [i, vip] of this.#vips.entries()) {
      const [holder] = this.#holdersOf(vip);
      if (holder === undefined) this.#complain('no holder', `nobody holds ${vip.address}`);
      else if (!first && this.#holders[i] !== holder)
        this.#complain('no rest', `${holder} holds ${vip.address}, and ${this.#holders[i]} did`);
      this.#holders[i] = holder ?? '';
    }
  }

  /** Whether somebody holds each address. */
  allHeld(): boolean {
    return this.#vips.every((vip) => this.#hosts.some((host) => host.holds(vip)));
  }

  /** A line of the trace. */
  note(what: string): void {
    this.#trace?.(`${seconds(this.#world.now).padStart(12)}  ${what}`);
  }

  get traced(): boolean {
    return this.#trace !== undefined;
  }

  #holdersOf(vip: Vip): string[] {
    const holders: string[] = [];
    for (const host of this.#hosts) if (host.holds(vip)) holders.push(host.name);
    return holders;
  }

  #complain(check: CheckName, what: string): never {
    throw new Complaint(check, `at ${seconds(this.#world.now)}: ${what}`);
  }
}

const seconds = (us: number): string => `${(us / 1e6).toFixed(4)} s`;
