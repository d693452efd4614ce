import { extname, join } from 'node:path';
import type { Configuration } from '../../core/config/model.ts';
import { print } from '../../core/config/print.ts';
import { withoutSecrets } from '../../core/config/secrets.ts';
import { jsonText, sinceThen, statisticsText } from '../../core/dump.ts';
import { checkDataText, type ScriptState, vrrpDataText } from '../../core/dumpdata.ts';
import type { DaemonStatus } from '../../core/status/facts.ts';
import type { SignalName } from '../../core/supervision/signals.ts';
import { type Instant, since, toSeconds } from '../../core/time.ts';
import type { ProcessBlockStatus } from '../../core/track/processes.ts';
import type { VrrpStatistics } from '../../core/vrrp/statistics.ts';
import { now } from '../../io/clock.ts';
import { writeDump } from '../../io/dump.ts';
import type { Level } from '../messages.ts';

/** What the files are made from. */
export interface DumpSource {
  /** Resolves when the processes have told how they stand now. */
  look(): Promise<void>;
  configuration(): Configuration;
  status(): DaemonStatus;
  processes(): ProcessBlockStatus[];
  scripts(): ReadonlyMap<string, ScriptState>;
  onSignal(name: SignalName, act: () => void): void;
  log(level: Level, message: string): void;
}

const folder = (): string => process.env.TMPDIR ?? '/tmp';
/** As ctime(3), with microseconds: `Sat Nov 28 23:49:26.037296 2026`. */
function ctime(seconds: number): string {
  const [day, month, date, year, time] = new Date(seconds * 1000).toString().split(' ');
  const fraction = (seconds % 1).toFixed(6).slice(1);
  return `${day} ${month} ${Number(date)} ${time}${fraction} ${year}`;
}
const wall = (instant: Instant): number => Date.now() / 1000 - toSeconds(since(now(), instant));

/**
 * The files that signals have written, with keepalived's names and at its places. The supervisor writes them all: it
 * knows what every process last said, and the VRRP process writes no files.
 */
export class Dumps {
  readonly #source: DumpSource;
  /** By name: the counters when they were cleared last. */
  #cleared = new Map<string, VrrpStatistics>();

  constructor(source: DumpSource) {
    this.#source = source;
    const onSignal = (name: SignalName, write: () => void): void =>
      source.onSignal(name, () => void source.look().then(write));
    onSignal('DATA', () => this.#data());
    onSignal('STATS', () => this.#statistics());
    onSignal('STATS_CLEAR', () => {
      this.#statistics();
      this.#clear();
    });
    onSignal('JSON', () => this.#json());
    source.onSignal('TDUMP', () => this.#threads());
  }

  #data(): void {
    const configuration = this.#source.configuration();
    const { state = join(folder(), 'keepalived.data') } = configuration.global.dumps;
    const { vrrp, check } = this.#source.status();
    const { instances = [], groups = [] } = vrrp ?? {};
    const seen = { instances, groups, check, scripts: this.#source.scripts(), wall, ctime };
    this.#write(state, vrrpDataText(configuration, seen));
    this.#write(beside(state, '_check'), checkDataText(configuration, seen));
    this.#write(beside(state, '_parent'), print(withoutSecrets(configuration)));
  }

  #statistics(): void {
    const { stats = join(folder(), 'keepalived.stats') } = this.#source.configuration().global.dumps;
    this.#write(stats, statisticsText(this.#instances()));
  }

  #clear(): void {
    const { instances = [] } = this.#source.status().vrrp ?? {};
    this.#cleared = new Map(instances.map(({ name, statistics }) => [name, statistics]));
  }

  #instances() {
    const { instances = [] } = this.#source.status().vrrp ?? {};
    return instances.map((status) => ({
      ...status,
      statistics: sinceThen(status.statistics, this.#cleared.get(status.name)),
    }));
  }

  #json(): void {
    const configuration = this.#source.configuration();
    const { json = join(folder(), 'keepalived.json'), jsonVersion } = configuration.global.dumps;
    const state = { instances: this.#instances(), processes: this.#source.processes(), wall };
    this.#write(json, jsonText(configuration, state, jsonVersion));
  }

  /** keepalived's list of its threads; here processes do the work. */
  #threads(): void {
    const { pid, processes } = this.#source.status();
    const list = processes.map(({ role, pid: child }) => `${role} ${child ?? 'waits for its restart'}`);
    this.#source.log('info', `the processes: ${[`supervisor ${pid}`, ...list].join(', ')}`);
  }

  #write(path: string, text: string): void {
    try {
      writeDump(path, text);
      this.#source.log('info', `wrote ${path}`);
    } catch (error) {
      this.#source.log('error', `cannot write ${path}: ${(error as Error).message}`);
    }
  }
}

/** `keepalived_check.data` beside `keepalived.data`. */
function beside(path: string, what: string): string {
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}${what}${extension}`;
}
