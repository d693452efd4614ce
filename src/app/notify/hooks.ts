import { unreachable } from '../../core/assert.ts';
import { insecurity } from '../../core/config/security.ts';
import { type Hook, Hooks, type HooksEffect, type HooksEvent } from '../../core/notify/hooks.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { type HookEnd, startHook } from '../../io/hooks.ts';
import { hostFacts } from '../../io/host.ts';
import type { Program } from '../../io/programs.ts';
import type { Level } from '../messages.ts';

/** Who runs scripts, and what is looked at before. */
export interface ScriptRules {
  /** `script_user`; the daemon's own when absent. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** `enable_script_security`. */
  readonly secure: boolean;
  /** `set_supplementary_groups`. */
  readonly groups: boolean;
}

/** keepalived keeps these from scripts. */
const WITHHELD = ['IFS', 'LD_PRELOAD', 'LD_LIBRARY_PATH'];

/** The daemon's environment, without what is not for scripts. */
export function scriptEnvironment(
  more: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !WITHHELD.includes(name));
  return { ...Object.fromEntries(own), ...more };
}

/** Why a command is not run; `shortage`: it cannot be looked at now, which says nothing about it. */
export interface Refusal {
  readonly why: string;
  readonly shortage: boolean;
}

/** Why a command must not run: looked at each time, for what was safe at the check may have changed. */
export function refusal(
  [program = '']: readonly string[],
  uid: number,
  { secure }: ScriptRules,
): Refusal | undefined {
  try {
    const writable = secure ? insecurity(hostFacts.program(program), uid) : undefined;
    if (writable === undefined) return undefined;
    const why = `not run: others can write ${writable}, and root would run it (enable_script_security)`;
    return { why, shortage: false };
  } catch (error) {
    return { why: `not run: it cannot be looked at now (${(error as Error).message})`, shortage: true };
  }
}

/** Starts one script, by the rules. `ended` is called once, never before this returns. */
export function runScript(
  { command, user, environment }: Pick<Hook, 'command' | 'user' | 'environment'>,
  rules: ScriptRules,
  ended: (end: HookEnd) => void,
): Program | undefined {
  const { uid, gid } = user ?? rules.user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const refused = refusal(command, uid, rules);
  if (refused !== undefined) {
    setImmediate(() => ended({ why: refused.why, said: '' }));
    return undefined;
  }
  return startHook(command, { uid, gid, groups: rules.groups }, scriptEnvironment(environment), ended);
}

/** Runs the scripts that events start. */
export class HookRunner {
  readonly #machine = new Hooks();
  readonly #driven: Driven<HooksEvent>;
  readonly #programs = new Map<number, Program>();
  readonly #log: (level: Level, message: string) => void;
  #rules: ScriptRules;
  #idle: (() => void) | undefined;

  constructor(driver: Driver, rules: ScriptRules, log: (level: Level, message: string) => void) {
    this.#rules = rules;
    this.#log = log;
    this.#driven = driver.attach(this.#machine, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  set rules(rules: ScriptRules) {
    this.#rules = rules;
  }

  /** Those of one event. */
  run(subject: string, hooks: readonly Hook[], urgent: boolean): void {
    if (hooks.length > 0) this.#driven.handle({ type: 'run', subject, hooks, urgent });
  }

  /** Waits until nothing runs, `limit` milliseconds at most, and kills what is left. */
  async close(limit: number): Promise<void> {
    if (!this.#machine.idle) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        setTimeout(resolve, limit);
      });
    }
    this.#driven.detach();
    for (const program of this.#programs.values()) program.kill('SIGKILL');
  }

  #perform(effect: HooksEffect): void {
    switch (effect.type) {
      case 'start':
        this.#start(effect);
        break;
      case 'kill':
        this.#programs.get(effect.id)?.kill(effect.signal);
        break;
      case 'log':
        this.#log(effect.level, effect.message);
        break;
      default:
        unreachable(effect);
    }
  }

  #start({ id, hook }: Extract<HooksEffect, { type: 'start' }>): void {
    const program = runScript(hook, this.#rules, (end) => {
      this.#programs.delete(id);
      this.#driven.handle({ type: 'ended', id, ...end });
      if (this.#machine.idle) this.#idle?.();
    });
    if (program !== undefined) this.#programs.set(id, program);
  }
}
