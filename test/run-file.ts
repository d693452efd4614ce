import { type ChildProcess, spawn } from 'node:child_process';
import { ROOT } from './lab/engine/root.ts';
import { Patience, waitsBelow } from './patience.ts';

/** A test file to run in a process of its own. */
export interface Job {
  readonly name: string;
  /** After how long it hangs, of seconds in which it could work (Patience). */
  readonly limitSeconds: number;
  readonly start: (env: Record<string, string>) => ChildProcess;
  /** Called with the output as it comes. */
  readonly echo?: (text: string) => void;
}

export interface Outcome {
  readonly name: string;
  /** Tests, from uvu's totals. */
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly output: string;
  /** Why the file failed, apart from its tests: no totals, time limit, exit status. */
  readonly problem: string | undefined;
}

/** How often the limit of a file is looked at. */
const LOOK_MILLISECONDS = 5000;

const running = new Set<ChildProcess>();

/** Ends every file that runs, at once. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

/** Each file leads a process group; what it started in it ends with it. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All have ended.
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    killAll();
    process.stderr.write(`\nended by ${signal}\n`);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  });
}

/** Starts a compiled test file with a Node program, in a process group of its own. */
export function startFile(
  node: string,
  file: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): ChildProcess {
  return spawn(node, ['--enable-source-maps', file, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

/** Runs a job to its end or its limit. */
export function runFile(job: Job): Promise<Outcome> {
  const begin = performance.now();
  const child = job.start(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' });
  running.add(child);
  let output = '';
  let problem: string | undefined;
  const take = (text: string): void => {
    output += text;
    job.echo?.(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', take);
  const look = Math.min(LOOK_MILLISECONDS, (job.limitSeconds * 1000) / 4);
  const patience = new Patience(job.limitSeconds, look, () => waitsBelow(child.pid ?? 0));
  const limit = setInterval(() => {
    if (!patience.isOver) return;
    problem = `took longer than its limit of ${job.limitSeconds} s`;
    killGroup(child);
  }, look);
  return new Promise((resolve) => {
    let ended = false;
    const end = (why: string | undefined): void => {
      if (ended) return;
      ended = true;
      clearInterval(limit);
      running.delete(child);
      killGroup(child);
      resolve(judge(job.name, output, problem ?? why, (performance.now() - begin) / 1000));
    };
    child.on('error', (error) => end(`did not start: ${error.message}`));
    child.on('close', (code, signal) =>
      end(signal ? `ended by ${signal}` : code ? `exit status ${code}` : undefined),
    );
  });
}

/**
 * The outcome of a file from uvu's totals. A file that fails without a failed test (it crashed, hung, or
 * ran no test) counts as one failed.
 */
export function judge(name: string, output: string, problem: string | undefined, seconds: number): Outcome {
  const [total, passed] = ['Total', 'Passed'].map((word) => lastNumber(output, word));
  if (total === undefined || passed === undefined || total === 0) {
    return { name, passed: 0, failed: 1, seconds, output, problem: problem ?? 'ran no test' };
  }
  const failed = total - passed;
  if (failed > 0) return { name, passed, failed, seconds, output, problem: undefined };
  return { name, passed, failed: problem === undefined ? 0 : 1, seconds, output, problem };
}

/** uvu prints `  Total:     3` on a line of its own. */
function lastNumber(output: string, word: string): number | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const plain = output.replace(/\u001b\[[\d;]*m/g, '');
  const last = [...plain.matchAll(new RegExp(`^\\s*${word}:\\s+(\\d+)\\s*$`, 'gm'))].at(-1);
  return last === undefined ? undefined : Number(last[1]);
}
