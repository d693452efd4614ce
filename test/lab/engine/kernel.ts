import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { disturbanceOfTurns, Patience, waitsBelow } from '../../patience.ts';
import { describeExit, type Env, type ExitStatus, FrameReader, type FromAgent, frameLine } from './frames.ts';
import { Outbox } from './outbox.ts';
import { compiled, ROOT } from './root.ts';

/** Generous: boots take two to six seconds. */
const BOOT_LIMIT_SECONDS = 90;
const LOOK_MILLISECONDS = 1000;
const CONSOLE_LINES = 25;

export interface KernelOptions {
  /** Unique in the enclosure; the kernel's console goes to FOLDER/NAME.console. */
  readonly name: string;
  /** A folder of this machine that the kernel sees, writable, as /lab. */
  readonly folder: string;
  readonly memoryMiB?: number;
  /** Taps of this machine that become vec0, vec1 ... inside. */
  readonly taps?: readonly string[];
  readonly init?: 'plain' | 'systemd';
  /** Another root than this machine's file system. */
  readonly tree?: string;
}

export interface Outcome {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is called with each piece of a program's output. */
export type OnOutput = (stream: 'out' | 'err', text: string) => void;

interface Command {
  readonly onOutput: OnOutput;
  readonly end: (status: ExitStatus) => void;
  readonly fail: (error: Error) => void;
}

/** A program that runs in a kernel; `ended` rejects when the kernel dies first. */
export interface Remote {
  readonly ended: Promise<ExitStatus>;
  kill(signal?: NodeJS.Signals): void;
}

/**
 * A whole Linux kernel of its own, as a process: Debian's user-mode-linux, its root an overlay on this
 * machine's files, an agent inside that runs commands. Works in an enclosure only: that is what cleans up
 * after it.
 */
export class Kernel {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #line: Duplex;
  readonly #outbox: Outbox;
  readonly #consoleFile: string;
  readonly #commands = new Map<number, Command>();
  #lastId = 0;
  #dead: Error | undefined;

  private constructor(name: string, process: ChildProcess, consoleFile: string) {
    this.name = name;
    this.#process = process;
    this.#consoleFile = consoleFile;
    this.#line = process.stdio[3] as Duplex;
    this.#outbox = new Outbox((piece) => this.#line.write(piece));
  }

  /** Boots a kernel and waits for its agent. The error of a boot that fails has the console's end. */
  static async boot(options: KernelOptions): Promise<Kernel> {
    mkdirSync(options.folder, { recursive: true });
    const consoleFile = join(options.folder, `${options.name}.console`);
    const consoleFd = openSync(consoleFile, 'w');
    const child = spawn('linux.uml', bootArguments(options), {
      stdio: ['ignore', consoleFd, consoleFd, 'pipe'],
      // Where the kernel's memory lies: on a disk it would be slow.
      env: { ...process.env, TMPDIR: '/dev/shm', LD_PRELOAD: join(ROOT, 'build/registers.so') },
      detached: true,
    });
    closeSync(consoleFd);
    const kernel = new Kernel(options.name, child, consoleFile);
    try {
      await kernel.#untilReady();
    } catch (error) {
      kernel.powerOff();
      throw error;
    }
    kernel.#tellWhatIsStolen();
    return kernel;
  }

  /**
   * Tells the kernel again and again how long this machine has not let it run: its own clock went on, and what is
   * waited for inside could not.
   */
  #tellWhatIsStolen(): void {
    let [before, at, stolen] = [waitsBelow(this.pid), performance.now(), 0];
    const looks = setInterval(() => {
      const [after, now] = [waitsBelow(this.pid), performance.now()];
      const passed = now - at;
      stolen += Math.min(disturbanceOfTurns(before, after, passed), passed);
      [before, at] = [after, now];
      this.#outbox.send(frameLine({ kind: 'stolen', milliseconds: Math.round(stolen) }));
    }, LOOK_MILLISECONDS).unref();
    this.#process.on('exit', () => clearInterval(looks));
  }

