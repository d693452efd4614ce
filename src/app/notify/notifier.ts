import type { Configuration } from '../../core/config/model.ts';
import type { GroupHappening, Happening, InstanceHappening } from '../../core/notify/happening.ts';
import { Missed } from '../../core/notify/missed.ts';
import { Reactions, routerLine } from '../../core/notify/reactions.ts';
import { now } from '../../io/clock.ts';
import type { Driver } from '../../io/drive.ts';
import type { Level, VrrpState } from '../messages.ts';
import { Fifos } from './fifos.ts';
import { HookRunner, type ScriptRules } from './hooks.ts';
import { Mailer } from './mailer.ts';

/** Who runs the scripts of a configuration. */
export function scriptRules({ global }: Configuration): ScriptRules {
  const { scriptUser, scriptSecurity, scriptGroups } = global;
  return {
    ...(scriptUser !== undefined && { user: scriptUser }),
    secure: scriptSecurity,
    groups: scriptGroups,
  };
}

/** Tells others what happened: by scripts, named pipes and mail. Nobody in the daemon waits for any of it. */
export class Notifier {
  readonly #reactions: Reactions;
  readonly #hooks: HookRunner;
  readonly #fifos: Fifos;
  readonly #mailer: Mailer;
  readonly #missed = new Missed();
  readonly #log: (level: Level, message: string) => void;
  #configuration: Configuration;
  /** By name: what the FIFOs know of the virtual routers. */
  #states: VrrpState | undefined;

  constructor(driver: Driver, configuration: Configuration, log: (level: Level, message: string) => void) {
    const rules = scriptRules(configuration);
    this.#configuration = configuration;
    this.#log = log;
    this.#reactions = new Reactions(configuration.notify);
    this.#hooks = new HookRunner(driver, rules, log);
    this.#fifos = new Fifos(rules, log);
    this.#mailer = new Mailer(driver, configuration, log);
  }

  /** Opens the pipes and starts their readers: once at the start, and again after each reload. */
  configure(configuration: Configuration, reloaded: boolean): void {
    const rules = scriptRules(configuration);
    this.#configuration = configuration;
    this.#reactions.configure(configuration.notify);
    this.#hooks.rules = rules;
    this.#mailer.configuration = configuration;
    this.#fifos.configure(configuration.notify.fifos, rules);
    if (reloaded && configuration.notify.statesOnReload) this.#repeatStates();
  }

  happened(happening: Happening): void {
    this.#missed.told(happening);
    const { subject, hooks, urgent, line, mail } = this.#reactions.to(happening);
    if (line !== undefined) this.#fifos.write(line.kinds, line.text);
    this.#hooks.run(subject, hooks, urgent);
    if (mail !== undefined) this.#mailer.post(mail);
  }

  /** What the VRRP process says of itself now and then. */
  knows(states: VrrpState): void {
    this.#states = states;
    for (const happening of this.#missed.find(states.instances, now())) {
      this.#log('warning', `${happening.name}: nobody was told yet that it is ${happening.what}`);
      this.happened(happening);
    }
  }

  /** What does not work now, for people. */
  get troubles(): string[] {
    return this.#fifos.troubles;
  }

  /** Gives scripts that still run, and mails on their way, `limit` milliseconds. */
  async close(limit: number): Promise<void> {
    await Promise.all([this.#hooks.close(limit), this.#mailer.close(limit)]);
    this.#fifos.close();
  }

  /** `fifo_write_vrrp_states_on_reload`: for a reader that was started by it. */
  #repeatStates(): void {
    const { instances = [], groups = [] } = this.#states ?? {};
    const names = new Set(this.#configuration.instances.map(({ name }) => name));
    const cause = 'a reload repeats it';
    for (const { name, state } of groups) {
      if (state !== 'INIT') this.#repeat({ of: 'group', name, what: state, from: state, cause });
    }
    for (const { name, state, priority } of instances) {
      if (state === 'INIT' || !names.has(name)) continue;
      this.#repeat({ of: 'instance', name, what: state, from: state, priority, cause });
    }
  }

  #repeat(happening: InstanceHappening | GroupHappening): void {
    this.#fifos.write(['all', 'vrrp'], routerLine(happening, happening.what));
  }
}
