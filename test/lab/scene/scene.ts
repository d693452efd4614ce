import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { showOnFailure, tailOf } from '../../failure.ts';
import { Patience } from '../../patience.ts';
import { Host } from './host.ts';
import { Link } from './link.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { type Logged, Program, type StartOptions } from './program.ts';
import { run } from './run.ts';

const POLL_MILLISECONDS = 50;
/** Far longer than anything here takes. */
const LIMIT_SECONDS = 120;

/**
 * A stage for one story: hosts (network namespaces), machines (kernels of their own), the links between
 * them, and the programs that run there. Make it in a `before` hook and `close()` it in the `after` hook.
 */
export class Scene {
  /** A folder for files of this scene; gone when it closes. */
  readonly folder: string;
  readonly #hosts: Host[] = [];
  readonly #links: Link[] = [];
  readonly #machines: Machine[] = [];
  readonly #programs: Program[] = [];
  readonly #watched: Logged[] = [];

  constructor() {
    if (process.env.LAB_ENCLOSED === undefined) {
      throw new Error(
        'a scene changes the network: run its file by `npm run lab -- FILE`, which encloses it',
      );
    }
    this.folder = join('/run/lab', `scene-${process.pid}`);
    mkdirSync(this.folder, { recursive: true });
    showOnFailure(() => this.tails());
  }

  /** A network segment: an Ethernet switch that hosts and machines join by `on(link, ...)`. */
  link(name: string): Link {
    const link = new Link(this, name);
    this.#links.push(link);
    return link;
  }

  /** A host with nothing but a loopback interface. */
  host(name: string): Host {
    const host = new Host(this, name);
    this.#hosts.push(host);
    return host;
  }

  /** Boots a kernel of its own whose interfaces, named after the links, are wired to them. */
  async machine(name: string, links: readonly Link[] = [], options: MachineOptions = {}): Promise<Machine> {
    const machine = await Machine.boot(this, name, links, options);
    this.#machines.push(machine);
    return machine;
  }

  /** Starts a program beside all hosts; Host.start starts it in one. It is killed when the scene closes. */
  start(name: string, argv: readonly string[], options: StartOptions = {}): Program {
    const program = new Program(name, argv, options);
    this.#programs.push(program);
    this.watch(program);
    return program;
  }

  /** Shows this program's log, too, when a test fails. */
  watch(program: Logged): void {
    this.#watched.push(program);
  }

  /**
   * Waits until the condition holds; gives the milliseconds that it took. While it throws it does not hold: what it
   * asks may not be there yet. After the limit, of seconds in which those in the scene could work (Patience), it throws
   * an error that says what was waited for, and what the condition threw last. The limit is no measure: make it
   * generous.
   */
  async until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    seconds = LIMIT_SECONDS,
  ): Promise<number> {
    const start = performance.now();
    const patience = new Patience(seconds);
    let problem: Error | undefined;
    for (;;) {
      try {
        if (await condition()) return performance.now() - start;
        problem = undefined;
      } catch (error) {
        problem = error as Error;
      }
      if (patience.isOver) {
        const took = ((performance.now() - start) / 1000).toFixed(0);
        const last = problem === undefined ? '' : `; at last: ${problem.message}`;
        throw new Error(`not within ${seconds} s (${took} s on this busy machine): ${what}${last}`);
      }
      await pause(POLL_MILLISECONDS);
    }
  }

  /** What all programs printed since their start: what a test waits for does not scroll away. */
  logs(): string {
    return this.#watched.map(({ log }) => log).join('\n');
  }

  /** The end of what each program printed, and how it stands, to be shown. */
  tails(): string {
    return this.#watched.map(({ name, state, log }) => tailOf(`${name} (${state})`, log)).join('\n');
  }

  /** Ends all programs and removes hosts, links and machines. */
  close(): void {
    for (const program of this.#programs) if (program.running) program.beforeEnd?.();
    for (const machine of this.#machines) machine.powerOff();
    for (const host of this.#hosts) host.kill('SIGKILL');
    for (const program of this.#programs) program.signal('SIGKILL');
    for (const link of this.#links) link.remove();
    for (const host of this.#hosts) run(['ip', 'netns', 'delete', host.name]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Lets time pass. For faults that last a while; to wait for something, use Scene.until. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
