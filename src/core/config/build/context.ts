import type { Facts, Runner } from '../facts.ts';
import type { Findings } from '../findings.ts';
import type { Reader } from '../include.ts';
import type { Token } from '../lex.ts';
import { nearest } from '../spelling.ts';
import type { Statement } from '../tree.ts';

/** What all builders share: where findings go, what is known of the host, and where things stand. */
export interface Context {
  readonly findings: Findings;
  readonly facts: Facts;
  /** For files that hold keys. */
  readonly reader: Reader;
  /** `script_user`, else the user that keepalived looks for; absent for the daemon's own. */
  readonly scriptUser?: Runner;
  /** `enable_script_security`. */
  readonly secure: boolean;
  /** Where a block of the file stands among the others. */
  readonly order: ReadonlyMap<Token, number>;
}

/** The places of the blocks, by their keywords. */
export const orderOf = (statements: readonly Statement[]): Map<Token, number> =>
  new Map(statements.map(({ keyword }, place) => [keyword, place]));

/** Reports a name that nothing in the file has, with the nearest that something has. */
export function unknownName(
  findings: Findings,
  at: Token,
  what: string,
  name: string,
  known: Iterable<string>,
): void {
  const near = nearest(name, known);
  const hint = near === undefined ? undefined : `did you mean ${near}?`;
  findings.error(at, `there is no ${what} ${name}`, { hint });
}

/** Blocks by name; of a name that comes twice the first counts, as in keepalived. */
export class Names {
  readonly #first = new Map<string, Token>();
  readonly #what: string;
  readonly #findings: Findings;

  constructor(what: string, findings: Findings) {
    this.#what = what;
    this.#findings = findings;
  }

  /** Whether the name is new. */
  add(name: string, at: Token): boolean {
    const first = this.#first.get(name);
    if (first === undefined) {
      this.#first.set(name, at);
      return true;
    }
    const related = { what: 'the first is here', span: first };
    this.#findings.warning(at, `${this.#what} ${name} is defined twice: the first counts`, { related });
    return false;
  }
}
