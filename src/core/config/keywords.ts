import type { Argument, Keyword, Table } from './schema.ts';

/** What the program does about a keyword. */
export type KeywordStatus = 'works' | 'parsed only';

/** One keyword of the language, where it stands, and what the tables say of it. */
export interface KeywordEntry {
  /** The blocks around it, outermost first; empty outside all blocks. */
  readonly within: readonly string[];
  readonly name: string;
  /** As it is written: `priority N`, `vrrp_instance NAME { ... }`. */
  readonly synopsis: string;
  readonly doc: string;
  readonly status: KeywordStatus;
  /** Why it is parsed only. */
  readonly why?: string;
  readonly spec: Keyword;
}

/** Every keyword of a table and of the blocks in it; each before those that it holds. */
export function keywordsOf(table: Table, within: readonly string[] = [], around?: string): KeywordEntry[] {
  return Object.entries(table).flatMap(([name, spec]) => {
    const why = spec.inert ?? around;
    const entry: KeywordEntry = {
      within,
      name,
      synopsis: synopsisOf(name, spec),
      doc: spec.doc,
      status: why !== undefined ? 'parsed only' : 'works',
      ...(why === undefined ? {} : { why }),
      spec,
    };
    if (spec.body?.kind !== 'keywords') return [entry];
    return [entry, ...keywordsOf(spec.body.table, [...within, name], spec.inert ?? around)];
  });
}

function synopsisOf(name: string, { args, body }: Keyword): string {
  const words = [name, ...args.map(({ syntax }: Argument<unknown>) => syntax)];
  if (body === undefined) return words.join(' ');
  const inside = body.kind === 'keywords' ? '...' : `${body.line.syntax}${body.several ? ' ...' : ''}`;
  return [...words, '{', inside, '}'].join(' ');
}
