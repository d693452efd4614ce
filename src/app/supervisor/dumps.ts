import { extname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Configuration } from '../../core/config/model.ts';
import { print } from '../../core/config/print.ts';
import { withoutSecrets } from '../../core/config/secrets.ts';
import { jsonText, sinceThen, statisticsText } from '../../core/dump.ts';
import type { DaemonStatus } from '../../core/status/facts.ts';
import { statusReport } from '../../core/status/report.ts';
import type { SignalName } from '../../core/supervision/signals.ts';
import { type Instant, since, toSeconds } from '../../core/time.ts';
import type { ProcessBlockStatus } from '../../core/vrrp/processes.ts';
import type { VrrpStatistics } from '../../core/vrrp/statistics.ts';
import { now } from '../../io/clock.ts';
import { writeDump } from '../../io/dump.ts';
import type { Level } from '../messages.ts';
import { statusLines } from '../status.ts';

/** What the files are made from. */
export interface DumpSource {
  configuration(): Configuration;
  status(): DaemonStatus;
  processes(): ProcessBlockStatus[];
  onSignal(name: SignalName, act: () => void): void;
  log(level: Level, message: string): void;
}

const folder = (): string => process.env.TMPDIR ?? '/tmp';
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
    source.onSignal('DATA', () => this.#data());
    source.onSignal('STATS', () => this.#statistics());
    source.onSignal('STATS_CLEAR', () => {
      this.#statistics();
      this.#clear();
    });
    source.onSignal('JSON', () => this.#json());
    source.onSignal('TDUMP', () => this.#threads());
  }

  #data(): void {
    const configuration = this.#source.configuration();
    const { state = join(folder(), 'keepalived.data') } = configuration.global.dumps;
    const status = this.#source.status();
    const iso = (at: Instant): string => new Date(wall(at) * 1000).toISOString();
    const seen = { now: now(), iso };
    const lines = (part: Partial<DaemonStatus>): string =>
      stripVTControlCharacters(statusLines(statusReport({ ...status, ...part }, seen)).join('\n'));
    this.#write(state, `${lines({ check: null })}\n`);
    this.#write(beside(state, '_check'), `${lines({ vrrp: null, sync: null })}\n`);
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
