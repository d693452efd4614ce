import type { CheckState, Role, VrrpNews } from '../messages.ts';

/** How long a status waits for a process that is asked. */
const LOOK_MS = 2000;
const ASKED = ['vrrp', 'check'] as const;

/** Those who ask for the status, and wait for what the processes know now: these do not tell it all the time. */
export class Lookers {
  readonly #send: (role: Role) => boolean;
  readonly #waiting = { vrrp: new Set<() => void>(), check: new Set<() => void>() };

  /** `send` asks a process, and says whether there is one. */
  constructor(send: (role: Role) => boolean) {
    this.#send = send;
  }

  /** Asks all that there are. Resolves when they have answered, or after a while: one may be busy. */
  async look(): Promise<void> {
    await Promise.all(ASKED.map((role) => this.#send(role) && this.#answer(role)));
  }

  /** Whether it was asked for or not: a state with all routers is an answer. */
  vrrp({ instances, names }: VrrpNews): void {
    if (instances.length === names.length) this.#answered('vrrp');
  }

  check({ detailed }: CheckState): void {
    if (detailed) this.#answered('check');
  }

  #answer(role: (typeof ASKED)[number]): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, LOOK_MS);
      this.#waiting[role].add(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  #answered(role: (typeof ASKED)[number]): void {
    const waiting = [...this.#waiting[role]];
    this.#waiting[role].clear();
    for (const seen of waiting) seen();
  }
}
