import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { spawnEnclosed } from '../lab/engine/enclosure.ts';
import { Kernel } from '../lab/engine/kernel.ts';
import { compiled, ROOT } from '../lab/engine/root.ts';

/**
 * `npm run demo [-- --keep]`: shows a pair of directors at work on the real IPVS. Where the running kernel has
 * none, it boots one that has, as a process. Everything happens in namespaces that end with this program.
 */
const HELP = `Shows a pair of directors on the kernel's own IPVS, a real server that dies, and a master that dies.

  npm run demo               the story and a summary; exit status 0 when all was as it must be
  npm run demo -- --keep     afterwards a shell in the lab, until "exit"
`;
const KEPT = '\u0000kept';
const FOLDER = join(ROOT, 'dist/lab/demo');

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else if (process.env.LAB_ENCLOSED === undefined) enclose();
else await stage();

/** Starts this program again in an enclosure, which ends everything with it. */
function enclose(): void {
  const env = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
  const again = [
    process.execPath,
    ...process.execArgv,
    compiled('test/demo/main.ts'),
    ...process.argv.slice(2),
  ];
  const enclosed: ChildProcess = spawnEnclosed(again, { env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => enclosed.kill('SIGKILL'));
  }
  enclosed.on('exit', (status) => process.exit(status ?? 1));
}

type Run = (argv: readonly string[], onText: (text: string) => void) => Promise<number>;

/** Runs commands where the lab is: in a kernel booted for it, or here when the running kernel has IPVS. */
async function laboratory(): Promise<Run> {
  if (existsSync('/proc/net/ip_vs')) return runHere;
  process.stdout.write('The running kernel has no IPVS: booting one that has (user-mode-linux) ... ');
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const before = performance.now();
  const kernel = await Kernel.boot({ name: 'demo', folder: FOLDER, memoryMiB: 2000 });
  process.stdout.write(`${((performance.now() - before) / 1000).toFixed(1)} s\n`);
  const colour = process.env.FORCE_COLOR;
  const env = { LAB_ENCLOSED: '1', ...(colour !== undefined && { FORCE_COLOR: colour }) };
  return async (argv, onText) => {
    const status = await kernel.start(argv, (_, text) => onText(text), env).ended;
    return 'code' in status ? status.code : 1;
  };
}

const runHere: Run = (argv, onText) =>
  new Promise((resolve) => {
    const [program = '', ...rest] = argv;
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onText);
    child.on('error', (error) => onText(`${error.message}\n`));
    child.on('close', (status) => resolve(status ?? 1));
  });

async function stage(): Promise<void> {
  const run = await laboratory();
  const print = (text: string): void => void process.stdout.write(text);
  const play = [process.execPath, '--enable-source-maps', compiled('test/demo/play.ts')];
  if (!values.keep) process.exit(await run(play, print));
  await new Promise<void>((kept) => {
    void run([...play, '--keep'], (text) => {
      print(text.replace(`${KEPT}\n`, ''));
      if (text.includes(KEPT)) kept();
    });
  });
  await shell(run, print);
  process.exit(0);
}

/** A shell, line by line, in the lab that the story left. */
async function shell(run: Run, print: (text: string) => void): Promise<void> {
  print(`
The pair is left running. A command runs in the lab; \`on HOST COMMAND\` runs it on a host. For example:
  on director2 ipvsadm -Ln            on user curl -s http://10.0.0.100:8000/
  on director2 ip address             exit
`);
  const words = createInterface({ input: process.stdin, output: process.stdout, prompt: 'lab> ' });
  words.prompt();
  for await (const line of words) {
    const command = stripVTControlCharacters(line)
      .trim()
      .replace(/^on (\S+) /, 'ip netns exec $1 ');
    if (command === 'exit') break;
    if (command !== '') await run(['bash', '-c', command], print);
    words.prompt();
  }
}
