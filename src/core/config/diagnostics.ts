import { counted } from '../counted.ts';
import type { Diagnostic, Location } from './model.ts';

/** What a stretch of a shown diagnostic is, for a terminal to colour. */
export type Part = 'place' | 'error' | 'warning' | 'message' | 'source' | 'caret' | 'hint';
export type Paint = (text: string, part: Part) => string;

const plain: Paint = (text) => text;
const placeOf = ({ file, line, column }: Location): string => `${file}:${line}:${column}`;

/**
 * A diagnostic as text, without a newline at the end:
 * ```
 * vipkeeper.conf:7:5: error: unknown keyword 'priorty' in vrrp_instance VI_1
 *       7 |     priorty 100
 *         |     ^~~~~~~
 *         = did you mean priority?
 * ```
 * `paint` colours its parts; without it the text is plain.
 */
export function formatDiagnostic(diagnostic: Diagnostic, paint: Paint = plain): string {
  const { severity, message, at, source, length, hint, related, includedFrom = [] } = diagnostic;
  const place = paint(`${placeOf(at)}:`, 'place');
  const shown = [`${place} ${paint(`${severity}:`, severity)} ${paint(message, 'message')}`];
  if (source !== '') {
    const text = printable(source);
    const indent = printable(source.slice(0, at.column - 1)).length;
    const width = Math.max(1, Math.min(length, text.length - indent));
    const caret = `^${'~'.repeat(width - 1)}`;
    shown.push(`${String(at.line).padStart(7)} | ${paint(text, 'source')}`);
    shown.push(`        | ${' '.repeat(indent)}${paint(caret, 'caret')}`);
  }
  if (hint !== undefined) shown.push(`        = ${paint(hint, 'hint')}`);
  if (related !== undefined)
    shown.push(`        = ${paint(`${related.what}: ${placeOf(related.at)}`, 'hint')}`);
  for (const from of includedFrom)
    shown.push(`        = ${paint(`included from ${from.file}:${from.line}`, 'hint')}`);
  return shown.join('\n');
}

/** The last line of a check: `2 errors, 1 warning`, and how many are not shown. */
export function summary(diagnostics: readonly Diagnostic[], dropped = 0): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const shown = `${counted(errors, 'error')}, ${counted(diagnostics.length - errors, 'warning')}`;
  return dropped === 0 ? shown : `${shown}, and ${dropped} more that are not shown`;
}

/** Tabs become one blank each, so that carets stand below their words; other controls show as `.`. */
const printable = (text: string): string =>
  Array.from(text.slice(0, 2000), (c) => (c === '\t' ? ' ' : c < ' ' || c === '\x7f' ? '.' : c)).join('');
