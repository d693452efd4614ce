import {
  type DeviceStatus,
  Fencing,
  type FencingEffect,
  type FencingEvent,
} from '../../core/fence/device.ts';
import type { FencingSettings } from '../../core/fence/settings.ts';
import { now } from '../../io/clock.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { runAgent } from '../../io/fenceagent.ts';
import type { Level, ToVrrp } from '../messages.ts';

type Fenced = Extract<ToVrrp, { type: 'fenced' }>;

/** Switches directors off that are silent and in the way, by their devices' agents. */
export class Fencer {
  readonly #fencing = new Fencing();
  readonly #driven: Driven<FencingEvent>;
  readonly #tell: (message: Fenced) => void;
  readonly #log: (level: Level, message: string) => void;
  #onFailure: FencingSettings['onFailure'] = 'wait';

  /** `tell` is for the VRRP process. */
  constructor(driver: Driver, tell: (message: Fenced) => void, log: (level: Level, message: string) => void) {
    this.#tell = tell;
    this.#log = log;
    this.#driven = driver.attach(this.#fencing, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
  }

  configure(settings: FencingSettings | undefined): void {
    this.#onFailure = settings?.onFailure ?? 'wait';
    this.#driven.handle({ type: 'configure', devices: settings?.devices ?? [] });
  }

  /** A director is in the way, and why; without that it is not any more. */
  fence(target: string, why: string | undefined): void {
    this.#driven.handle(why === undefined ? { type: 'heard', target } : { type: 'fence', target, why });
  }

  /** The operator answers for it that the director is off. */
  confirm(target: string): void {
    this.#driven.handle({ type: 'confirm', target });
  }

  /** Looks whether the devices work; the status has what comes of it. */
  test(): void {
    this.#driven.handle({ type: 'test' });
  }

  status(): {
    readonly devices: readonly DeviceStatus[];
    readonly shots: readonly { target: string; phase: string }[];
  } {
    return this.#fencing.status();
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
      case 'failed':
        if (this.#onFailure === 'wait') break;
        this.#log(
          'crit',
          `on_fence_failure take: going on as if ${effect.target} were off; both may have the addresses`,
        );
        this.#tell({ type: 'fenced', director: effect.target, at: now() });
        break;
      case 'log':
        this.#log(effect.level, effect.message);
        break;
    }
  }
}
