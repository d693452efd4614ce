import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Styles are dropped when the stream is not a terminal, or NO_COLOR is set (no-color.org). */
const colours = (stream: NodeJS.WriteStream): boolean => stream.isTTY === true && !process.env.NO_COLOR;

/** For standard output. */
export const paint = (style: Style, text: string): string =>
  colours(process.stdout) ? styleText(style, text) : text;
/** For standard error. */
export const paintError = (style: Style, text: string): string =>
  colours(process.stderr) ? styleText(style, text) : text;

const width = (text: string): number => stripVTControlCharacters(text).length;

/**
 * Rows as lines with aligned columns, two blanks apart, each line with `indent` in front. The last column is
 * not padded. Cells may be painted.
 */
export function aligned(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, width(cell));
    });
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - width(cell)),
    );
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/** `3 d 4 h`, `5 min 12 s`, `8 s`: the two largest units. */
export function lasting(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600),
    Math.floor(whole / 60),
  ];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  if (minutes > 0) return `${minutes} min ${whole % 60} s`;
  return `${whole} s`;
}

const ESCAPE = '\u001b';
const STYLE_PARTS = new RegExp(`(${ESCAPE}\\[[\\d;]*m)`);

/** The first `columns` characters of a line, with all of its styles. */
export function cut(line: string, columns: number): string {
  let left = columns;
  const parts = line.split(STYLE_PARTS).map((part) => {
    if (STYLE_PARTS.test(part)) return part;
    const shown = part.slice(0, left);
    left -= shown.length;
    return shown;
  });
  return parts.join('');
}

const HOME = '\u001b[H';
const CLEAR = '\u001b[2J';
const TO_END_OF_LINE = '\u001b[K';
const TO_END_OF_SCREEN = '\u001b[J';

/** Fills the whole terminal with lines, each time in place of those before; what does not fit is counted. */
export function screenFiller(): (lines: readonly string[]) => void {
  process.stdout.write(CLEAR);
  return (lines) => {
    // A terminal without a size says 0.
    const [rows, columns] = [process.stdout.rows || 24, process.stdout.columns || 80];
    const fits = lines.length < rows;
    const shown = fits ? lines : [...lines.slice(0, rows - 2), `and ${lines.length - rows + 2} more lines`];
    const text = shown.map((line) => `${cut(line, columns)}${TO_END_OF_LINE}\n`).join('');
    process.stdout.write(`${HOME}${text}${TO_END_OF_SCREEN}`);
  };
}

/** Writes lines to the terminal, each time in place of those before. */
export function redrawer(): (lines: readonly string[]) => void {
  let drawn = 0;
  return (lines) => {
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`;
    process.stdout.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`);
    drawn = lines.length;
  };
}
