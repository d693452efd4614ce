import type { Token } from './lex.ts';
import type { Keyword, KeywordsBody, LinesBody, Table } from './schema.ts';

/** A statement of the file: a keyword, the values of its arguments, and what its braces held. */
export interface Statement {
  /** The keyword's name in its table; an alias has become what it stands for. */
  readonly name: string;
  readonly keyword: Token;
  readonly spec: Keyword;
  readonly words: readonly Token[];
  /** `undefined` when an argument was wrong: that has been reported. */
  readonly values: readonly unknown[] | undefined;
  /** What the braces held, of a keyword that is followed by keywords in braces. */
  readonly section: Section<Table> | undefined;
  /** The same of one that is followed by lines. */
  readonly items: readonly Item<unknown>[] | undefined;
  /** There was an error within the braces: what seems to be missing may be what was wrong. */
  readonly damaged: boolean;
}

/** One line of a block of lines. */
export interface Item<T> {
  readonly value: T;
  readonly at: Token;
}

const NONE: readonly Statement[] = [];

type ValuesOf<K> = K extends Keyword<infer V, infer _> ? V : never;
type BodyOf<K> = K extends Keyword<infer _, infer B> ? B : never;
type FirstOf<K> = ValuesOf<K> extends readonly [infer F, ...unknown[]] ? F : never;

/** A statement whose arguments were right, with the types that its table gives it. */
export interface Entry<K> {
  readonly keyword: Token;
  readonly words: readonly Token[];
  readonly values: ValuesOf<K>;
  readonly section: BodyOf<K> extends KeywordsBody<infer T> ? Section<T> : undefined;
  readonly items: BodyOf<K> extends LinesBody<infer L> ? readonly Item<L>[] : undefined;
}

/**
 * A block's statements by keyword, typed by the block's table. This is where the types of the tables and the
 * untyped tree meet: the parser made each statement's values by the same table entry.
 */
export class Section<T extends Table> {
  readonly #statements: readonly Statement[];
  /** Of a section with many statements: looking through a few is quicker than to sort them out. */
  readonly #byName: ReadonlyMap<string, readonly Statement[]> | undefined;

  /** There was an error within the block. */
  readonly damaged: boolean;

  constructor(statements: readonly Statement[], damaged = false) {
    this.damaged = damaged;
    this.#statements = statements;
    this.#byName = statements.length > FEW ? sorted(statements) : undefined;
  }

  /** One section of several blocks of a keyword: they mean the same as one block with all their statements. */
  static joined<T extends Table>(blocks: readonly { readonly section: Section<T> }[]): Section<T> {
    return new Section(blocks.flatMap(({ section }) => section.#statements));
  }

  /** Whether the keyword was written, rightly or not. */
  has(name: keyof T & string): boolean {
    return this.#last(name) !== undefined;
  }

  /** The keyword's last place, for messages. */
  token(name: keyof T & string): Token | undefined {
    return this.#last(name)?.keyword;
  }

  /** Its statements as they were parsed. */
  statements(name: keyof T & string): readonly Statement[] {
    if (this.#byName !== undefined) return this.#byName.get(name) ?? NONE;
    return this.#statements.filter((statement) => statement.name === name);
  }

  /** Every statement of that keyword whose arguments were right. */
  all<N extends keyof T & string>(name: N): readonly Entry<T[N]>[] {
    const last = this.#last(name, true);
    if (last === undefined) return NONE as readonly never[];
    const among = this.#byName?.get(name) ?? this.#statements;
    return among.filter((s) => s.name === name && s.values !== undefined) as unknown as Entry<T[N]>[];
  }

  /** The last of them: it is the one that counts. */
  last<N extends keyof T & string>(name: N): Entry<T[N]> | undefined {
    return this.#last(name, true) as unknown as Entry<T[N]> | undefined;
  }

  /** Its first argument's value. */
  value<N extends keyof T & string>(name: N): FirstOf<T[N]> | undefined {
    return this.#last(name, true)?.values?.[0] as FirstOf<T[N]> | undefined;
  }

  /** The last statement of that keyword, or the last whose arguments were right. */
  #last(name: string, right = false): Statement | undefined {
    const among = this.#byName === undefined ? this.#statements : (this.#byName.get(name) ?? NONE);
    for (let i = among.length - 1; i >= 0; i--) {
      const statement = among[i];
      if (statement?.name === name && (!right || statement.values !== undefined)) return statement;
    }
    return undefined;
  }

  /** The lines of a block of lines, of all blocks of that name. */
  items<N extends keyof T & string>(name: N): readonly LineOf<T[N]>[] {
    return this.all(name).flatMap((e) => (e.items ?? []) as readonly LineOf<T[N]>[]);
  }
}

const FEW = 24;

function sorted(statements: readonly Statement[]): Map<string, Statement[]> {
  const byName = new Map<string, Statement[]>();
  for (const statement of statements) {
    const list = byName.get(statement.name);
    if (list === undefined) byName.set(statement.name, [statement]);
    else list.push(statement);
  }
  return byName;
}

type LineOf<K> = BodyOf<K> extends LinesBody<infer L> ? Item<L> : never;
