import {
  Watchdog,
  type WatchdogEffect,
  type WatchdogEvent,
  type WatchdogSettings,
  type WatchdogStatus,
} from '../../core/fence/watchdog.ts';
import { now } from '../../io/clock.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { WatchdogDevice } from '../../io/watchdog.ts';
import type { Level } from '../messages.ts';

/** The watchdog of this host, in the process that elects: what does not turn does not feed it. */
export class Keeper {
  readonly #driver: Driver;
  readonly #illegal: () => readonly string[];
  readonly #log: (level: Level, message: string) => void;
  #settings: WatchdogSettings | undefined;
  #machine: Watchdog | undefined;
  #driven: Driven<WatchdogEvent> | undefined;
  #device: WatchdogDevice | undefined;

  /** `illegal`: what is held that must not be. */
  constructor(
    driver: Driver,
    illegal: () => readonly string[],
    log: (level: Level, message: string) => void,
  ) {
    this.#driver = driver;
    this.#illegal = illegal;
    this.#log = log;
  }

  configure(settings: WatchdogSettings | undefined): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.close(true);
    this.#settings = settings;
    if (settings === undefined) return;
    const birth = { settings, begun: now() };
    const machine = new Watchdog(settings, birth.begun);
    this.#machine = machine;
    this.#driven = this.#driver.record(
      machine,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'watchdog', name: 'watchdog', birth },
    );
  }

  /** `disarm` unless it is to reset this host. */
  close(disarm: boolean): void {
    this.#driven?.detach();
    try {
      this.#device?.close(disarm);
    } catch (error) {
      this.#log('error', `the watchdog cannot be disarmed: ${(error as Error).message}`);
    }
    this.#driven = undefined;
    this.#device = undefined;
    this.#machine = undefined;
    this.#settings = undefined;
  }

  status(): WatchdogStatus | undefined {
    return this.#machine?.status();
  }

  #perform(effect: WatchdogEffect): void {
    switch (effect.type) {
      case 'open':
        this.#open(effect.settings);
        break;
      case 'look':
        this.#driven?.handle({ type: 'found', illegal: this.#illegal() });
        break;
      case 'feed':
        this.#device?.feed((error) => this.#log('error', `the watchdog takes no food: ${error.message}`));
        break;
      case 'log':
        this.#log(effect.level, effect.message);
        break;
    }
  }

  #open({ device, timeout }: WatchdogSettings): void {
    try {
      this.#device = new WatchdogDevice(device, timeout);
      this.#driven?.handle({ type: 'opened', timeout: this.#device.timeout ?? timeout });
    } catch (error) {
      this.#driven?.handle({ type: 'failed', why: (error as Error).message });
    }
  }
}