  /** Process id of the kernel on this machine. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async #untilReady(): Promise<void> {
    const frames = new FrameReader<FromAgent>();
    await new Promise<void>((resolve, reject) => {
      const patience = new Patience(BOOT_LIMIT_SECONDS, LOOK_MILLISECONDS);
      const limit = setInterval(() => {
        if (patience.isOver) reject(this.#error(`did not boot within ${BOOT_LIMIT_SECONDS} s`));
      }, LOOK_MILLISECONDS);
      const die = (why: string): void => {
        clearInterval(limit);
        this.#dead ??= this.#error(why);
        reject(this.#dead);
        for (const command of this.#commands.values()) command.fail(this.#dead);
        this.#commands.clear();
      };
      this.#process.on('error', (error) => die(`did not start: ${error.message}`));
      this.#process.on('exit', (code, signal) => die(`ended (${signal ?? `status ${code}`})`));
      this.#line.on('error', () => undefined);
      this.#line.setEncoding('utf8').on('data', (piece: string) => {
        for (const frame of frames.read(piece)) {
          if (frame.kind === 'ready') {
            clearInterval(limit);
            resolve();
          } else this.#answer(frame);
        }
      });
    });
  }

  #answer(frame: Exclude<FromAgent, { kind: 'ready' }>): void {
    if (frame.kind === 'taken') {
      this.#outbox.taken(frame.bytes);
      return;
    }
    const command = this.#commands.get(frame.id);
    if (frame.kind === 'output') command?.onOutput(frame.stream, frame.text);
    else if (this.#commands.delete(frame.id)) command?.end(frame.status);
  }

  #error(what: string): Error {
    return new Error(`kernel ${this.name} ${what}; the end of its console:\n${this.consoleEnd()}`);
  }

  /** All that the kernel, and systemd as its init, wrote on the console. */
  console(): string {
    return existsSync(this.#consoleFile) ? readFileSync(this.#consoleFile, 'utf8') : '';
  }

  /** The last lines of the console. */
  consoleEnd(): string {
    const lines = this.console().trimEnd().split('\n').slice(-CONSOLE_LINES);
    return lines.map((line) => `  | ${line}`).join('\n');
  }

  /** Starts a program inside. */
  start(argv: readonly string[], onOutput: OnOutput = () => undefined, env: Env = {}): Remote {
    const id = ++this.#lastId;
    const ended = new Promise<ExitStatus>((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      this.#commands.set(id, { onOutput, end: resolve, fail: reject });
      this.#outbox.send(frameLine({ kind: 'start', id, argv, env }));
    });
    return {
      ended,
      kill: (signal = 'SIGKILL') => void this.#outbox.send(frameLine({ kind: 'signal', id, signal })),
    };
  }

  /** Runs a program inside to its end and gives what it printed. A status other than 0 is no error here. */
  async attempt(argv: readonly string[]): Promise<Outcome> {
    const text = { out: '', err: '' };
    const status = await this.start(argv, (stream, piece) => {
      text[stream] += piece;
    }).ended;
    return { status, stdout: text.out, stderr: text.err };
  }

  /** Runs a shell command inside; throws with its output when it fails. Gives its standard output. */
  async run(command: string): Promise<string> {
    const { status, stdout, stderr } = await this.attempt(['sh', '-c', command]);
    if ('code' in status && status.code === 0) return stdout;
    throw new Error(`in kernel ${this.name}: ${command}: ${describeExit(status)}\n${stderr}${stdout}`);
  }

  /**
   * Stops the kernel where it stands, as a hypervisor pauses a machine: no timer, packet or program goes on.
   */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  /** Lets a frozen kernel go on; to it, the time in between has passed in one moment. */
  thaw(): void {
    this.#process.kill('SIGCONT');
  }

  /** Pulls the plug. */
  powerOff(): void {
    const { pid } = this.#process;
    if (pid === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended in this moment.
    }
  }
}

function bootArguments(options: KernelOptions): string[] {
  const taps = (options.taps ?? []).map((tap, i) => `vec${i}:transport=tap,ifname=${tap},depth=64`);
  return [
    `mem=${options.memoryMiB ?? 1500}M`,
    `umid=${options.name}`,
    ...['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'quiet'],
    ...['con=null', 'con0=null,fd:2', 'con1=null', 'ssl=null', 'ssl0=fd:3'],
    ...taps,
    `init=${join(ROOT, 'test/lab/engine/init.sh')}`,
    `lab_io=${options.folder}`,
    `lab_agent=${compiled('test/lab/engine/agent.ts')}`,
    `lab_node=${process.execPath}`,
    `lab_init=${options.init ?? 'plain'}`,
    ...(options.tree === undefined ? [] : [`lab_tree=${options.tree}`]),
  ];
}
