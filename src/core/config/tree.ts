import type { Token } from './lex.ts';
import type { Body, Keyword, KeywordsBody, LinesBody, Table } from './schema.ts';

/** A statement of the file: a keyword, the values of its arguments, and what its braces held. */
export interface Statement {
  /** The keyword's name in its table; an alias has become what it stands for. */
  readonly name: string;
  readonly keyword: Token;
  readonly spec: Keyword;
  readonly words: readonly Token[];
  /** `undefined` when an argument was wrong: that has been reported. */
  readonly values: readonly unknown[] | undefined;
  readonly body: BlockContent | undefined;
}

export interface BlockContent {
  readonly statements: readonly Statement[];
  readonly items: readonly Item<unknown>[];
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

/** A statement with the types that its table gives it. */
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
  readonly #byName = new Map<string, Statement[]>();

  /** There was an error within the block. */
  readonly damaged: boolean;

  constructor(statements: readonly Statement[], damaged = false) {
    this.damaged = damaged;
    for (const statement of statements) {
      const list = this.#byName.get(statement.name);
      if (list === undefined) this.#byName.set(statement.name, [statement]);
      else list.push(statement);
    }
  }

  /** Whether the keyword was written, rightly or not. */
  has(name: keyof T & string): boolean {
    return this.#byName.has(name);
  }

  /** The keyword's last place, for messages. */
  token(name: keyof T & string): Token | undefined {
    return this.#byName.get(name)?.at(-1)?.keyword;
  }

  /** Its statements as they were parsed. */
  statements(name: keyof T & string): readonly Statement[] {
    return this.#byName.get(name) ?? [];
  }

  /** Every statement of that keyword whose arguments were right. */
  all<N extends keyof T & string>(name: N): Entry<T[N]>[] {
    const statements = this.#byName.get(name) ?? [];
    return statements.flatMap((s) => (s.values === undefined ? [] : [entry<T[N]>(s, s.values)]));
  }

  /** The last of them: it is the one that counts. */
  last<N extends keyof T & string>(name: N): Entry<T[N]> | undefined {
    const statements = this.#byName.get(name) ?? NONE;
    for (let i = statements.length - 1; i >= 0; i--) {
      const statement = statements[i];
      if (statement?.values !== undefined) return entry<T[N]>(statement, statement.values);
    }
    return undefined;
  }

  /** Its first argument's value. */
  value<N extends keyof T & string>(name: N): FirstOf<T[N]> | undefined {
    const statement = this.#byName.get(name)?.findLast(({ values }) => values !== undefined);
    return statement?.values?.[0] as FirstOf<T[N]> | undefined;
  }

  /** The lines of a block of lines, of all blocks of that name. */
  items<N extends keyof T & string>(name: N): readonly LineOf<T[N]>[] {
    return this.all(name).flatMap((e) => (e.items ?? []) as readonly LineOf<T[N]>[]);
  }
}

type LineOf<K> = BodyOf<K> extends LinesBody<infer L> ? Item<L> : never;

function entry<K>(statement: Statement, values: readonly unknown[]): Entry<K> {
  const body: Body | undefined = statement.spec.body;
  const content = statement.body ?? { statements: [], items: [], damaged: true };
  return {
    keyword: statement.keyword,
    words: statement.words,
    values,
    section: body?.kind === 'keywords' ? new Section(content.statements, content.damaged) : undefined,
    items: body?.kind === 'lines' ? content.items : undefined,
  } as unknown as Entry<K>;
}
