import {
  type FenceOutcome,
  Fencing,
  type FencingEffect,
  type FencingEvent,
} from '../../core/fence/device.ts';
import { DeviceHealth, type HealthEffect, type HealthEvent } from '../../core/fence/health.ts';
import { type PlannedRun, plannedRuns } from '../../core/fence/plan.ts';
import type { FencingSettings } from '../../core/fence/settings.ts';
import type { AlarmHappening } from '../../core/notify/happening.ts';
import type { FencingFacts } from '../../core/status/facts.ts';
import type { Instant } from '../../core/time.ts';
import { monotonicOrigin } from '../../io/clock.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { runAgent } from '../../io/fenceagent.ts';
import type { FromChild, Level, ToVrrp } from '../messages.ts';
import type { FenceMemory } from './fencememory.ts';

type Told = Extract<ToVrrp, { type: 'fenced' | 'unfenced' }>;
type Alarm = Pick<AlarmHappening, 'about' | 'name' | 'what' | 'cause'>;
/** A director is in the way, and why; without that it is not any more. */
type Wish = Pick<Extract<FromChild<unknown>, { type: 'fence' }>, 'director' | 'why' | 'onFailure'>;

/** Switches directors off that are silent and in the way, by their devices' agents. */
export class Fencer {
  readonly #fencing = new Fencing();
  readonly #health = new DeviceHealth();
  readonly #driven: Driven<FencingEvent>;
  readonly #peacetime: Driven<HealthEvent>;
  readonly #memory: FenceMemory;
  readonly #tell: (message: Told) => void;
  readonly #alarm: (alarm: Alarm) => void;
  readonly #log: (level: Level, message: string) => void;
  #settings: FencingSettings | undefined;
  #begun = false;

  /** `tell` is for the VRRP process. */
  constructor(
    driver: Driver,
    memory: FenceMemory,
    tell: (message: Told) => void,
    happened: (happening: AlarmHappening) => void,
    log: (level: Level, message: string) => void,
  ) {
    this.#memory = memory;
    this.#tell = tell;
    this.#alarm = (alarm) => happened({ of: 'alarm', ...alarm });
    this.#log = log;
    this.#driven = driver.attach(this.#fencing, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
    this.#peacetime = driver.attach(this.#health, (effects) => {
      for (const effect of effects) this.#look(effect);
    });
  }

  configure(settings: FencingSettings | undefined): void {
    this.#settings = settings;
    const devices = settings?.devices ?? [];
    this.#driven.handle({ type: 'configure', devices });
    this.#peacetime.handle({ type: 'configure', devices });
    if (!this.#begun) for (const target of this.#memory.off) this.#driven.handle({ type: 'recall', target });
    this.#begun = true;
  }

  fence({ director: target, why, onFailure = 'wait' }: Wish): void {
    if (why === undefined) this.#memory.heard(target);
    this.#driven.handle(
      why === undefined ? { type: 'heard', target } : { type: 'fence', target, why, onFailure },
    );
  }

  /** The operator answers for it that the director is off. */
  confirm(target: string): void {
    this.#driven.handle({ type: 'confirm', target });
  }

  /** The operator switches it off, or on; `status` has what comes of it. */
  order(target: string, order: 'off' | 'on'): void {
    this.#driven.handle({ type: 'order', target, order });
  }

  /** Which agents would be run for that, and how; empty where there is no device for the director. */
  plan(target: string, order: 'off' | 'on'): readonly PlannedRun[] {
    return plannedRuns(this.#settings?.devices ?? [], target, order);
  }

  /** Looks whether the devices work; the status has what comes of it. */
  test(): void {
    this.#peacetime.handle({ type: 'test' });
  }

  status(): FencingFacts {
    const instantOf = (time: number): Instant => Math.round((time - monotonicOrigin()) * 1e3) as Instant;
    return {
      devices: this.#health.status(),
      shots: this.#fencing.shots(),
      history: this.#memory.records.map(({ time, heard, ...record }) => ({
        ...record,
        at: instantOf(time),
        ...(heard !== undefined && { heard: instantOf(heard) }),
      })),
    };
  }

  #perform(effect: FencingEffect): void {
    switch (effect.type) {
      case 'run': {
        const { id, device, action } = effect;
        runAgent(device, action, (end) => this.#driven.handle({ type: 'ended', id, end }));
        break;
      }
      case 'off':
        this.#tell({ type: 'fenced', director: effect.target, at: effect.at });
        break;
      case 'outcome':
        this.#ended(effect);
        break;
      case 'unfenced':
        this.#tell({ type: 'unfenced', director: effect.target, at: effect.at });
        break;
      case 'log':
        this.#log(effect.level, effect.message);
        break;
    }
  }

  #ended(outcome: FenceOutcome): void {
    const { target: name, what, by, why } = outcome;
    if (!this.#memory.take(outcome)) return;
    const cause = what === 'off' ? `switched off by ${by.join(', ')}: ${why}` : why;
    this.#alarm({ about: 'director', name, what: OUTCOMES[what], cause });
  }

  #look(effect: HealthEffect): void {
    if (effect.type === 'run') {
      const { id, device, action } = effect;
      runAgent(device, action, (end) => this.#peacetime.handle({ type: 'ended', id, end }));
      return;
    }
    const { device, works, said } = effect;
    this.#alarm({ about: 'device', name: device.name, what: works ? 'WORKS' : 'DEAD', cause: said });
    if (works) this.#log('notice', `fence device ${device.name} works again`);
    else this.#log('error', `fence device ${device.name} does not work: ${said}`);
  }
}

const OUTCOMES = { off: 'OFF', failed: 'FENCE_FAILED', confirmed: 'CONFIRMED_OFF' } as const;
