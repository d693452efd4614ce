import { serviceName } from '../balance/model.ts';
import type { VirtualServerSettings } from '../serving/settings.ts';
import type { Configuration } from './model.ts';
import type { Line } from './source.ts';
import type { Statement } from './tree.ts';

/** Lines that look like one `virtual_server` block, with what it meant where that is known. */
interface Piece {
  readonly lines: readonly Line[];
  readonly text: string;
  readonly known: VirtualServerSettings | undefined;
}

/** What some lines mean; only where nothing at all is to be said of them. */
export interface Understood {
  readonly statements: readonly Statement[];
  readonly configuration: Configuration;
}

/**
 * What the `virtual_server` blocks of a file meant when it was read last: a reload with one of a thousand changed reads
 * that one. It gives what reading the whole file gives, or nothing:
 * - only a file of which nothing at all was to be said is remembered, and only such a file is read so;
 * - a block is known by its whole text, and all the others (`global_defs`, groups, scripts ...) must be as they were;
 * - blocks that ask the host something (scripts) are not remembered;
 * - where a known block is left out, the rest must come to the end of a block.
 */
export class Remembered {
  #blocks: ReadonlyMap<string, VirtualServerSettings> = new Map();
  /** The text of all other blocks. */
  #others = '';

  /** Understands the lines with `read`, which is given those that are not known; `undefined`: read all of them. */
  reuse(
    lines: readonly Line[],
    read: (lines: readonly Line[]) => Understood | undefined,
  ): Understood | undefined {
    if (this.#blocks.size === 0) return undefined;
    const pieces = cut(lines, this.#blocks);
    const fresh = read(pieces.flatMap((piece) => (piece.known === undefined ? piece.lines : [])));
    if (fresh === undefined || tellsOfServers(fresh)) return undefined;
    const roots = beginnings(fresh.statements);
    const built = servers(fresh);
    if (roots === undefined || built === undefined || !fitTogether(pieces, roots)) return undefined;
    if (others(lines, pieces, roots) !== this.#others) return undefined;
    const virtualServers = pieces.flatMap(
      ({ known, lines: own }) => known ?? own.flatMap((line) => built.get(line) ?? []),
    );
    if (haveTwins(virtualServers)) return undefined;
    this.#blocks = new Map(blocks(pieces, roots, built));
    return { ...fresh, configuration: { ...fresh.configuration, virtualServers } };
  }

  /** Remembers a file that was read whole; `undefined`: there is something to be said of it. */
  keep(lines: readonly Line[], understood: Understood | undefined): void {
    this.#blocks = new Map();
    if (understood === undefined || tellsOfServers(understood)) return;
    const roots = beginnings(understood.statements);
    const built = servers(understood);
    if (roots === undefined || built === undefined) return;
    const pieces = cut(lines, this.#blocks);
    this.#blocks = new Map(blocks(pieces, roots, built));
    this.#others = others(lines, pieces, roots);
  }
}

/** Blocks as people write them: from the keyword to a brace, both at the beginning of their lines. */
function cut(lines: readonly Line[], known: ReadonlyMap<string, VirtualServerSettings>): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const piece = (to: number): void => {
    if (to === from) return;
    const own = lines.slice(from, to);
    const text = own.map((line) => line.text).join('\n');
    pieces.push({ lines: own, text, known: known.get(text) });
    from = to;
  };
  lines.forEach(({ text }, i) => {
    if (text.startsWith('virtual_server ')) piece(i);
    else if (text === '}') piece(i + 1);
  });
  piece(lines.length);
  return pieces;
}

/** The statements outside all blocks by their lines; `undefined` where one does not begin its line. */
function beginnings(statements: readonly Statement[]): ReadonlyMap<Line, Statement> | undefined {
  const first = ({ keyword: { line, start } }: Statement) => line.text.slice(0, start).trim() === '';
  if (!statements.every(first)) return undefined;
  return new Map(statements.map((statement) => [statement.keyword.line, statement]));
}

/** Whether each known block stands where a statement may: what follows it begins one, and so ends what was before. */
function fitTogether(pieces: readonly Piece[], roots: ReadonlyMap<Line, Statement>): boolean {
  return pieces.every(({ known }, i) => known === undefined || begins(pieces[i + 1], roots));
}

/** Whether the piece, if there is one, begins with a statement. */
function begins(piece: Piece | undefined, roots: ReadonlyMap<Line, Statement>): boolean {
  const [first] = piece?.lines ?? [];
  return first === undefined || piece?.known !== undefined || roots.has(first);
}

/** What each `virtual_server` means, by its first line: without findings each has given one. */
function servers({
  statements,
  configuration: { virtualServers },
}: Understood): ReadonlyMap<Line, VirtualServerSettings> | undefined {
  const all = statements.filter(({ name }) => name === 'virtual_server');
  if (all.length !== virtualServers.length) return undefined;
  return new Map(virtualServers.map((settings, i) => [(all[i] as Statement).keyword.line, settings]));
}

/** Whether scripts, pipes or mails are told of virtual servers: that is not in their own settings. */
const tellsOfServers = ({ configuration: { notify } }: Understood): boolean =>
  notify.subjects.some(({ of }) => of === 'service' || of === 'server');

/** The pieces that are one block each, and what they mean. */
function blocks(
  pieces: readonly Piece[],
  roots: ReadonlyMap<Line, Statement>,
  built: ReadonlyMap<Line, VirtualServerSettings>,
): [string, VirtualServerSettings][] {
  return pieces.flatMap(({ lines: [first, ...more], text, known }, i): [string, VirtualServerSettings][] => {
    if (known !== undefined) return [[text, known]];
    const settings = first && built.get(first);
    const whole = begins(pieces[i + 1], roots) && !more.some((line) => roots.has(line));
    return settings !== undefined && whole && isAlone(settings) ? [[text, settings]] : [];
  });
}

/** Whether a block's meaning is in its text: groups are numbered by their uses, scripts are looked for on the host. */
const isAlone = ({ group, realServers }: VirtualServerSettings): boolean =>
  group === undefined && !realServers.some(({ checks }) => checks.some(({ kind }) => kind === 'misc'));

/** The text of all statements but virtual servers. */
function others(
  lines: readonly Line[],
  pieces: readonly Piece[],
  roots: ReadonlyMap<Line, Statement>,
): string {
  const known = new Set(pieces.flatMap((piece) => (piece.known === undefined ? [] : [piece.lines[0]])));
  const texts: string[] = [];
  let within = false;
  for (const line of lines) {
    const begun = roots.get(line);
    if (begun !== undefined || known.has(line))
      within = begun !== undefined && begun.name !== 'virtual_server';
    if (within) texts.push(line.text);
  }
  return texts.join('\n');
}

/** Whether two have a service in common: what is said then is said of whole files. */
function haveTwins(virtualServers: readonly VirtualServerSettings[]): boolean {
  const names = virtualServers.flatMap(({ services }) => services.map(({ key }) => serviceName(key)));
  return new Set(names).size !== names.length;
}
