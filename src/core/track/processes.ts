import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, type Instant, Timers } from '../time.ts';
import type { TrackProcessSettings } from './settings.ts';

/** A process as /proc shows it. */
export interface ProcessInfo {
  readonly pid: number;
  /** The name that the kernel keeps, 15 characters at most. */
  readonly name: string;
  /** Its command line, word by word; read only where `wantsWords` says so. Empty for the kernel's own. */
  readonly words?: readonly string[];
}

export type ProcessesEvent =
  | { readonly type: 'configure'; readonly blocks: readonly TrackProcessSettings[] }
  /** All processes there are. */
  | { readonly type: 'all'; readonly processes: readonly ProcessInfo[] }
  /** One that is new, or has become another program. */
  | { readonly type: 'one'; readonly process: ProcessInfo }
  | { readonly type: 'gone'; readonly pid: number };

export interface ProcessesEffect {
  readonly type: 'verdict';
  readonly name: string;
  readonly good: boolean;
  readonly why: string;
}

/** How a block stands. */
export interface ProcessBlockStatus {
  readonly settings: TrackProcessSettings;
  readonly count: number;
  /** `undefined` until the first look. */
  readonly good: boolean | undefined;
}

interface Block {
  settings: TrackProcessSettings;
  readonly pids: Set<number>;
  good: boolean | undefined;
}

/**
 * Counts the processes of each `vrrp_track_process` block, and says whether there are as many as there should be. A
 * change counts when it has lasted: `terminate_delay` after a loss, `fork_delay` after a gain. What is found at the
 * first look counts at once.
 */
export class Processes implements Machine<ProcessesEvent, ProcessesEffect> {
  readonly #blocks = new Map<string, Block>();
  readonly #timers = new Timers<string>();
  #effects: ProcessesEffect[] = [];
  #looked = false;

  handle(event: ProcessesEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event.blocks);
        break;
      case 'all':
        this.#all(event.processes, now);
        break;
      case 'one':
        this.#one(event.process, now);
        break;
      case 'gone':
        for (const block of this.#blocks.values()) {
          if (block.pids.delete(event.pid)) this.#judge(block, 'terminateDelay', now);
        }
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#timers.next();
  }

  timeout(now: Instant): void {
    this.#timers.drain(now, (name) => {
      const block = this.#blocks.get(name);
      if (block !== undefined) this.#tell(block);
    });
  }

  take(): ProcessesEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  status(): ProcessBlockStatus[] {
    return Array.from(this.#blocks.values(), ({ settings, pids, good }) => ({
      settings,
      count: pids.size,
      good,
    }));
  }

  /** A block that looks for the same as before keeps what it found; the others wait for the next look at all. */
  #configure(blocks: readonly TrackProcessSettings[]): void {
    const before = new Map(this.#blocks);
    this.#blocks.clear();
    for (const settings of blocks) {
      const known = before.get(settings.name);
      const same = known !== undefined && sought(known.settings) === sought(settings);
      const block = same ? { ...known, settings } : { settings, pids: new Set<number>(), good: undefined };
      this.#blocks.set(settings.name, block);
    }
    for (const name of before.keys()) {
      if (this.#blocks.get(name)?.good === undefined) this.#timers.clear(name);
    }
    this.#looked = false;
  }

  #all(processes: readonly ProcessInfo[], now: Instant): void {
    for (const block of this.#blocks.values()) {
      const before = block.pids.size;
      block.pids.clear();
      for (const found of processes) if (matches(found, block.settings)) block.pids.add(found.pid);
      this.#judge(block, block.pids.size < before ? 'terminateDelay' : 'forkDelay', now);
    }
    this.#looked = true;
  }

  #one(found: ProcessInfo, now: Instant): void {
    if (!this.#looked) return;
    for (const block of this.#blocks.values()) {
      const before = block.pids.has(found.pid);
      const match = matches(found, block.settings);
      if (before === match) continue;
      if (match) block.pids.add(found.pid);
      else block.pids.delete(found.pid);
      this.#judge(block, match ? 'forkDelay' : 'terminateDelay', now);
    }
  }

  /** `delay`: which one the change has to last for. */
  #judge(block: Block, delay: 'terminateDelay' | 'forkDelay', now: Instant): void {
    const { name, [delay]: wait } = block.settings;
    if (isGood(block) === block.good) {
      this.#timers.clear(name);
    } else if (block.good === undefined || wait === (0 as Duration)) {
      this.#timers.clear(name);
      this.#tell(block);
    } else if (this.#timers.due(name) === undefined) {
      this.#timers.set(name, after(now, wait));
    }
  }

  #tell(block: Block): void {
    const good = isGood(block);
    if (good === block.good) return;
    block.good = good;
    const { name, quorum, quorumMax } = block.settings;
    const most = quorumMax === undefined ? '' : ` and at most ${quorumMax}`;
    const why = `${block.pids.size} running, at least ${quorum}${most} wanted`;
    this.#effects.push({ type: 'verdict', name, good, why });
  }
}

const isGood = ({ pids, settings: { quorum, quorumMax } }: Block): boolean =>
  pids.size >= quorum && (quorumMax === undefined || pids.size <= quorumMax);

const sought = ({ command, parameters, match, fullCommand }: TrackProcessSettings): string =>
  JSON.stringify([command, parameters, match, fullCommand]);

/** Whether a process's command line has to be read: it costs more than the name. */
export const wantsWords = (blocks: readonly TrackProcessSettings[], name: string): boolean =>
  blocks.some((block) => block.fullCommand || (block.parameters !== undefined && block.command === name));

function matches({ name, words = [] }: ProcessInfo, settings: TrackProcessSettings): boolean {
  const { command, parameters, match, fullCommand } = settings;
  if ((fullCommand ? words[0] : name) !== command) return false;
  if (parameters === undefined) return true;
  const given = words.slice(1);
  if (match === 'exact' && given.length !== parameters.length) return false;
  return parameters.every((parameter, i) => {
    const last = i === parameters.length - 1;
    const word = given[i];
    return match === 'partial' && last ? word?.startsWith(parameter) === true : word === parameter;
  });
}
