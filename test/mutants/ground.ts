import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import { countOf, type Mutant } from './mutant.ts';

/** What a mutant's tests may take: one that hangs is found too. */
const LIMIT_SECONDS = 300;
/** Seeds that the simulator plays for a mutant. */
const SEEDS = ['100', '20'];
const SEEDS_OF_MUST = ['400', '60'];
const CLUSTER_SEEDS = ['400'];

/** How a program of a mutant ended. */
interface End {
  readonly status: number | null;
  readonly said: string;
}

/** Who found a mutant, in words; absent: nobody. */
export interface Verdict {
  readonly unit?: string;
  readonly simulator?: string;
  /** It could not be tried. */
  readonly trouble?: string;
}

export const sourceOf = ({ file }: Mutant): string => readFileSync(join(ROOT, 'src/core', file), 'utf8');

/** A copy of what was built, in which mutants live one after the other. */
export class MutantGround {
  readonly #folder = mkdtempSync(join(tmpdir(), 'vipkeeper-mutants-'));
  #running: ChildProcess | undefined;

  constructor() {
    for (const name of ['node_modules', 'test']) symlinkSync(join(ROOT, name), join(this.#folder, name));
    cpSync(join(ROOT, 'package.json'), join(this.#folder, 'package.json'));
    for (const part of ['src/core', 'test'])
      cpSync(join(ROOT, 'dist', part), join(this.#folder, 'dist', part), { recursive: true });
  }

  /** Nothing is left. */
  end(): void {
    this.#running?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async try(mutant: Mutant): Promise<Verdict> {
    const text = sourceOf(mutant);
    const count = countOf(mutant, text);
    if (count !== 1) return { trouble: `its text is ${count} times in ${mutant.file}` };
    const compiled = join(this.#folder, 'dist/src/core', mutant.file.replace(/\.ts$/, '.js'));
    const original = readFileSync(compiled, 'utf8');
    try {
      await this.#compile(
        mutant,
        text.replace(mutant.before, () => mutant.after),
      );
      if (readFileSync(compiled, 'utf8') === original) return { trouble: 'it did not change the program' };
      return await this.#judge(mutant);
    } finally {
      writeFileSync(compiled, original);
    }
  }

  async #judge({ unit, simulator }: Mutant): Promise<Verdict> {
    const found = await this.#unit(unit);
    if (simulator === undefined) return found === undefined ? {} : { unit: found };
    const program = simulator.of === 'routers' ? 'test/sim/find' : 'test/sim/cluster/find';
    const seeds = simulator.must ? SEEDS_OF_MUST : SEEDS;
    const { status, said } = await this.#node(program, simulator.of === 'routers' ? seeds : CLUSTER_SEEDS);
    const complaint = /^seed .*$/m.exec(said)?.[0];
    if (status !== 0 && complaint === undefined) return { trouble: `the simulator broke: ${said}` };
    const seen = complaint === undefined ? {} : { simulator: complaint };
    return { ...(found !== undefined && { unit: found }), ...seen };
  }

  /** The first of these tests that fails. */
  async #unit(tests: readonly string[]): Promise<string | undefined> {
    for (const test of tests) {
      const { status, said } = await this.#node(`test/core/${test}.test`, []);
      if (status === 0) continue;
      const title = /^failed: (.*?)(: .*)?$/m.exec(said)?.[1];
      return `${test}: ${title ?? `status ${status}`}`;
    }
    return undefined;
  }

  /** Types are not checked: a broken program may have broken types. */
  async #compile({ file }: Mutant, text: string): Promise<void> {
    const sources = join(this.#folder, 'mutated');
    const path = join(sources, 'src/core', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    const compilerOptions = {
      rootDir: sources,
      outDir: join(this.#folder, 'dist'),
      noResolve: true,
      noCheck: true,
      incremental: false,
      tsBuildInfoFile: null,
    };
    const settings = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files: [path] };
    writeFileSync(join(sources, 'tsconfig.json'), JSON.stringify(settings));
    const { status, said } = await this.#run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', sources]);
    rmSync(sources, { recursive: true });
    if (status !== 0) throw new Error(`${file} does not compile: ${said}`);
  }

  #node(program: string, args: readonly string[]): Promise<End> {
    return this.#run([join(this.#folder, 'dist', `${program}.js`), ...args]);
  }

  #run(args: readonly string[]): Promise<End> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      this.#running = child;
      let said = '';
      const hear = (data: Buffer): void => {
        said = `${said}${data}`.slice(-100_000);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_SECONDS * 1000);
      child.on('close', (status) => {
        clearTimeout(limit);
        resolve({ status, said });
      });
    });
  }
}
