import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../lab/engine/root.ts';
import { file } from '../lab/scene/director.ts';
import type { Host } from '../lab/scene/host.ts';
import { clock, type Milliseconds } from '../lab/scene/observation.ts';
import type { Program } from '../lab/scene/program.ts';
import { run } from '../lab/scene/run.ts';

/** The daemons that are compared. */
export const DAEMONS = ['vipkeeper', 'keepalived'] as const;
export type DaemonName = (typeof DAEMONS)[number];

/** Its own words about its version: `keepalived 2.2.7`. Throws when it can't be run. */
export function versionOf(name: DaemonName): string {
  const said =
    name === 'keepalived'
      ? run(['sh', '-c', 'keepalived --version 2>&1'])
      : run([join(ROOT, 'bin/vipkeeperd'), '--version']);
  return `${name} ${/\d+\.\d+\.\d+/.exec(said)?.[0] ?? '?'}`;
}

/**
 * The command line, for VRRP only, in the foreground, without syslog: -l and -D cost keepalived much (without a
 * syslog daemon each line goes to the console as well), so neither daemon logs.
 */
function commandLine(name: DaemonName, host: Host, text: string): string[] {
  const path = file(host, `${name}.conf`, text);
  const folder = join(host.scene.folder, host.name);
  if (name === 'keepalived') {
    const pids = ['-p', '-r', '-c', '-b'].flatMap((option) => [option, join(folder, `keepalived${option}`)]);
    return ['keepalived', '-n', '-G', '-P', '-f', path, ...pids];
  }
  const folders = ['run', 'state'].map((part) => join(folder, part));
  for (const each of folders) mkdirSync(each, { recursive: true });
  const [runFolder = '', stateFolder = ''] = folders;
  const own = ['--run-dir', runFolder, '--state-dir', stateFolder];
  return [join(ROOT, 'bin/vipkeeperd'), '-n', '-G', '-P', '-f', path, ...own];
}

/** A daemon that runs on a host, with all of its processes. */
export class Daemon {
  readonly name: DaemonName;
  readonly #host: Host;
  readonly #others: ReadonlySet<number>;
  readonly #program: Program;

  constructor(name: DaemonName, host: Host, text: string) {
    this.name = name;
    this.#host = host;
    this.#others = new Set(host.processes());
    this.#program = host.start(name, commandLine(name, host, text));
  }

  get running(): boolean {
    return this.#program.running;
  }

  /** What it printed, and how it stands. */
  get state(): string {
    return `${this.#program.name} (${this.#program.state})\n${this.#program.log}`;
  }

  /** Its processes: all of the host's that were not there before it. */
  processes(): number[] {
    return this.#host.processes().filter((pid) => !this.#others.has(pid));
  }

  /**
   * Kills every process at once and gives the time. The parent is frozen first and killed last: a parent that runs
   * starts dead children again, and children of a dead parent shut down cleanly.
   */
  crash(): Milliseconds {
    const parent = this.#program.child.pid;
    const children = this.processes().filter((pid) => pid !== parent);
    if (parent !== undefined) send(parent, 'SIGSTOP');
    for (const pid of children) send(pid, 'SIGKILL');
    if (parent !== undefined) send(parent, 'SIGKILL');
    return clock();
  }

  /** Gives it another configuration, and the time of the signal that tells it. */
  reload(text: string): Milliseconds {
    file(this.#host, `${this.name}.conf`, text);
    this.#program.signal('SIGHUP');
    return clock();
  }

  /** Asks it to end and gives the times of the signal and of the end. */
  async stop(): Promise<{ readonly asked: Milliseconds; readonly ended: Milliseconds }> {
    const asked = clock();
    await this.#program.stop('SIGTERM');
    return { asked, ended: clock() };
  }

  /** Resident and proportional memory of all processes, MiB. */
  memory(): { readonly rss: number; readonly pss: number } {
    let [rss, pss] = [0, 0];
    for (const pid of this.processes()) {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      rss += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
      pss += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
    }
    return { rss, pss };
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
