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
  /** An error of this line has been reported: what follows from it is not said. */
  readonly isFaulty?: boolean;
}

/** Text on its way from the written line to the expanded one, and the stretches of it that were replaced. */
export interface Passage {
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/** The passage with its stretch from `start` to `end` replaced: the new text stands for what the stretch stood for. */
export function substitute({ text, pieces }: Passage, start: number, end: number, by: string): Passage {
  const touched = pieces.filter((piece) => piece.start < end && piece.end > start);
  const delta = by.length - (end - start);
  const merged: Piece = {
    start: Math.min(start, ...touched.map((piece) => piece.start)),
    end: Math.max(end, ...touched.map((piece) => piece.end)) + delta,
    writtenStart: writtenColumn(pieces, start, 'start'),
    writtenEnd: writtenColumn(pieces, end, 'end'),
  };
  const before = pieces.filter((piece) => piece.start < start && piece.end <= start);
  const after = pieces
    .filter((piece) => piece.start >= end)
    .map((piece) => ({ ...piece, start: piece.start + delta, end: piece.end + delta }));
  return { text: text.slice(0, start) + by + text.slice(end), pieces: [...before, merged, ...after] };
}

/** A stretch of a line's expanded text. */
export interface Span {
  readonly line: Line;
  readonly start: number;
  readonly end: number;
}

/** The 0-based column of the written line for an offset of the expanded text; `edge` says which end it is. */
function writtenColumn(pieces: readonly Piece[], offset: number, edge: 'start' | 'end'): number {
  let shift = 0;
  for (const piece of pieces) {
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
  const start = writtenColumn(span.line.pieces, span.start, 'start');
  const end = writtenColumn(span.line.pieces, span.end, 'end');
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
