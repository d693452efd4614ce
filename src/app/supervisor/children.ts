import type { ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { unreachable } from '../../core/assert.ts';
import type { Happening } from '../../core/notify/happening.ts';
import { type Privileges, suffices } from '../../core/privileges.ts';
import type { ChildReport } from '../../core/status/facts.ts';
import { Child, type ChildEffect } from '../../core/supervision/child.ts';
import { type Duration, type Instant, toSeconds } from '../../core/time.ts';
import { Channel } from '../../io/channel.ts';
import { childrenOf, spawnRole } from '../../io/children.ts';
import { now } from '../../io/clock.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { installed } from '../../io/installed.ts';
import type { KeptFiles } from '../../io/kept.ts';
import { pidText } from '../../io/pidfile.ts';
import { restricted } from '../../io/privileges.ts';
import type { FromChild, Level, LogLine, Role } from '../messages.ts';
import type { DaemonOptions } from '../options.ts';
import { fromChild } from '../shapes.ts';
import type { Arbiter } from './arbiter.ts';
import { Recordings } from './recordings.ts';
import type { Remains } from './remains.ts';

/**
 * How V8 runs a role. It compiles a function when it is first called and forgets it when it was not called for a while,
 * and a takeover is made of such functions: compiled beforehand and kept, its first address is there after 1.1 ms
 * instead of 2.2. The garbage collector's helper threads are not in real time: waiting for them while the CPUs are
 * busy silenced adverts each 10 ms for up to 60 ms, collecting in the one thread for 15 (in 100 s each). With more room
 * (MiB) it did not collect in 20 s, instead of once or twice for 0.6 ms, and the process was no larger.
 */
const NODE_OPTIONS: Partial<Record<Role, readonly string[]>> = {
  vrrp: ['--no-lazy', '--no-flush-bytecode', '--single-threaded-gc', '--min-semi-space-size=4'],
};
const ORPHAN_POLL_MS = 20;
const ORPHAN_POLLS = 150;
const LAST_WORDS_MS = 200;

export interface ChildListener {
  log(level: Level, message: string): void;
  /** A child says something for the log. */
  said(role: Role, pid: number | undefined, line: LogLine): void;
  /** What the process may do at most; `undefined` for all that the daemon may. */
  privileges(role: Role): Privileges | undefined;
  /** The process started (again) and can be told its configuration. */
  started(role: Role): void;
  ready(role: Role): void;
  state(role: Role, state: unknown): void;
  happened(happening: Happening): void;
  readonly arbiter: Pick<Arbiter, 'fencer' | 'etcd'>;
  readonly remains: Pick<Remains, 'remove'>;
  /** It ended for good, not because we asked. */
  failed(role: Role, status: number | null): void;
}

/** What the command line says of them. */
export type ChildOptions = Pick<
  DaemonOptions,
  'runDir' | 'stateDir' | 'dontRespawn' | 'ipvsNamespace' | 'logDetail'
>;

interface Family {
  readonly machine: Child;
  readonly driven: Driven<Parameters<Child['handle']>[0]>;
  process?: ChildProcess;
  /** What it was started with; absent for everything. */
  privileges?: Privileges | undefined;
  channel?: Channel<FromChild<unknown>, unknown>;
  /** When this one said something last. */
  heard?: Instant;
  /** Messages of its own that went unread, and those to it that it refused, as it said last. */
  unheard?: { readonly dropped: number; readonly refused: number };
  ended?: () => void;
}

/** The supervisor's child processes: one of each role at most, each restarted alone. */
export class Children {
  readonly #driver: Driver;
  readonly #listener: ChildListener;
  readonly #files: KeptFiles;
  readonly #runDir: string;
  readonly #respawn: boolean;
  readonly #ipvsNamespace: string | undefined;
  readonly #detailed: boolean;
  readonly #roles = new Map<Role, Family>();
  /** What they did last. */
  readonly recordings: Recordings;

  constructor(driver: Driver, options: ChildOptions, files: KeptFiles, listener: ChildListener) {
    this.#driver = driver;
    this.#files = files;
    this.#runDir = resolve(options.runDir);
    this.#respawn = !options.dontRespawn;
    this.#ipvsNamespace = options.ipvsNamespace;
    this.#detailed = options.logDetail;
    this.#listener = listener;
    const log = (level: Level, message: string): void => listener.log(level, message);
    const ask = (role: Role): boolean => {
      this.send(role, { type: 'record' });
      return this.has(role);
    };
    this.recordings = new Recordings(options.stateDir, ask, log);
  }

  has(role: Role): boolean {
    return this.#roles.has(role);
  }

  reports(): ChildReport[] {
    return Array.from(this.#roles, ([role, { machine, process: child, heard, channel, unheard }]) => ({
      role,
      pid: child?.pid,
      restarts: machine.restarts,
      heard,
      dropped: (channel?.dropped ?? 0) + (unheard?.dropped ?? 0),
      refused: (channel?.refused ?? 0) + (unheard?.refused ?? 0),
    }));
  }

  /**
   * Ends what an earlier life of the daemon left behind in this role, if it lives: two processes of one role would
   * work against each other. Resolves when it is gone. VRRP is asked, and hands over by a priority-0 advert; the
   * others are killed, or they would take away the kernel's table and sync daemon, which their successors adopt. Where
   * there is to be none (`forGood`), they are asked too.
   */
  async endOrphan(role: Role, forGood: boolean): Promise<void> {
    const asked = role === 'vrrp' || forGood;
    const told = new Set<number>();
    for (let poll = 0; poll < ORPHAN_POLLS; poll++) {
      const pids = this.#orphansOf(role);
      if (pids.length === 0) break;
      for (const pid of pids) {
        if (!told.has(pid)) {
          told.add(pid);
          this.#listener.log('warning', `ending the ${role} process ${pid} of an earlier daemon`);
        }
        end(pid, asked && poll < ORPHAN_POLLS / 2 ? 'SIGTERM' : 'SIGKILL');
      }
      await new Promise((resolve) => setTimeout(resolve, ORPHAN_POLL_MS));
    }
    this.#files.keep(this.#pidFile(role), undefined);
  }

  #orphansOf(role: Role): number[] {
    try {
      return childrenOf(role, this.#runDir);
    } catch (error) {
      this.#listener.log(
        'error',
        `cannot look for ${role} processes of an earlier daemon: ${(error as Error).message}`,
      );
      return [];
    }
  }

  start(role: Role): void {
    const machine = new Child(this.#respawn);
    const driven = this.#driver.attach(machine, (effects) => {
      for (const effect of effects) this.#perform(role, effect);
    });
    this.#roles.set(role, { machine, driven });
    driven.handle({ type: 'start' });
  }

  send<Message extends { readonly type: string }>(role: Role, message: Message): void {
    if (this.#detailed) this.#listener.log('debug', `message to ${role}: ${message.type}`);
    this.#roles.get(role)?.channel?.send(message);
  }

  /**
   * Starts the child anew if it may not do what it has to by now. It is killed, so that it takes nothing away: its
   * successor goes on with the kernel's table. Returns whether it is restarted.
   */
  renew(role: Role): boolean {
    const family = this.#roles.get(role);
    if (family?.process === undefined) return false;
    if (suffices(family.privileges, this.#listener.privileges(role))) return false;
    this.#listener.log(
      'notice',
      `the ${role} process starts anew: a reload gives it work that it has not the rights for`,
    );
    family.driven.handle({ type: 'replace' });
    family.process.kill('SIGKILL');
    return true;
  }

  /** Asks the child to end, kills it after `grace`; resolves when it is gone and forgotten. */
  stop(role: Role, grace: Duration): Promise<void> {
    const family = this.#roles.get(role);
    if (family === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      family.ended = resolve;
      family.driven.handle({ type: 'stop', grace });
    });
  }

  #happened(role: Role, happening: Happening): void {
    this.#listener.happened(happening);
    this.recordings.happened(role, happening);
  }

  #pidFile(role: Role): string {
    return `${this.#runDir}/${role}.pid`;
  }

  #perform(role: Role, effect: ChildEffect): void {
    const family = this.#roles.get(role);
    if (family === undefined) return;
    switch (effect.type) {
      case 'spawn':
        this.#spawn(role, family);
        break;
      case 'kill':
        if (effect.signal === 'SIGKILL')
          this.#listener.log('error', `killing the ${role} process: ${effect.why}`);
        family.process?.kill(effect.signal);
        break;
      case 'restarting': {
        const pause = toSeconds(effect.pause);
        this.#listener.log(
          'error',
          `the ${role} process is gone: ${effect.why}; starting it again in ${pause} s`,
        );
        break;
      }
      case 'ended':
        family.driven.detach();
        this.#roles.delete(role);
        this.#files.keep(this.#pidFile(role), undefined);
        if (!effect.expected) this.#listener.failed(role, effect.status);
        family.ended?.();
        break;
      default:
        unreachable(effect);
    }
  }

  /** What goes before the command line of a child that is to have no more privileges than it needs. */
  #restriction(role: Role, family: Family): readonly string[] {
    const wanted = this.#listener.privileges(role);
    const restriction = wanted && restricted(wanted, installed(role));
    family.privileges = restriction?.ok ? wanted : undefined;
    if (restriction === undefined || restriction.ok) return restriction?.command ?? [];
    this.#listener.log('info', `the ${role} process keeps all privileges of the daemon: ${restriction.why}`);
    return [];
  }

  /** One that cannot be started now is tried again, as one that died. */
  #spawn(role: Role, family: Family): void {
    try {
      const child = spawnRole({
        program: installed(role),
        role,
        runDir: this.#runDir,
        execArgv: NODE_OPTIONS[role] ?? [],
        namespace: this.#ipvsNamespace,
        before: this.#restriction(role, family),
      });
      this.#watch(role, family, child);
      this.#listener.started(role);
    } catch (error) {
      this.#listener.log('error', `cannot start the ${role} process: ${(error as Error).message}`);
      family.process?.kill('SIGKILL');
      if (family.process === undefined) family.driven.handle({ type: 'exited', status: null, signal: null });
    }
  }

  #watch(role: Role, family: Family, child: ChildProcess): void {
    const channel = new Channel<FromChild<unknown>, unknown>(child, fromChild(role), (why) =>
      this.#listener.log('error', `the ${role} process: ${why}`),
    );
    family.process = child;
    family.channel = channel;
    let gone = false;
    const exited = (status: number | null, signal: string | null): void => {
      if (gone) return;
      gone = true;
      delete family.process;
      delete family.channel;
      delete family.heard;
      delete family.unheard;
      family.driven.handle({ type: 'exited', status, signal });
    };
    // What it said last says why it ended, and is read after its exit is known.
    child.on('exit', (status, signal) => {
      // At once, before anything is started.
      if (status !== 0 && role === 'vrrp') this.#listener.remains.remove();
      if (!child.connected) return exited(status, signal);
      child.once('disconnect', () => exited(status, signal));
      setTimeout(() => exited(status, signal), LAST_WORDS_MS);
    });
    child.on('error', (error) => {
      this.#listener.log('error', `the ${role} process: ${error.message}`);
      if (child.pid === undefined) exited(null, null);
    });
    // Before its first word it does not know signals: nobody is to find it by its file.
    child.once('message', () => this.#files.keep(this.#pidFile(role), pidText(child.pid ?? 0)));
    channel.onMessage((message) => {
      family.heard = now();
      family.driven.handle({ type: 'heard' });
      if (this.#detailed && message.type !== 'log')
        this.#listener.log('debug', `message from ${role}: ${message.type}`);
      if (message.type === 'log') this.#listener.said(role, child.pid, message);
      else if (message.type === 'ready') this.#listener.ready(role);
      else if (message.type === 'notify') this.#happened(role, message.happening);
      else if (message.type === 'fence') this.#listener.arbiter.fencer.fence(message);
      else if (message.type === 'etcd') this.#listener.arbiter.etcd.say(message.word);
      else if (message.type === 'recording') this.recordings.heard(role, message);
      else {
        family.unheard = message;
        this.#listener.state(role, message.state);
      }
    });
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in this moment.
  }
}
