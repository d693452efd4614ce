import { DAEMONS, type DaemonName } from './daemon.ts';
import { measureLoad } from './load.ts';
import { type Column, type Figures, rowsOf, type Section } from './result.ts';
import type { Stage } from './stage.ts';

/** How much to measure. */
export interface Effort {
  readonly daemons: readonly DaemonName[];
  readonly quick: boolean;
  /** Of the test for false failovers, for each daemon. */
  readonly minutes: number;
}

/** What a benchmark has at hand. */
export interface Bench {
  readonly stage: Stage;
  readonly effort: Effort;
  readonly progress: (text: string) => void;
}

/** Something to measure, by name. */
export interface Benchmark {
  readonly name: string;
  readonly about: string;
  readonly run: (bench: Bench) => Promise<Section[]>;
}

/** A measurement that is repeated with each daemon. */
export interface Measurement {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly Column[];
  readonly rounds: number;
  /** Who has what is measured; absent: all. */
  readonly daemons?: readonly DaemonName[];
  /** Measures once; the stage is empty before and emptied after. */
  readonly once: (daemon: DaemonName) => Promise<Figures>;
}

/** Measures in turn, A B A B, so that what disturbs the machine disturbs both. */
export async function measure(bench: Bench, measurement: Measurement): Promise<Section> {
  const { title, note, columns, rounds, daemons = DAEMONS, once } = measurement;
  const runs: Record<DaemonName, Figures[]> = { vipkeeper: [], keepalived: [] };
  const failures: string[] = [];
  const load = measureLoad();
  for (let round = 1; round <= rounds; round++) {
    for (const daemon of bench.effort.daemons.filter((name) => daemons.includes(name))) {
      const where = `${title}: ${daemon}, ${round} of ${rounds}`;
      try {
        const figures = await once(daemon);
        runs[daemon].push(figures);
        bench.progress(`${where}: ${inWords(columns, figures)}`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        failures.push(`${daemon}, run ${round}: ${why.split('\n')[0]}`);
        bench.progress(`${where}: FAILED: ${why}`);
      } finally {
        await bench.stage.reset();
      }
    }
  }
  return { title, note, load: load(), daemons, rows: rowsOf(columns, runs), failures };
}

function inWords(columns: readonly Column[], figures: Figures): string {
  return columns
    .slice(0, 3)
    .map(({ label, unit }) => `${label} ${figures[label]?.toFixed(2) ?? '-'} ${unit}`.trim())
    .join(', ');
}
