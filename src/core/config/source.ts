import type { Location } from './model.ts';

/** A file that was read, and the include statement that asked for it. */
export interface SourceFile {
  readonly name: string;
  readonly includedFrom?: { readonly file: SourceFile; readonly line: number };
}

/** A stretch of an expanded line that stands for something else in the written line: a `$VARIABLE`. */
export interface Piece {
  /** Where it is in the expanded text. */
  readonly start: number;
  readonly end: number;
  /** Where the reference was written: 0-based columns of the line in the file. */
  readonly writtenStart: number;
  readonly writtenEnd: number;
}

/** One line after expansion, able to say where each of its characters was written. */
export interface Line {
  readonly file: SourceFile;
  /** 1-based. */
  readonly number: number;
  /** The line as it stands in the file. */
  readonly written: string;
  /** What is parsed: comments and conditional prefixes gone, variables replaced. */
  readonly text: string;
  /** The replaced stretches, in order; what lies between them was copied. */
  readonly pieces: readonly Piece[];
}

/** A stretch of a line's expanded text. */
export interface Span {
  readonly line: Line;
  readonly start: number;
  readonly end: number;
}

/** The 0-based column of the written line for an offset of the expanded text; `edge` says which end it is. */
function writtenColumn(line: Line, offset: number, edge: 'start' | 'end'): number {
  let shift = 0;
  for (const piece of line.pieces) {
    const before = edge === 'start' ? offset < piece.start : offset <= piece.start;
    if (before) break;
    const inside = edge === 'start' ? offset < piece.end : offset <= piece.end;
    if (inside) return edge === 'start' ? piece.writtenStart : piece.writtenEnd;
    shift = piece.writtenEnd - piece.end;
  }
  return offset + shift;
}

/** Where a span was written (1-based line and column), and how many characters it covers there: 1 or more. */
export function locate(span: Span): { at: Location; length: number } {
  const start = writtenColumn(span.line, span.start, 'start');
  const end = writtenColumn(span.line, span.end, 'end');
  const at = { file: span.line.file.name, line: span.line.number, column: start + 1 };
  return { at, length: Math.max(1, end - start) };
}

/** The include statements that led to `file`, innermost first. */
export function includeChain(file: SourceFile): Location[] {
  const chain: Location[] = [];
  for (let from = file.includedFrom; from !== undefined; from = from.file.includedFrom) {
    chain.push({ file: from.file.name, line: from.line, column: 1 });
  }
  return chain;
}
