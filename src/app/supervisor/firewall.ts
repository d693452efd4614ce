import { readFileSync } from 'node:fs';
import type { Configuration } from '../../core/config/model.ts';
import type { Link } from '../../core/netlink/link.ts';
import { type FirewallSettings, removal, ruleset } from '../../core/reconcile/firewall.ts';
import { wantedLinks } from '../../core/reconcile/vmac-wants.ts';
import type { VrrpSettings } from '../../core/vrrp/settings.ts';
import type { KeptFiles } from '../../io/kept.ts';
import { runNft } from '../../io/nft.ts';
import { RouteMonitor, RouteSocket } from '../../io/route.ts';
import type { Level } from '../messages.ts';
import type { DaemonOptions } from '../options.ts';
import { clearRemains } from './remains.ts';

/** Links come and go in bunches. */
const SETTLE_MS = 100;
/** What did not work is tried again after this time. */
const RETRY_MS = 5000;

/**
 * The packet filter's rules that virtual routers need, kept by the supervisor: `no_accept`, and VMACs that keep quiet.
 * A note in the run directory names the tables, so that the next life finds what a crash left.
 */
export class Firewall {
  readonly #files: KeptFiles;
  readonly #note: string;
  readonly #log: (level: Level, message: string) => void;
  #instances: readonly VrrpSettings[] = [];
  #settings: FirewallSettings | undefined;
  #applied: string | undefined;
  #monitor: RouteMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The name of the tables in the kernel that are ours, as far as known. */
  #named: string | undefined;
  #complaint: string | undefined;
  #needsNumbers = false;
  #closed = false;
  /** Scripts run one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(runDir: string, files: KeptFiles, log: (level: Level, message: string) => void) {
    this.#note = `${runDir}/nftables`;
    this.#files = files;
    this.#log = log;
    this.#named = readNote(this.#note);
  }

  /** Resolves when the rules are what these virtual routers need. */
  configure(instances: readonly VrrpSettings[], settings: FirewallSettings): Promise<void> {
    this.#instances = instances;
    this.#settings = settings;
    this.#needsNumbers = wantedLinks(instances).length > 0 || settings.byIndex;
    if (this.#needsNumbers) this.#watch();
    else this.#unwatch();
    return this.#apply();
  }

  /** Nothing is left that drops packets, and no address that they would be for; with `-V` all stays as it is. */
  async end(configuration: Configuration, options: DaemonOptions): Promise<void> {
    if (!options.dontReleaseVrrp) await this.#close();
    clearRemains(configuration, options, this.#log);
  }

  /** Removes what is there, and watches no more. */
  #close(): Promise<void> {
    this.#closed = true;
    this.#instances = [];
    this.#needsNumbers = false;
    this.#unwatch();
    return this.#apply();
  }

  #apply(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#settle());
    return this.#turn;
  }

  /** What does not work now is said once, and tried again. */
  async #settle(): Promise<void> {
    let why: string | undefined;
    try {
      why = await this.#change();
    } catch (error) {
      why = (error as Error).message;
    }
    if (why !== undefined && why !== this.#complaint)
      this.#log('error', `no_accept and VMACs need rules of the packet filter, which failed: ${why}`);
    this.#complaint = why;
    if (why !== undefined && !this.#closed) this.#later(RETRY_MS);
  }

  /** Why the rules are not as they should be, if they are not. */
  async #change(): Promise<string | undefined> {
    if (this.#settings === undefined) return undefined;
    const { table } = this.#settings;
    const script = ruleset(this.#instances, this.#settings, this.#links());
    if (script === this.#applied && script !== undefined) return undefined;
    const before = this.#named;
    if (script === undefined && before === undefined) return undefined;
    const stale = before !== undefined && before !== table ? removal(before) : '';
    // Written before, so that nothing is left behind unnamed.
    if (script !== undefined) this.#name(table);
    const why = await runNft(`${stale}${script ?? removal(table)}`);
    if (why !== undefined) return why;
    this.#applied = script;
    if (script === undefined) this.#name(undefined);
    return undefined;
  }

  #name(table: string | undefined): void {
    this.#named = table;
    this.#files.keep(this.#note, table && `${table}\n`);
  }

  #links(): Link[] {
    const route = new RouteSocket();
    try {
      return route.links();
    } finally {
      route.close();
    }
  }

  #later(pause: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#needsNumbers) this.#watch();
      void this.#apply();
    }, pause);
  }

  #watch(): void {
    if (this.#monitor !== undefined) return;
    const later = (): void => this.#later(SETTLE_MS);
    try {
      const monitor = new RouteMonitor();
      monitor.start({ event: ({ type }) => type === 'link' && later(), resync: later });
      this.#monitor = monitor;
    } catch (error) {
      this.#log(
        'warning',
        `the packet filter's rules may be late for new interfaces: ${(error as Error).message}`,
      );
      this.#later(RETRY_MS);
    }
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#monitor?.close();
    this.#monitor = undefined;
  }
}

/** The name of the tables that an earlier daemon made: whoever comes after a crash finds them by it. */
function readNote(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
