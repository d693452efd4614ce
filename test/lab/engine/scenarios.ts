import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.ts';

/** What a scenario runs on, as its file declares by `export const needs = '...'`. */
export const NEEDS = ['host', 'kernel', 'pair of kernels', 'systemd'] as const;
export type Need = (typeof NEEDS)[number];

export interface Scenario {
  /** From the project's folder: `test/lab/failover.ts`. */
  readonly file: string;
  readonly need: Need;
  /** The file's first doc comment, in one line. */
  readonly about: string;
  /**
   * After how long it hangs, by `export const limitSeconds = ...`: about five times what it takes alone. The longest
   * start first.
   */
  readonly limitSeconds: number;
  /** By `export const long = true`: `npm test` leaves it to `npm run test:long`. */
  readonly long: boolean;
}

export const DEFAULT_LIMIT_SECONDS = 900;
/** Files of test/lab that are no scenario. */
const PROGRAMS = ['main.ts'];

/** Reads what a scenario's source declares, without running it. Throws when it doesn't say what it needs. */
export function scenarioOf(file: string, source: string): Scenario {
  const need = NEEDS.find((name) => source.includes(`\nexport const needs = '${name}';`));
  if (need === undefined) {
    const choices = NEEDS.map((name) => `'${name}'`).join(', ');
    throw new Error(
      `${file} does not say what it needs: add \`export const needs = ...;\` with one of ${choices}`,
    );
  }
  const about = /\/\*\*(.*?)\*\//s.exec(source)?.[1] ?? '';
  const limit = /^export const limitSeconds = (\d+);/m.exec(source)?.[1];
  return {
    file,
    need,
    about: about
      .replace(/^\s*\*/gm, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
    limitSeconds: limit === undefined ? DEFAULT_LIMIT_SECONDS : Number(limit),
    long: source.includes('\nexport const long = true;\n'),
  };
}

/** The scenario in this file of the project. */
export const readScenario = (file: string): Scenario =>
  scenarioOf(file, readFileSync(join(ROOT, file), 'utf8'));

/** All scenarios: the files directly in test/lab. */
export function allScenarios(): Scenario[] {
  return readdirSync(join(ROOT, 'test/lab'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !PROGRAMS.includes(name))
    .sort()
    .map((name) => readScenario(`test/lab/${name}`));
}
