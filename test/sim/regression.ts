import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import type { Day } from './scenario.ts';

/** Days that once failed, as few operations as it took: test/sim/regressions/NAME.json. */
const FOLDER = join(ROOT, 'test/sim/regressions');

export interface Regression {
  /** What was wrong, for people. */
  readonly what: string;
  /** The broken machine that fails on this day; absent: it was a defect of the real one. */
  readonly broken?: string;
  /** The check that found it. */
  readonly check: string;
  readonly day: Day;
}

const pathOf = (name: string): string => join(FOLDER, `${name}.json`);

export const regressionNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

/** `undefined` when there is none of this name. */
export function readRegression(name: string): Regression | undefined {
  if (!/^[\w-]+$/.test(name) || !existsSync(pathOf(name))) return undefined;
  return JSON.parse(readFileSync(pathOf(name), 'utf8')) as Regression;
}

/** Returns the file's path. */
export function writeRegression(name: string, regression: Regression): string {
  writeFileSync(pathOf(name), `${JSON.stringify(regression, undefined, 1)}\n`);
  return pathOf(name);
}
