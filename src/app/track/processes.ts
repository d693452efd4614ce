import { Gathering } from '../../core/track/gathering.ts';
import {
  type ProcessBlockStatus,
  Processes,
  type ProcessesEffect,
  type ProcessesEvent,
  wantsWords,
} from '../../core/track/processes.ts';
import type { TrackProcessSettings } from '../../core/track/settings.ts';
import type { TrackEvent } from '../../core/vrrp/track.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { ProcessEvents, readProcess, readProcesses } from '../../io/processes.ts';
import type { Level } from '../messages.ts';

/** Events within this time are looked at together: a process that begins says so several times. */
const GATHER_MS = 20;
/** How often all processes are looked at, with the kernel's events and without. */
const HEAL_MS = 60_000;
const POLL_MS = 1000;
const ANSWER_MS = 2000;

/**
 * Watches the processes that virtual routers track: by the kernel's process connector, or, where that does not answer
 * (without CAP_NET_ADMIN, in a network or process namespace), by a look at /proc each second.
 */
export class TrackedProcesses {
  readonly #machine = new Processes();
  readonly #driven: Driven<ProcessesEvent>;
  readonly #tell: (events: readonly TrackEvent[]) => void;
  readonly #log: (level: Level, message: string) => void;
  readonly #verdicts = new Map<string, TrackEvent>();
  #blocks: readonly TrackProcessSettings[] = [];
  #events: ProcessEvents | undefined;
  #polling: NodeJS.Timeout | undefined;
  readonly #gathered = new Gathering();
  #gathering: NodeJS.Timeout | undefined;

  constructor(
    driver: Driver,
    tell: (events: readonly TrackEvent[]) => void,
    log: (level: Level, message: string) => void,
  ) {
    this.#tell = tell;
    this.#log = log;
    this.#driven = driver.attach(this.#machine, (effects) => {
      for (const effect of effects) this.#verdict(effect);
    });
  }

  /** Exactly these from now on. */
  configure(blocks: readonly TrackProcessSettings[]): void {
    this.#blocks = blocks;
    const names = new Set(blocks.map(({ name }) => name));
    for (const name of this.#verdicts.keys()) if (!names.has(name)) this.#verdicts.delete(name);
    this.#driven.handle({ type: 'configure', blocks });
    if (blocks.length === 0) this.#rest();
    else if (this.#polling === undefined) void this.#begin();
    if (blocks.length > 0) this.#look();
  }

  tellAll(): void {
    if (this.#verdicts.size > 0) this.#tell([...this.#verdicts.values()]);
  }

  status(): ProcessBlockStatus[] {
    return this.#machine.status();
  }

  async #begin(): Promise<void> {
    this.#poll(POLL_MS);
    const events = new ProcessEvents();
    this.#events = events;
    try {
      await events.start(
        { news: ({ type, pid }) => this.#gather(pid, type), lost: () => this.#look() },
        ANSWER_MS,
      );
      if (this.#events !== events) return;
      this.#poll(HEAL_MS);
      // What happened before the kernel's word.
      this.#look();
      this.#log('info', 'tracked processes: the kernel tells of changes');
    } catch (error) {
      events.close();
      if (this.#events !== events) return;
      const why = (error as Error).message;
      this.#log(
        'notice',
        `tracked processes: looked at each second, the process connector does not work: ${why}`,
      );
    }
  }

  #rest(): void {
    clearInterval(this.#polling);
    this.#polling = undefined;
    this.#events?.close();
    this.#events = undefined;
  }

  #poll(period: number): void {
    clearInterval(this.#polling);
    this.#polling = setInterval(() => this.#look(), period).unref();
  }

  readonly #wantsWords = (name: string): boolean => wantsWords(this.#blocks, name);

  #look(): void {
    this.#gathered.clear();
    this.#driven.handle({ type: 'all', processes: readProcesses(this.#wantsWords) });
  }

  #gather(pid: number, type: 'ended' | 'changed'): void {
    this.#gathered.add(pid, type);
    this.#gathering ??= setTimeout(() => this.#lookAtGathered(), GATHER_MS);
  }

  #lookAtGathered(): void {
    this.#gathering = undefined;
    const gathered = this.#gathered.take();
    if (gathered === 'all') {
      this.#look();
      return;
    }
    for (const [pid, type] of gathered) {
      const found = type === 'ended' ? undefined : readProcess(pid, this.#wantsWords);
      this.#driven.handle(found === undefined ? { type: 'gone', pid } : { type: 'one', process: found });
    }
  }

  #verdict({ name, good, why }: ProcessesEffect): void {
    const verdict: TrackEvent = { type: 'track', kind: 'process', name, good, why };
    this.#verdicts.set(name, verdict);
    this.#log(good ? 'notice' : 'warning', `track_process ${name}: ${why}`);
    this.#tell([verdict]);
  }
}
