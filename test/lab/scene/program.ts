import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const KEPT_LINES = 20_000;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Opens a channel for messages: the program is a Node program that uses process.send. */
  readonly messages?: boolean;
}

/** What a failed wait shows of a program. */
export interface Logged {
  readonly name: string;
  readonly log: string;
  readonly state: string;
}

/** A program that runs in a scene, with what it printed. */
export class Program implements Logged {
  readonly name: string;
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  /** Done before it is asked to end, or the scene closes. */
  beforeEnd?: () => void;
  #rest = '';
  #error = '';

  constructor(name: string, argv: readonly string[], options: StartOptions = {}) {
    const [program = '', ...rest] = argv;
    this.name = name;
    this.child = spawn(program, rest, {
      env: { ...process.env, ...options.env },
      stdio: options.messages ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
    });
    this.child.on('error', (error) => {
      this.#error = error.message;
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    }
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines);
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
  }

  /** What it printed: the last 20,000 lines, of both streams. */
  get log(): string {
    return [...this.#lines, this.#rest].join('\n');
  }

  get running(): boolean {
    return this.#error === '' && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** How it stands, in a few words: `running`, `exit status 1`, `ended by SIGKILL`. */
  get state(): string {
    if (this.#error !== '') return `did not start: ${this.#error}`;
    if (this.running) return 'running';
    return this.child.signalCode ? `ended by ${this.child.signalCode}` : `exit status ${this.child.exitCode}`;
  }

  /** Sends a signal to the process (not to its children: for these there is Host.kill). */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Asks it to end (SIGTERM), and gives its state when it has ended. */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<string> {
    if (this.running) {
      this.beforeEnd?.();
      this.child.kill(name);
      await once(this.child, 'exit');
    }
    return this.state;
  }
}
