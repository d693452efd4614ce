import type { Load } from './load.ts';
import type { Row, Section } from './result.ts';
import { type Spread, spread } from './statistics.ts';

/** Paints a text; the plain one gives it back as it is. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

const painter =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;
const asItIs = (text: string): string => text;

export const COLOURED: Paint = { bold: painter(1), dim: painter(2), good: painter(32), bad: painter(31) };
export const PLAIN: Paint = { bold: asItIs, dim: asItIs, good: asItIs, bad: asItIs };

const WIDTH = { label: 42, daemon: 23, ratio: 7 } as const;

/** The heading of all sections. */
export function heading(
  paint: Paint,
  names: { readonly vipkeeper: string; readonly keepalived: string },
): string {
  const columns = [
    'median [min..max]'.padEnd(WIDTH.label),
    names.vipkeeper.padStart(WIDTH.daemon),
    names.keepalived.padStart(WIDTH.daemon),
    'ratio'.padStart(WIDTH.ratio),
    '  target',
  ];
  return paint.bold(columns.join(''));
}

/** A section: its title, a line for each figure, and what the machine was like meanwhile. */
export function table(paint: Paint, section: Section): string {
  return [
    '',
    paint.bold(section.title),
    ...section.rows.map((row) => line(paint, row)),
    ...section.failures.map((failure) => paint.bad(`  failed: ${failure}`)),
    paint.dim(`  ${section.note}; ${loadInWords(section.load)}`),
  ].join('\n');
}

function line(paint: Paint, row: Row): string {
  const [ours, theirs] = [spread(row.samples.vipkeeper), spread(row.samples.keepalived)];
  const label = `  ${row.label}${row.unit === '' ? '' : `, ${row.unit}`}`.padEnd(WIDTH.label);
  const cells = [ours, theirs].map((cell) => figure(cell).padStart(WIDTH.daemon));
  const quotient = ratio(ours, theirs).padStart(WIDTH.ratio);
  return `${label}${cells.join('')}${quotient}${verdict(paint, row, ours, theirs)}`.trimEnd();
}

function figure(cell: Spread | undefined): string {
  if (cell === undefined) return '-';
  if (cell.min === cell.max) return number(cell.median);
  return `${number(cell.median)} [${number(cell.min)}..${number(cell.max)}]`;
}

/** Three digits that matter. */
function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function ratio(ours: Spread | undefined, theirs: Spread | undefined): string {
  if (ours === undefined || theirs === undefined || theirs.median <= 0) return '';
  const quotient = ours.median / theirs.median;
  return quotient.toFixed(quotient < 100 ? 2 : 0);
}

function verdict(paint: Paint, row: Row, ours: Spread | undefined, theirs: Spread | undefined): string {
  if (row.target === undefined) return '';
  const text = `  ${row.target.text}`;
  if (ours === undefined || theirs === undefined) return paint.dim(text);
  return row.target.met(ours.median, theirs.median) ? paint.good(`${text}: yes`) : paint.bad(`${text}: no`);
}

function loadInWords({ pressure, steal, idle }: Load): string {
  const percent = (share: number): string => (Number.isNaN(share) ? '?' : `${(100 * share).toFixed(0)} %`);
  return `CPUs ${percent(idle)} idle, ${percent(steal)} stolen, pressure ${percent(pressure)}`;
}
