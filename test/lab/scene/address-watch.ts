import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from './host.ts';
import { ip, run } from './run.ts';
import type { Scene } from './scene.ts';

/** An address that a host got (or renewed) or lost. */
export interface Moment {
  /** Milliseconds of the wall clock when the watch heard of it. */
  readonly at: number;
  readonly host: string;
  readonly address: string;
  readonly present: boolean;
}

/** Appears and goes on a host's loopback, to learn that its events arrive. */
const PROBE = '192.0.2.1';
const PROBE_PAUSE_MILLISECONDS = 100;
const LINE = /^\[(\S+)\] ?\[nsid (\d+)\](Deleted )?\d+: .* inet6? ([0-9a-f.:]+)\//;

/**
 * Hears of every address that comes, is renewed and goes on some hosts, from the kernel, over one socket: so the order
 * of the moments is the order in which they happened, however busy the machine is. Costs nothing while nothing
 * happens: no polling.
 */
export class AddressWatch {
  readonly moments: Moment[] = [];
  readonly #names = new Map<number, string>();
  #rest = '';

  private constructor(scene: Scene, hosts: readonly Host[]) {
    for (const { name } of hosts) this.#names.set(namespaceId(name), name);
    // Before everybody else in the queue for the processor: the times that it notes are to be true.
    const monitor = ['chrt', '-f', '50', 'ip', '-ts', '-o', 'monitor', 'address', 'all-nsid'];
    const { child } = scene.start('watch of addresses', monitor);
    child.stdout?.on('data', (text: string) => this.#take(text));
  }

  /** Resolves when it hears of all these hosts. */
  static async start(scene: Scene, hosts: readonly Host[]): Promise<AddressWatch> {
    const watch = new AddressWatch(scene, hosts);
    const heard = (host: Host): boolean => watch.moments.some((moment) => moment.host === host.name);
    await scene.until('the watch hears of every host', async () => {
      for (const { name } of hosts) ip(name, `address add ${PROBE} dev lo`, `address del ${PROBE} dev lo`);
      await pause(PROBE_PAUSE_MILLISECONDS);
      return hosts.every(heard);
    });
    return watch;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, time = '', id, deleted, address = ''] = LINE.exec(line) ?? [];
      const host = this.#names.get(Number(id));
      if (host !== undefined)
        this.moments.push({ at: Date.parse(time), host, address, present: deleted === undefined });
    }
  }

  /** Whether the host has the address, as far as was heard since the start. */
  holds(host: Host, address: string): boolean {
    return (
      this.moments.findLast((one) => one.host === host.name && one.address === address)?.present ?? false
    );
  }

  /** The place in `moments` of the first such moment at or after `from`; undefined when there is none yet. */
  first(from: number, host: Host, address: string, present: boolean): number | undefined {
    const found = this.moments.findIndex(
      (one, i) => i >= from && one.host === host.name && one.address === address && one.present === present,
    );
    return found < 0 ? undefined : found;
  }

  /**
   * The longest overlap, in which two of the hosts had the address at once: how long it was, in milliseconds, and how
   * often the one that had it before renewed its lease meanwhile. The first says how fast the machine is, the second
   * whether the two took notice of each other.
   */
  longestOverlap(address: string): { readonly milliseconds: number; readonly renewals: number } {
    const holders = new Set<string>();
    let [began, milliseconds, renewals, most] = [0, 0, 0, 0];
    for (const { at, host, present } of this.moments.filter((one) => one.address === address)) {
      const [before, first] = [holders.size, [...holders][0]];
      if (present) holders.add(host);
      else holders.delete(host);
      if (before < 2 && holders.size >= 2) [began, renewals] = [at, 0];
      if (before < 2) continue;
      milliseconds = Math.max(milliseconds, at - began);
      if (present && host === first) most = Math.max(most, ++renewals);
    }
    return { milliseconds, renewals: most };
  }
}

/** By which number events of other namespaces name this one; gives it one when it has none. */
function namespaceId(name: string): number {
  const known = (): number | undefined => {
    const all = JSON.parse(run(['ip', '-json', 'netns', 'list'])) as { name: string; id?: number }[];
    return all.find((one) => one.name === name)?.id;
  };
  if (known() === undefined) run(['ip', 'netns', 'set', name, 'auto']);
  const id = known();
  if (id === undefined) throw new Error(`network namespace ${name} got no number`);
  return id;
}
