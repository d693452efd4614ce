import { rmSync } from 'node:fs';
import { childrenOf, signal, successionPath } from '../../io/children.ts';
import { installed } from '../../io/installed.ts';
import type { SocketEnd } from '../../io/socketend.ts';
import { BEQUEST, findOrphan, type Orphan, ownNetwork, releaseOf } from '../../io/succession.ts';
import type { Level, Role } from '../messages.ts';
import { VERSION } from '../version.ts';

const POLL_MS = 20;
const POLLS = 150;

/** A living process of an earlier daemon: it goes on under this one, or until one of this build takes its place. */
export type Heirloom =
  | { readonly pid: number; readonly end: SocketEnd }
  | { readonly pid: number; readonly yields: string };

/** The processes that an earlier life of the daemon left behind: two of one role would work against each other. */
export class Orphans {
  readonly #runDir: string;
  readonly #log: (level: Level, message: string) => void;

  /** `runDir`: an absolute path. */
  constructor(runDir: string, log: (level: Level, message: string) => void) {
    this.#runDir = runDir;
    this.#log = log;
  }

  /**
   * The process in this role that can go on as ours, if there is one, waiting for its `adopt`; or that can serve until
   * one of ours does, where that may be (`mayYield`), and why that is so. Why another one cannot is in the log.
   */
  async adoptable(role: Role, mayYield: boolean): Promise<Heirloom | undefined> {
    const pids = this.#find(role);
    const [pid] = pids;
    if (pid === undefined) return undefined;
    const found =
      pids.length > 1
        ? { why: `there are ${pids.length}` }
        : await findOrphan(successionPath(this.#runDir, role));
    const orphan = 'orphan' in found ? found.orphan : undefined;
    let why = 'why' in found ? found.why : stranger(pid, found.orphan);
    const aged = orphan && why === undefined ? age(role, orphan) : undefined;
    if (why === undefined && aged === undefined && 'end' in found) return { pid, end: found.end };
    if ('end' in found) found.end.close();
    if (aged !== undefined && mayYield && orphan?.bequest === BEQUEST) return { pid, yields: aged };
    why ??= aged;
    this.#log(
      'warning',
      `cannot take over the ${role} process ${pids.join(', ')} of an earlier daemon: ${why}`,
    );
    return undefined;
  }

  /**
   * Ends those in this role. Resolves when they are gone. VRRP is asked, and hands over by a priority-0 advert; the
   * others are killed, or they would take away the kernel's table and sync daemon, which their successors adopt. Where
   * there is to be none (`forGood`), they are asked too.
   */
  async end(role: Role, forGood: boolean): Promise<void> {
    const asked = role === 'vrrp' || forGood;
    const told = new Set<number>();
    for (let poll = 0; poll < POLLS; poll++) {
      const pids = this.#find(role);
      if (pids.length === 0) break;
      for (const pid of pids) {
        if (!told.has(pid)) {
          told.add(pid);
          this.#log('warning', `ending the ${role} process ${pid} of an earlier daemon`);
        }
        signal(pid, asked && poll < POLLS / 2 ? 'SIGTERM' : 'SIGKILL');
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    rmSync(successionPath(this.#runDir, role), { force: true });
  }

  /** Kills one that has left us; does nothing when it has ended. */
  kill(role: Role, pid: number): void {
    if (this.#find(role).includes(pid)) signal(pid, 'SIGKILL');
  }

  /** The living ones in this role. */
  #find(role: Role): number[] {
    try {
      return childrenOf(role, this.#runDir);
    } catch (error) {
      const why = (error as Error).message;
      this.#log('error', `cannot look for ${role} processes of an earlier daemon: ${why}`);
      return [];
    }
  }
}

/** Why it has nothing to do with this daemon. */
function stranger(pid: number, orphan: Orphan): string | undefined {
  if (orphan.pid !== pid) return `process ${orphan.pid} answers for it`;
  return orphan.network === ownNetwork() ? undefined : 'it is in another network namespace';
}

/** Why it does not understand this daemon. */
function age(role: Role, orphan: Orphan): string | undefined {
  const release = releaseOf(VERSION, installed(role));
  return orphan.release === release ? undefined : `it is of ${orphan.release}, and this daemon of ${release}`;
}
