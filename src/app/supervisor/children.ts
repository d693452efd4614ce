import type { ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { unreachable } from '../../core/assert.ts';
import type { Happening } from '../../core/notify/happening.ts';
import { type Privileges, suffices } from '../../core/privileges.ts';
import type { Original } from '../../core/reconcile/originals.ts';
import type { ChildReport } from '../../core/status/facts.ts';
import { Child, type ChildEffect, type ChildEvent } from '../../core/supervision/child.ts';
import { type Duration, type Instant, toSeconds } from '../../core/time.ts';
import { Channel, type End, pipeEnd } from '../../io/channel.ts';
import { signal, spawnRole } from '../../io/children.ts';
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
import { type Assignment, hasVotes } from './assignments.ts';
import type { Leaving } from './leaving.ts';
import { Orphans } from './orphans.ts';
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
  readonly leaving: Pick<Leaving, 'switched'>;
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

/** A process in its role. */
interface Living {
  readonly pid?: number | undefined;
  kill(signal: NodeJS.Signals): unknown;
}

interface Family {
  readonly machine: Child;
  readonly driven: Driven<Parameters<Child['handle']>[0]>;
  process?: Living;
  /** What it was started with; absent for everything. */
  privileges?: Privileges | undefined;
  channel?: Channel<FromChild<unknown>, unknown>;
  /** When this one said something last. */
  heard?: Instant;
  /** Messages of its own that went unread, and those to it that it refused, as it said last. */
  unheard?: { readonly dropped: number; readonly refused: number };
  /** It said that it ends. */
  ends?: boolean;
  ended?: () => void;
}

type Exit = Omit<Extract<ChildEvent, { type: 'exited' }>, 'type'>;

/** The supervisor's child processes: one of each role at most, each restarted alone. */
export class Children {
  readonly #driver: Driver;
  readonly #listener: ChildListener;
  readonly #files: KeptFiles;
  readonly #runDir: string;
  readonly #respawn: boolean;
  readonly #ipvsNamespace: string | undefined;
  readonly #detailed: boolean;
  readonly #orphans: Orphans;
  readonly #roles = new Map<Role, Family>();
  /** What they did last. */
  readonly recordings: Recordings;
  /** The VRRP process of an earlier build, until ours has taken its place. */
  #predecessor: number | undefined;

  constructor(driver: Driver, options: ChildOptions, files: KeptFiles, listener: ChildListener) {
    this.#driver = driver;
    this.#files = files;
    this.#runDir = resolve(options.runDir);
    this.#respawn = !options.dontRespawn;
    this.#ipvsNamespace = options.ipvsNamespace;
    this.#detailed = options.logDetail;
    this.#listener = listener;
    const log = (level: Level, message: string): void => listener.log(level, message);
    this.#orphans = new Orphans(this.#runDir, log);
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

  /** Ends what an earlier life of the daemon left behind in this role (`Orphans.end`). */
  async endOrphan(role: Role, forGood: boolean): Promise<void> {
    await this.#orphans.end(role, forGood);
    this.#files.keep(this.#pidFile(role), undefined);
  }

  /**
   * Ends what an earlier life of the daemon left behind in this role. VRRP that has `work` goes on instead, if it can:
   * it is ours from then on, and is told what to do by `start`; or, of another build, until ours asks for its place,
   * if that may be. What the others know is in the kernel.
   */
  async succeed(role: Role, work: Assignment | undefined): Promise<void> {
    // Votes that a process has promised cannot be left to another one.
    const mayYield = work !== undefined && !hasVotes(work);
    const found =
      role === 'vrrp' && work !== undefined ? await this.#orphans.adoptable(role, mayYield) : undefined;
    if (found === undefined) return this.endOrphan(role, false);
    if ('yields' in found) {
      this.#listener.log(
        'notice',
        `the ${role} process ${found.pid} serves until a new one does: ${found.yields}`,
      );
      this.#predecessor = found.pid;
      return;
    }
    const { pid, end } = found;
    this.#listener.log('notice', `taking over the ${role} process ${pid} of an earlier daemon: it goes on`);
    const family = this.#found(role);
    family.driven.handle({ type: 'adopt' });
    this.#adopt(role, family, pid, end);
  }

  /** Of one that was taken over: it begins to work for us. */
  start(role: Role): void {
    if (this.has(role)) this.#listener.started(role);
    else this.#found(role).driven.handle({ type: 'start' });
  }

  /** What is to be known of a role from now on. */
  #found(role: Role): Family {
    const machine = new Child(this.#respawn);
    const driven = this.#driver.attach(machine, (effects) => {
      for (const effect of effects) this.#perform(role, effect);
    });
    const family = { machine, driven };
    this.#roles.set(role, family);
    return family;
  }

  /** What a VRRP process is told first. */
  introduce(originals: readonly Original[], maintenance: boolean): void {
    const predecessor = this.#predecessor;
    this.send('vrrp', { type: 'inherit', originals, ...(predecessor !== undefined && { predecessor }) });
    this.send('vrrp', { type: 'maintenance', on: maintenance });
  }

  /** Returns whether there is a process that is told. */
  send<Message extends { readonly type: string }>(role: Role, message: Message): boolean {
    if (this.#detailed) this.#listener.log('debug', `message to ${role}: ${message.type}`);
    return this.#roles.get(role)?.channel?.send(message) ?? false;
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
    const ended = this.#attach(role, family, child, pipeEnd(child));
    // What it said last says why it ended, and is read after its exit is known.
    child.on('exit', (status, signal) => {
      // At once, before anything is started.
      if (status !== 0 && role === 'vrrp') this.#listener.remains.remove();
      if (!child.connected) return ended({ status, signal });
      child.once('disconnect', () => ended({ status, signal }));
      setTimeout(() => ended({ status, signal }), LAST_WORDS_MS);
    });
    child.on('error', (error) => {
      this.#listener.log('error', `the ${role} process: ${error.message}`);
      if (child.pid === undefined) ended({ status: null, signal: null });
    });
    // Before its first word it does not know signals: nobody is to find it by its file.
    child.once('message', () => this.#files.keep(this.#pidFile(role), pidText(child.pid ?? 0)));
  }

  /** One that is no child of ours: the kernel closes its connection when it ends; it says so if it was asked to. */
  #adopt(role: Role, family: Family, pid: number, end: End): void {
    const kill = (what: NodeJS.Signals): void => signal(pid, what);
    const ended = this.#attach(role, family, { pid, kill }, end);
    end.onClose(() => {
      if (family.ends === true) return ended({ status: 0, signal: null });
      this.#orphans.kill(role, pid);
      if (role === 'vrrp') this.#listener.remains.remove();
      ended({ status: null, signal: null, why: 'its connection ended' });
    });
    this.#files.keep(this.#pidFile(role), pidText(pid));
    end.send({ type: 'adopt' }, () => undefined);
  }

  /** Talks with a process. Returns what is to be called when it has ended, of which the first call counts. */
  #attach(role: Role, family: Family, living: Living, end: End): (how: Exit) => void {
    const channel = new Channel<FromChild<unknown>, unknown>(end, fromChild(role), (why) =>
      this.#listener.log('error', `the ${role} process: ${why}`),
    );
    family.process = living;
    family.channel = channel;
    channel.onMessage((message) => this.#hear(role, family, living.pid, message));
    let gone = false;
    return (how) => {
      if (gone) return;
      gone = true;
      delete family.process;
      delete family.channel;
      delete family.heard;
      delete family.unheard;
      delete family.ends;
      family.driven.handle({ type: 'exited', ...how });
    };
  }

  #hear(role: Role, family: Family, pid: number | undefined, message: FromChild<unknown>): void {
    family.heard = now();
    family.driven.handle({ type: 'heard' });
    if (this.#detailed && message.type !== 'log')
      this.#listener.log('debug', `message from ${role}: ${message.type}`);
    if (message.type === 'log') this.#listener.said(role, pid, message);
    else if (message.type === 'ready') {
      if (role === 'vrrp') this.#predecessor = undefined;
      this.#listener.ready(role);
    } else if (message.type === 'ends') family.ends = true;
    else if (message.type === 'notify') this.#happened(role, message.happening);
    else if (message.type === 'fence') this.#listener.arbiter.fencer.fence(message);
    else if (message.type === 'etcd') this.#listener.arbiter.etcd.say(message.word);
    else if (message.type === 'switched') this.#listener.leaving.switched(message.given);
    else if (message.type === 'listen') this.send('sync', message);
    else if (message.type === 'carried') this.send('vrrp', message);
    else if (message.type === 'recording') this.recordings.heard(role, message);
    else {
      family.unheard = message;
      this.#listener.state(role, message.state);
    }
  }
}
