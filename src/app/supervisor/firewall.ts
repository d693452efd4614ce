import { type FirewallSettings, removal, ruleset } from '../../core/kernel/firewall.ts';
import { wantedLinks } from '../../core/kernel/vmac-wants.ts';
import type { Link } from '../../core/netlink/link.ts';
import type { VrrpSettings } from '../../core/vrrp/settings.ts';
import { runNft, TablesNote } from '../../io/nft.ts';
import { RouteMonitor, RouteSocket } from '../../io/route.ts';
import type { Level } from '../messages.ts';

/** Links come and go in bunches. */
const SETTLE_MS = 100;

/**
 * The packet filter's rules that virtual routers need, kept by the supervisor: `no_accept`, and VMACs that keep quiet.
 * A note in the run directory names the tables, so that the next life finds what a crash left.
 */
export class Firewall {
  readonly #note: TablesNote;
  readonly #log: (level: Level, message: string) => void;
  #instances: readonly VrrpSettings[] = [];
  #settings: FirewallSettings | undefined;
  #applied: string | undefined;
  #monitor: RouteMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Scripts run one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(runDir: string, log: (level: Level, message: string) => void) {
    this.#note = new TablesNote(`${runDir}/nftables`);
    this.#log = log;
  }

  /** Resolves when the rules are what these virtual routers need. */
  configure(instances: readonly VrrpSettings[], settings: FirewallSettings): Promise<void> {
    this.#instances = instances;
    this.#settings = settings;
    const numbers = wantedLinks(instances).length > 0 || settings.byIndex;
    if (numbers) this.#watch();
    else this.#unwatch();
    return this.#apply();
  }

  /** Removes what is there, and watches no more. */
  close(): Promise<void> {
    this.#instances = [];
    this.#unwatch();
    return this.#apply();
  }

  #apply(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#settle());
    return this.#turn;
  }

  async #settle(): Promise<void> {
    if (this.#settings === undefined) return;
    const { table } = this.#settings;
    const script = ruleset(this.#instances, this.#settings, this.#links());
    if (script === this.#applied && script !== undefined) return;
    const before = this.#note.read();
    if (script === undefined && before === undefined) return;
    const stale = before !== undefined && before !== table ? removal(before) : '';
    // Written before, so that nothing is left behind unnamed.
    if (script !== undefined) this.#note.write(table);
    const why = await runNft(`${stale}${script ?? removal(table)}`);
    if (why !== undefined) {
      this.#log('error', `no_accept and VMACs need rules that nft did not take: ${why}`);
      return;
    }
    this.#applied = script;
    if (script === undefined) this.#note.remove();
  }

  #links(): Link[] {
    const route = new RouteSocket();
    try {
      return route.links();
    } finally {
      route.close();
    }
  }

  #watch(): void {
    if (this.#monitor !== undefined) return;
    const later = (): void => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        void this.#apply();
      }, SETTLE_MS);
    };
    this.#monitor = new RouteMonitor();
    this.#monitor.start({ event: ({ type }) => type === 'link' && later(), resync: later });
  }

  #unwatch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#monitor?.close();
    this.#monitor = undefined;
  }
}
