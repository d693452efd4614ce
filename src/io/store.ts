import { readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Decision } from '../core/balance/orders.ts';
import { mayPass } from '../core/supervision/trouble.ts';
import type { KeptFiles } from './kept.ts';

/** What an operator decided and a restart must not forget. */
export interface OperatorState {
  /** `vipkeeper maintenance on`: this director holds no VIP until it is taken back. */
  readonly maintenance: boolean;
  /** Drains and weights of real servers. */
  readonly decisions: readonly Decision[];
}

const NAME = 'operator.json';
const OPTIONS = { mode: 0o600, synced: true };

/**
 * The operator's decisions: read once, kept in memory, and in `folder`/operator.json (mode 0600, written whole and
 * synced) as soon as it can be written. A file that can't be understood is put aside as operator.json.broken, `warn` is
 * told, and the state starts clean; so it does, with a warning, where the file can't be read now: it is left alone then
 * until something is decided. Throws for a folder that never can be used; later nothing throws.
 */
export class Store {
  readonly #files: KeptFiles;
  readonly #file: string;
  #state: OperatorState;

  constructor(folder: string, files: KeptFiles, warn: (message: string) => void) {
    this.#files = files;
    this.#file = join(folder, NAME);
    const found = read(this.#file, warn);
    this.#state = found ?? CLEAN;
    if (found !== undefined) this.#keep(found);
  }

  get maintenance(): boolean {
    return this.#state.maintenance;
  }

  set maintenance(on: boolean) {
    this.#keep({ ...this.#state, maintenance: on });
  }

  get decisions(): readonly Decision[] {
    return this.#state.decisions;
  }

  set decisions(decisions: readonly Decision[]) {
    this.#keep({ ...this.#state, decisions });
  }

  #keep(state: OperatorState): void {
    this.#state = state;
    this.#files.keep(this.#file, `${JSON.stringify(state, null, 2)}\n`, OPTIONS);
  }
}

const CLEAN: OperatorState = { maintenance: false, decisions: [] };

/** `undefined` where it can't be read at this time. */
function read(file: string, warn: (message: string) => void): OperatorState | undefined {
  try {
    return understood(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return CLEAN;
    if (code === undefined) {
      warn(`${file}: ${message}: ${putAside(file)}, starting clean`);
      return CLEAN;
    }
    if (!mayPass(code))
      throw new Error(`cannot keep the operator's decisions in ${dirname(file)}: ${message}`);
    warn(`what the operator decided before is not known: ${message}`);
    return undefined;
  }
}

function putAside(file: string): string {
  try {
    renameSync(file, `${file}.broken`);
    return `put aside as ${NAME}.broken`;
  } catch (error) {
    return `cannot be put aside (${(error as Error).message})`;
  }
}

/** Whatever else stands there is not ours. */
function understood(found: unknown): OperatorState {
  const { maintenance, decisions } = (found ?? {}) as Record<string, unknown>;
  return {
    maintenance: maintenance === true,
    decisions: Array.isArray(decisions) ? decisions.filter(isDecision) : [],
  };
}

function isDecision(value: unknown): value is Decision {
  const { service, server, drain, weight } = (value ?? {}) as Partial<Record<keyof Decision, unknown>>;
  const { since, until } = (drain ?? { since: 0 }) as { readonly since?: unknown; readonly until?: unknown };
  const isNumber = (each: unknown): boolean => each === undefined || Number.isSafeInteger(each);
  return (
    typeof service === 'string' &&
    typeof server === 'string' &&
    typeof since === 'number' &&
    isNumber(until) &&
    isNumber(weight)
  );
}
