import { DAEMONS, type DaemonName } from './daemon.ts';
import type { Load } from './load.ts';

export type Unit = 'ms' | 'MiB' | 'times' | '%' | '';

/** What the project wants of a figure, beside keepalived's own of the same run. */
export interface Target {
  readonly text: string;
  readonly met: (vipkeeper: number, keepalived: number) => boolean;
}

/** At most so many times keepalived's. */
export const atMost = (factor: number): Target => ({
  text: `<= ${factor} x`,
  met: (vipkeeper, keepalived) => vipkeeper <= factor * keepalived,
});

/** At most so many milliseconds. */
export const within = (ms: number): Target => ({ text: `<= ${ms} ms`, met: (vipkeeper) => vipkeeper <= ms });

/** One figure: the samples of each daemon. */
export interface Row {
  readonly label: string;
  readonly unit: Unit;
  readonly samples: Readonly<Record<DaemonName, readonly number[]>>;
  readonly target?: Target;
}

/** A table of the report. */
export interface Section {
  readonly title: string;
  /** What is needed to judge the figures: what was done, how often, what theory says. */
  readonly note: string;
  readonly load: Load;
  /** Who has what is measured; absent: all. */
  readonly daemons?: readonly DaemonName[] | undefined;
  readonly rows: readonly Row[];
  /** Runs that gave no figures, and why. */
  readonly failures: readonly string[];
}

/** What one run of one daemon gave: figures by label. */
export type Figures = Readonly<Record<string, number>>;

/** What a section's rows are called, in order. */
export interface Column {
  readonly label: string;
  readonly unit: Unit;
  readonly target?: Target;
}

/** Rows from the figures of all runs. A figure that a run does not have is left out. */
export function rowsOf(
  columns: readonly Column[],
  runs: Readonly<Record<DaemonName, readonly Figures[]>>,
): Row[] {
  return columns.map((column) => {
    const samplesOf = (name: DaemonName): number[] =>
      runs[name].map((figures) => figures[column.label]).filter((value) => value !== undefined);
    const samples = Object.fromEntries(DAEMONS.map((name) => [name, samplesOf(name)]));
    return { ...column, samples: samples as Record<DaemonName, number[]> };
  });
}
