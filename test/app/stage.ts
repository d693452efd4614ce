import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { RouterReport, StatusReport } from '../../src/core/status/report.ts';
import { readPid } from '../../src/io/pidfile.ts';
import { showOnFailure, tailOf } from '../failure.ts';
import { ROOT } from '../lab/engine/root.ts';
import { HANGS_MILLISECONDS, Patience } from '../patience.ts';
import type { Test } from '../suite.ts';

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MILLISECONDS = 20;
/** Of which each could work, as Patience counts: only a broken daemon takes that long. */
const LIMIT_SECONDS = 120;

export const VIP = '10.9.0.100';

/** A router that owns its address, so that it is master at once. */
export const ROUTER = `vrrp_instance web {
  interface lan
  virtual_router_id 7
  priority 255
  advert_int 1
  virtual_ipaddress {
    ${VIP}/24
  }
}
`;

export const SERVER = `virtual_server ${VIP} 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.9.0.11 80 {
  }
}
`;

/** How a program ended and what it printed. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A host in the enclosure of the test with one interface, and the daemon as a user runs it: with a folder for its
 * files, in the background.
 */
export class Stage {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
  readonly file: string = join(this.folder, 'vipkeeper.conf');
  readonly runDir: string = join(this.folder, 'run');
  readonly stateDir: string = join(this.folder, 'state');
  #lives = 0;

  constructor() {
    showOnFailure(() => this.logs());
    execFileSync('ip', ['link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'wire']);
    for (const device of ['lan', 'wire']) execFileSync('ip', ['link', 'set', device, 'up']);
    execFileSync('ip', ['address', 'add', '10.9.0.1/24', 'dev', 'lan']);
  }

  configure(text: string): void {
    rmSync(this.file, { force: true });
    writeFileSync(this.file, text);
  }

  /** Runs a command to its end. */
  run(argv: readonly string[]): Ended {
    const [program = '', ...rest] = argv;
    const ended: SpawnSyncReturns<string> = spawnSync(program, rest, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: HANGS_MILLISECONDS,
      killSignal: 'SIGKILL',
      env: { ...process.env, NO_COLOR: '1' },
    });
    if (ended.error !== undefined) throw ended.error;
    return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  }

  /** The command line of the daemon with this stage's files. */
  command(...options: readonly string[]): string[] {
    const folders = ['--run-dir', this.runDir, '--state-dir', this.stateDir];
    return [join(ROOT, 'bin/vipkeeperd'), '-G', '-f', this.file, ...folders, ...options];
  }

  daemon(...options: readonly string[]): Ended {
    return this.run(this.command(...options));
  }

  operator(...words: readonly string[]): Ended {
    return this.run([join(ROOT, 'bin/vipkeeper'), ...words, '--run-dir', this.runDir]);
  }

  /** A daemon with this configuration, in the background and without checks. Its log begins anew. */
  start(text: string, ...options: readonly string[]): void {
    this.configure(text);
    this.#lives++;
    const { status, stderr } = this.daemon('-P', '-g', this.#logFile, ...options);
    assert.is(status, 0, stderr);
  }

  /** Each start has a log of its own: what is waited for is never what an earlier daemon said. */
  get #logFile(): string {
    return join(this.folder, `daemon-${this.#lives}.log`);
  }

  /** What the daemon logged since it was last started by start(). */
  get log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, 'utf8') : '';
  }

  /** The end of every log in the stage's folder, for failures. */
  logs(): string {
    if (!existsSync(this.folder)) return '';
    return readdirSync(this.folder)
      .filter((name) => name.endsWith('log'))
      .map((name) => tailOf(name, readFileSync(join(this.folder, name), 'utf8')))
      .join('\n');
  }

  reload(text: string): void {
    this.configure(text);
    assert.match(this.operator('reload').stdout, /^reloaded: /);
  }

  status(): StatusReport {
    return JSON.parse(this.operator('status', '--json').stdout);
  }

  /** The virtual router of this name, or the first. */
  router(name?: string): RouterReport {
    const routers = this.status().vrrp?.instances ?? [];
    const found = name === undefined ? routers[0] : routers.find((each) => each.name === name);
    assert.ok(found !== undefined);
    return found;
  }

  /**
   * Process id in a file of the run directory, of a process that lives: after one has died, that of the next, once
   * it is there.
   */
  pid(name: string): number {
    const file = join(this.runDir, `${name}.pid`);
    let pid: number | undefined;
    until(() => {
      pid = readPid(file);
      return pid !== undefined && isAlive(pid);
    }, `${file} names a process that lives`);
    return pid ?? 0;
  }

  holdsVip(): boolean {
    return execFileSync('ip', ['-o', 'address', 'show', 'to', VIP], { encoding: 'utf8' }) !== '';
  }

  get runs(): boolean {
    return existsSync(join(this.runDir, 'vipkeeperd.pid'));
  }

  /** Asks the daemon to stop, as its pid file is there for, and waits until it has. */
  stop(): void {
    const pid = this.pid('vipkeeperd');
    process.kill(pid, 'SIGTERM');
    until(() => !isAlive(pid), 'the daemon stops');
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A stage on which each test finds a daemon that runs ROUTER, and which is gone after the last. */
export function stageOf(test: Test): Stage {
  const stage = new Stage();
  test.before.each(() => {
    stage.start(ROUTER);
  });
  test.after.each(() => {
    if (stage.runs) stage.stop();
  });
  test.after(() => stage.close());
  return stage;
}

/** Whether the process exists and is no zombie: in an enclosure nobody may have buried it yet. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for a condition. While it throws it does not hold; what it threw last is told when it never does. */
export function until(condition: () => boolean, what: string): void {
  let problem: unknown;
  const patience = new Patience(LIMIT_SECONDS);
  while (!patience.isOver) {
    try {
      if (condition()) return;
    } catch (error) {
      problem = error;
    }
    Atomics.wait(PAUSE, 0, 0, PAUSE_MILLISECONDS);
  }
  throw didNotHappen(what, problem);
}

/** The same without holding up what else this process does. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  let problem: unknown;
  const patience = new Patience(LIMIT_SECONDS);
  while (!patience.isOver) {
    try {
      if (await condition()) return;
    } catch (error) {
      problem = error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
  throw didNotHappen(what, problem);
}

function didNotHappen(what: string, problem: unknown): Error {
  const why = problem instanceof Error ? ` (it threw at last: ${problem.message})` : '';
  return new Error(`did not happen: ${what}${why}`);
}
