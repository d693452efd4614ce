import { unreachable } from '../../core/assert.ts';
import type { ScriptState } from '../../core/dumpdata.ts';
import { Script, type ScriptEffect, type ScriptEvent } from '../../core/track/script.ts';
import { scriptChanges } from '../../core/track/scripts.ts';
import type { ScriptSettings } from '../../core/track/settings.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { type Program, type ProgramEnd, startProgram } from '../../io/programs.ts';
import type { Level } from '../messages.ts';
import { refusal, type ScriptRules } from '../notify/hooks.ts';

/** Nothing is looked at. */
const ANYBODY: ScriptRules = { secure: false, groups: false };

interface Runner {
  settings: ScriptSettings;
  readonly driven: Driven<ScriptEvent>;
  program?: Program;
  verdict?: TrackEvent;
  /** The last run could not begin for want of something. */
  unable?: boolean;
}

/**
 * Runs the scripts that virtual routers track, and tells what they say: changes at once, all that is known now and
 * then. The VRRP process starts no programs: here one that hangs, or thousands, delay no advert.
 */
export class Scripts {
  readonly #driver: Driver;
  readonly #tell: (events: readonly TrackEvent[]) => void;
  readonly #log: (level: Level, message: string) => void;
  readonly #runners = new Map<string, Runner>();
  #rules = ANYBODY;

  constructor(
    driver: Driver,
    tell: (events: readonly TrackEvent[]) => void,
    log: (level: Level, message: string) => void,
  ) {
    this.#driver = driver;
    this.#tell = tell;
    this.#log = log;
  }

  /** Exactly these from now on, those that do not say as whom as the rules' user. */
  configure(scripts: readonly ScriptSettings[], rules = ANYBODY): void {
    const { user } = rules;
    this.#rules = rules;
    const identified = scripts.map((settings) => ({ ...(user !== undefined && { user }), ...settings }));
    const known = new Map(Array.from(this.#runners, ([name, { settings }]) => [name, settings]));
    const { ended, changed, begun } = scriptChanges(known, identified);
    for (const name of ended) this.#end(name);
    for (const settings of changed) this.#change(settings);
    for (const settings of begun) this.#start(settings);
  }

  /** Kills what runs: the daemon ends. */
  close(): void {
    for (const { driven, program } of this.#runners.values()) {
      driven.handle({ type: 'stop' });
      driven.detach();
      program?.kill('SIGKILL');
    }
    this.#runners.clear();
  }

  /** By name: its verdict, if there is one yet, and whether it runs now. */
  states(): ReadonlyMap<string, ScriptState> {
    return new Map(
      Array.from(this.#runners, ([name, { verdict, program }]) => {
        const good = verdict?.kind === 'script' ? verdict.good : undefined;
        return [name, { good, running: program !== undefined }];
      }),
    );
  }

  /** All verdicts that there are. */
  tellAll(): void {
    const events = Array.from(this.#runners.values(), ({ verdict }) => verdict ?? []).flat();
    if (events.length > 0) this.#tell(events);
  }

  #start(settings: ScriptSettings): void {
    const machine = new Script(settings);
    const runner: Runner = {
      settings,
      driven: this.#driver.attach(machine, (effects) => {
        for (const effect of effects) this.#perform(runner, effect);
      }),
    };
    this.#runners.set(settings.name, runner);
    runner.driven.handle({ type: 'start' });
  }

  #end(name: string): void {
    const runner = this.#runners.get(name);
    this.#runners.delete(name);
    runner?.driven.handle({ type: 'stop' });
    if (runner?.program === undefined) runner?.driven.detach();
  }

  #change(settings: ScriptSettings): void {
    const runner = this.#runners.get(settings.name);
    if (runner === undefined) return;
    runner.settings = settings;
    runner.driven.handle({ type: 'configure', settings });
  }

  #perform(runner: Runner, effect: ScriptEffect): void {
    const { name, command, user } = runner.settings;
    switch (effect.type) {
      case 'run': {
        const refused = refusal(command, user?.uid ?? 0, this.#rules);
        if (refused !== undefined) {
          setImmediate(() => runner.driven.handle({ type: 'failed', ...refused }));
          return;
        }
        runner.program = startProgram(command, user, (end) => {
          delete runner.program;
          this.#sayShortage(runner, end);
          runner.driven.handle(end);
          // What was taken out of the configuration was only waited for.
          if (this.#runners.get(name) !== runner) runner.driven.detach();
        });
        break;
      }
      case 'kill':
        runner.program?.kill(effect.signal);
        break;
      case 'verdict':
        runner.verdict = { type: 'track', kind: 'script', name, good: effect.good, why: effect.why };
        this.#log(effect.good ? 'notice' : 'warning', `script ${name}: ${effect.why}`);
        this.#tell([runner.verdict]);
        break;
      default:
        unreachable(effect);
    }
  }

  /** Once, until it runs again. */
  #sayShortage(runner: Runner, end: ProgramEnd): void {
    const unable = end.type === 'failed' && end.shortage === true;
    if (unable && runner.unable !== true)
      this.#log('error', `script ${runner.settings.name}: cannot be run: ${end.why}; it stays as it is`);
    runner.unable = unable;
  }
}
