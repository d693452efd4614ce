import { Ensemble } from '../../../src/core/director/ensemble.ts';
import type { RouteEvent } from '../../../src/core/netlink/events.ts';
import type { Instant } from '../../../src/core/time.ts';
import type { Host } from './host.ts';

/** A shell that woke too early tries again no sooner than this. */
const SHORTEST_TIMER = 200;
/** So often machines are due in one turn. */
const MAX_ROUNDS = 100;

/** A process on a host: machines, as `io/drive.ts` runs them. It may be stopped, and die. */
export abstract class Process {
  readonly host: Host;
  #ensemble: Ensemble | undefined;
  #inbox: (() => void)[] = [];
  #frozenTo = 0;
  #wakePlanned = false;
  #waking = false;
  #life = 0;
  /** When the next timer fires, by the host's clock. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** The clock that it reads stands while it does: that is what is wrong with it. */
  readonly #standsStill: boolean;
  /** How long its clock has stood. */
  #behind = 0;

  constructor(host: Host, standsStill = false) {
    this.host = host;
    this.#standsStill = standsStill;
    host.processes.push(this);
  }

  get alive(): boolean {
    return this.#ensemble !== undefined;
  }

  /** As this process reads the clock. */
  get now(): Instant {
    return (this.host.now - this.#behind) as Instant;
  }

  /** Does nothing where it runs, or there is no power. */
  start(): void {
    if (this.alive || !this.host.on) return;
    const ensemble = new Ensemble();
    ensemble.begin(this.now);
    this.#ensemble = ensemble;
    this.begin(ensemble);
    this.wake();
  }

  /** Machines join. */
  protected abstract begin(ensemble: Ensemble): void;
  /** News of the kernel, at once. */
  abstract hear(event: RouteEvent): void;

  /** SIGKILL. */
  kill(): void {
    this.#ensemble = undefined;
    this.#inbox = [];
    this.#life += 1;
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#frozenTo = 0;
  }

  /** SIGSTOP, and SIGCONT. */
  freeze(duration: number): void {
    if (!this.alive) return;
    this.#frozenTo = Math.max(this.#frozenTo, this.host.world.now + duration);
    this.host.world.at(this.#frozenTo, () => this.wake());
    this.stood(duration);
  }

  /** It gets no CPU for so long. */
  stood(duration: number): void {
    if (this.#standsStill) this.#behind += duration;
  }

  /** Something for the process, which deals with it when it gets the CPU. */
  post(act: () => void): void {
    if (!this.alive) return;
    this.#inbox.push(act);
    if (this.#wakePlanned || this.#waking) return;
    if (this.host.latency === 0) {
      this.wake();
      return;
    }
    this.#wakePlanned = true;
    this.host.world.at(this.host.world.now + this.#delay, () => {
      this.#wakePlanned = false;
      this.wake();
    });
  }

  /** All events, then the timers. */
  wake(): void {
    const ensemble = this.#ensemble;
    if (ensemble === undefined || this.#waking) return;
    if (this.host.frozen || this.host.world.now < this.#frozenTo) return;
    this.#waking = true;
    ensemble.begin(this.now);
    for (let act = this.#inbox.shift(); act !== undefined; act = this.#inbox.shift()) act();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const due = this.#ensemble?.deadline();
      if (due === undefined || due > this.now) break;
      ensemble.timeout(this.now);
    }
    this.#waking = false;
    if (this.#inbox.length > 0) this.post(() => {});
    this.#arm(this.#ensemble?.deadline());
  }

  /** A timer that is planned already, and is early enough, will arm the next. */
  #arm(due: Instant | undefined): void {
    if (due === undefined) return;
    const { host } = this;
    const at = Math.max(due + this.#behind, host.now + SHORTEST_TIMER) + this.#delay;
    if (at >= this.#armedFor) return;
    this.#armedFor = at;
    const life = this.#life;
    host.at(at, () => {
      if (life !== this.#life || at !== this.#armedFor) return;
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  get #delay(): number {
    return this.host.latency === 0 ? 0 : this.host.prng.unit() * this.host.latency;
  }
}
