import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonStatus } from '../../src/core/status/facts.ts';
import { askControl } from '../../src/io/control.ts';
import { ROOT } from '../lab/engine/root.ts';
import type { Host } from '../lab/scene/host.ts';
import type { Program } from '../lab/scene/program.ts';
import { run } from '../lab/scene/run.ts';

export const VIP = '10.0.0.100';
const SMALL_DISK = 'size=4m';
/** Between the death of a daemon and its next life, as a service manager has it. */
export const RESTART_MS = 1000;

/** What differs from one configuration to the next. */
export interface Wishes {
  readonly priority: number;
  readonly second: boolean;
  readonly checks: boolean;
}

const configuration = (folder: string, { priority, second, checks }: Wishes): string => `global_defs {
  script_user nobody
  vrrp_notify_fifo ${folder}/events
  vrrp_notify_fifo_script ${folder}/reader
  config_save_dir ${folder}/state/saved
}
vrrp_script good {
  script "${folder}/good"
  interval 1
  timeout 5
  fall 2
  weight -30
}
track_file number {
  file ${folder}/number
  init_file 0
}
vrrp_instance web {
  interface lan
  version 3
  virtual_router_id 7
  priority ${priority}
  advert_int 0.1
  virtual_ipaddress {
    ${VIP}/24
${second ? '    10.0.0.101/24\n' : ''}  }
  track_script {
    good
  }
  track_file {
    number weight 1
  }
  notify ${folder}/notify
}
${checks ? SERVICE : ''}`;

const SERVICE = `virtual_server ${VIP} 80 {
  delay_loop 1
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.0.0.50 80 {
    TCP_CHECK {
      connect_timeout 1
    }
  }
}
`;

/** How much a process has at a time. */
export interface Sample {
  readonly pid: number;
  readonly name: string;
  readonly at: number;
  readonly rssKb: number;
  readonly descriptors: number;
}

/** One director of the pair: its daemon is started again whenever it was ended on purpose. */
export class SoakDirector {
  readonly host: Host;
  readonly folder: string;
  /** What it did that nobody asked for. */
  readonly complaints: string[] = [];
  readonly samples: Sample[] = [];
  #wishes: Wishes;
  #daemon: Program | undefined;
  /** Its end is wanted, or caused. */
  #ending = true;
  #lives = 0;

  constructor(host: Host, wishes: Wishes) {
    this.host = host;
    this.folder = join(host.scene.folder, host.name);
    this.#wishes = wishes;
    for (const name of ['', 'run', 'state']) mkdirSync(join(this.folder, name), { recursive: true });
    for (const name of ['run', 'state'])
      run(['mount', '-t', 'tmpfs', '-o', SMALL_DISK, name, this.disk(name)]);
    for (const [name, text] of [
      ['good', 'exit 0'],
      ['notify', 'exit 0'],
      ['reader', 'while read line; do :; done <"$1"'],
    ] as const) {
      writeFileSync(join(this.folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    this.configure({});
  }

  disk(name: string): string {
    return join(this.folder, name);
  }

  /** The file as it will be at the next reload. */
  configure(wishes: Partial<Wishes>): void {
    this.#wishes = { ...this.#wishes, ...wishes };
    const file = join(this.folder, 'vipkeeper.conf');
    writeFileSync(`${file}.new`, configuration(this.folder, this.#wishes));
    renameSync(`${file}.new`, file);
  }

  start(): void {
    this.#ending = false;
    const folders = ['--run-dir', this.disk('run'), '--state-dir', this.disk('state')];
    const only = this.#wishes.checks ? [] : ['-P'];
    const words = ['-n', '-l', '-G', '-f', join(this.folder, 'vipkeeper.conf'), ...folders, ...only];
    const daemon = this.host.start(`vipkeeperd ${++this.#lives}`, [join(ROOT, 'bin/vipkeeperd'), ...words]);
    this.#daemon = daemon;
    daemon.child.on('exit', () => {
      if (!this.#ending)
        this.complaints.push(`the daemon ended unasked (${daemon.state}), after: ${tail(daemon.log)}`);
    });
  }

  /** Ends the daemon by a signal, with all its processes or alone, and gives how it ended. */
  async end(signal: 'SIGTERM' | 'SIGKILL', all: boolean): Promise<void> {
    this.#ending = true;
    if (all) this.host.kill(signal);
    const state = await this.#daemon?.stop(signal);
    if (signal === 'SIGTERM' && state !== 'exit status 0') this.complaints.push(`SIGTERM: ${state}`);
  }

  get daemonPid(): number {
    return this.#daemon?.child.pid ?? 0;
  }

  pidOf(role: string): number | undefined {
    try {
      return Number(readFileSync(join(this.disk('run'), `${role}.pid`), 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  }

  ask(request: object): Promise<unknown> {
    return askControl(join(this.disk('run'), 'control.sock'), request).catch(() => undefined);
  }

  async status(): Promise<DaemonStatus | undefined> {
    return (await this.ask({ verb: 'status' })) as DaemonStatus | undefined;
  }

  fill(): void {
    for (const name of ['run', 'state']) {
      try {
        writeFileSync(join(this.disk(name), 'ballast'), Buffer.alloc(8 << 20));
      } catch {
        // It is full now.
      }
    }
  }

  drain(): void {
    for (const name of ['run', 'state']) rmSync(join(this.disk(name), 'ballast'), { force: true });
  }

  remount(mode: 'ro' | 'rw'): void {
    for (const name of ['run', 'state']) run(['mount', '-o', `remount,${mode}`, this.disk(name)]);
  }

  /** Notes how large its processes are, and how many descriptors they have. */
  sample(at: number): void {
    const processes = [
      ['supervisor', this.daemonPid],
      ...['vrrp', 'check'].map((role) => [role, this.pidOf(role)] as const),
    ] as const;
    for (const [name, pid] of processes) {
      if (pid === undefined || pid === 0) continue;
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const rssKb = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0);
        this.samples.push({ pid, name, at, rssKb, descriptors: readdirSync(`/proc/${pid}/fd`).length });
      } catch {
        // It has just ended.
      }
    }
  }

  /** What its last life said of defects. */
  get defects(): string[] {
    return (this.#daemon?.log ?? '').split('\n').filter((line) => /has a defect|not done: /.test(line));
  }

  close(): void {
    this.#ending = true;
  }

  unmount(): void {
    for (const name of ['run', 'state']) run(['umount', this.disk(name)]);
  }
}

const tail = (log: string): string => log.trimEnd().split('\n').slice(-5).join(' | ');
