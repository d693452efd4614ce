import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import type { Day as ClustersDay } from './cluster/day.ts';
import type { Day as RoutersDay } from './scenario.ts';

/** A day that once failed, or on which a broken machine fails: as few operations as it took. */
export interface Regression<Day> {
  /** What was wrong, for people. */
  readonly what: string;
  /** The broken machine that fails on this day; absent: it was a defect of the real one. */
  readonly broken?: string;
  /** The check that found it. */
  readonly check: string;
  readonly day: Day;
}

/** The regressions of a simulator: a file NAME.json for each. */
export class Regressions<Day> {
  readonly #folder: string;

  /** `folder`: below test/sim. */
  constructor(folder: string) {
    this.#folder = join(ROOT, 'test/sim', folder);
  }

  names(): string[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  }

  /** `undefined` when there is none of this name. */
  read(name: string): Regression<Day> | undefined {
    if (!/^[\w-]+$/.test(name) || !existsSync(this.#pathOf(name))) return undefined;
    return JSON.parse(readFileSync(this.#pathOf(name), 'utf8')) as Regression<Day>;
  }

  /** Returns the file's path. */
  write(name: string, regression: Regression<Day>): string {
    writeFileSync(this.#pathOf(name), `${JSON.stringify(regression, undefined, 1)}\n`);
    return this.#pathOf(name);
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

/** Of routers and groups. */
export const ROUTERS = new Regressions<RoutersDay>('regressions');
/** Of clusters. */
export const CLUSTERS = new Regressions<ClustersDay>('cluster/regressions');
