import { renameSync } from 'node:fs';
import { join } from 'node:path';
import Conf from 'conf';
import type { Decision } from '../core/balance/orders.ts';

/** What an operator decided and a restart must not forget. */
export interface OperatorState {
  /** `vipkeeper maintenance on`: this director holds no VIP until it is taken back. */
  maintenance: boolean;
  /** Drains and weights of real servers. */
  decisions: readonly Decision[];
}

const DEFAULTS: OperatorState = { maintenance: false, decisions: [] };
const NAME = 'operator';

/**
 * The operator's decisions in `folder`/operator.json (mode 0600), written whole by rename and synced. A file that
 * can't be understood is put aside as operator.json.broken, `onBroken` is told, and the state starts clean.
 * Throws when the folder can't be used.
 */
export class Store {
  readonly #conf: Conf<OperatorState>;

  constructor(folder: string, onBroken: (message: string) => void) {
    const open = (): Conf<OperatorState> =>
      new Conf({ cwd: folder, configName: NAME, configFileMode: 0o600, defaults: DEFAULTS });
    try {
      this.#conf = open();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const file = join(folder, `${NAME}.json`);
      if (code !== undefined)
        throw new Error(`cannot keep the operator's decisions in ${folder}: ${message}`);
      renameSync(file, `${file}.broken`);
      onBroken(`${file}: ${message}: put aside as ${NAME}.json.broken, starting clean`);
      this.#conf = open();
    }
  }

  get maintenance(): boolean {
    return this.#conf.get('maintenance') === true;
  }

  set maintenance(on: boolean) {
    this.#conf.set('maintenance', on);
  }

  /** Whatever else stands there is not ours, and goes with the next decision. */
  get decisions(): readonly Decision[] {
    const found: unknown = this.#conf.get('decisions');
    return Array.isArray(found) ? found.filter(isDecision) : [];
  }

  set decisions(decisions: readonly Decision[]) {
    this.#conf.set('decisions', decisions);
  }
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
