import type { Order } from '../core/balance/orders.ts';
import type { BfdSettings } from '../core/bfd/settings.ts';
import type { BfdNews } from '../core/check/bfd.ts';
import type { FileNews } from '../core/check/file.ts';
import type { GlobalSettings } from '../core/config/model.ts';
import type { DirectorSettings } from '../core/director/events.ts';
import type { Given } from '../core/director/giving.ts';
import type { FailurePolicy } from '../core/fence/device.ts';
import type { EtcdEffect } from '../core/fence/etcd.ts';
import type { EtcdWord } from '../core/fence/protection-events.ts';
import type { ClusterSettings, FencingTargets } from '../core/fence/settings.ts';
import type { WatchdogSettings } from '../core/fence/watchdog.ts';
import type { Ip } from '../core/ip.ts';
import type { Level } from '../core/level.ts';
import type { Happening } from '../core/notify/happening.ts';
import type { Original } from '../core/reconcile/originals.ts';
import type { SyncRole } from '../core/reconcile/syncdaemon.ts';
import type { Abridged } from '../core/serving/abridged.ts';
import type { BalancerStatus } from '../core/serving/balancer.ts';
import type { VirtualServerSettings } from '../core/serving/settings.ts';
import type { SyncFacts, VrrpFacts } from '../core/status/facts.ts';
import type { Placement } from '../core/supervision/placement.ts';
import type { SyncDaemonSettings } from '../core/sync/settings.ts';
import type { Duration, Instant } from '../core/time.ts';
import type { TrackEvent } from '../core/vrrp/track.ts';

/**
 * What the processes of one daemon tell each other. Changes are sent as they happen, and the state again and again, of
 * hundreds of virtual routers some at a time: so a lost message heals itself. Everything is JSON.
 */
export const ROLES = ['vrrp', 'check', 'sync'] as const;
export type Role = (typeof ROLES)[number];

export type { Level };

/** A line for the log. It is written later than it is said. */
export interface LogLine {
  readonly level: Level;
  readonly message: string;
  /** When it happened: the wall clock, in milliseconds. */
  readonly at: number;
}

/** A director sends connection sync from that address; `router`: the virtual router that our daemon follows. */
interface Carried {
  readonly type: 'carried';
  readonly from: Ip;
  readonly router?: string | undefined;
}

/** From every child: log records, that it works, and what it knows. */
export type FromChild<State> =
  | ({ readonly type: 'log' } & LogLine)
  | { readonly type: 'ready' }
  /** It ends now, as it was asked to: for a supervisor that did not start it, and so is not told how it ended. */
  | { readonly type: 'ends' }
  /** Something that scripts, FIFOs and mails may be told of: the supervisor knows whether. */
  | { readonly type: 'notify'; readonly happening: Happening }
  /** A director is to be switched off; without a `why` it is heard again, or not in the way. */
  | {
      readonly type: 'fence';
      readonly director: string;
      readonly why?: string | undefined;
      readonly onFailure?: FailurePolicy;
    }
  /** The operator's switchover has ended. */
  | { readonly type: 'switched'; readonly given: readonly Given[] }
  /** From the VRRP process: tell it who sends connection sync, for so long. */
  | { readonly type: 'listen'; readonly lasts: Duration }
  /** From the sync process: a director sends connection sync from that address. */
  | Carried
  /** What etcd is to be asked or told. */
  | { readonly type: 'etcd'; readonly word: EtcdWord }
  /** With how many of its messages were not read, and how many messages to it were of the wrong shape. */
  | { readonly type: 'state'; readonly state: State; readonly dropped: number; readonly refused: number }
  /** A piece of its recording, of the text of a file. `why`: it was not asked for it, and ends. */
  | {
      readonly type: 'recording';
      readonly text: string;
      readonly done: boolean;
      readonly why?: string;
    };

/** To a child: send what its machines were told in the last minutes, and what they answered. */
export interface SendRecording {
  readonly type: 'record';
}

/** To a child: what it has to do. The first message, and again at each reload. */
export interface Configure<Configuration> {
  readonly type: 'configure';
  readonly configuration: Configuration;
  /** `-D`: log in detail. */
  readonly detail: boolean;
}

/** To the request of this number. */
export type EtcdAnswer = Pick<Extract<EtcdEffect, { type: 'answer' }>, 'claim' | 'number' | 'answer'>;

export interface VrrpConfiguration extends DirectorSettings {
  readonly bfd: readonly BfdSettings[];
  /** Who votes on who may hold the addresses; absent where nobody does. */
  readonly cluster?: ClusterSettings;
  /** Who can be switched off; absent where nobody can. */
  readonly fencing?: FencingTargets;
  readonly watchdog?: WatchdogSettings;
  /** `disable_local_igmp`. */
  readonly quietIgmp: boolean;
  readonly placement: Placement;
}
export type ToVrrp =
  /**
   * Before the first `configure`: what an earlier process changed on interfaces, and did not put back. `predecessor`:
   * the process of an earlier daemon that goes on until it is asked to yield.
   */
  | { readonly type: 'inherit'; readonly originals: readonly Original[]; readonly predecessor?: number }
  | Configure<VrrpConfiguration>
  | SendRecording
  /** A director was off at that time of the monotonic clock: its device says so. */
  | { readonly type: 'fenced'; readonly director: string; readonly at: Instant }
  /** No device could switch it off at that time, which is no hindrance for those with `on_fence_failure take`. */
  | { readonly type: 'unfenced'; readonly director: string; readonly at: Instant }
  /** What etcd has answered; without an answer: it lives. */
  | { readonly type: 'etcd'; readonly answer?: EtcdAnswer }
  /** An operator's word: give up every VIP and stay without until it is taken back. */
  | { readonly type: 'maintenance'; readonly on: boolean }
  /** An operator's word: another director is to take these over, or all; answered by `switched`. */
  | { readonly type: 'switchover'; readonly names?: readonly string[] }
  /** Whether the connection table has all that the master's has: with each state of the sync process. */
  | { readonly type: 'synced'; readonly complete: boolean }
  | Carried
  /** Somebody looks: send the whole state at once. */
  | { readonly type: 'look' }
  /** News of tracked scripts, files, processes and BFD: changes at once, and now and then all that is known. */
  | { readonly type: 'track'; readonly events: readonly TrackEvent[] };
export interface VrrpState extends VrrpFacts {
  /** What is changed on interfaces; absent as long as it does not know what it has to do. */
  readonly originals?: readonly Original[];
}

/** How the VRRP process stands, with some of its routers: those that changed, or the next few of all. */
export interface VrrpNews extends VrrpState {
  /** Of all virtual routers, in their order. */
  readonly names: readonly string[];
}

/** What is known with the news: of each router that there is, the latest. */
export function withNews(known: VrrpState | undefined, { names, ...news }: VrrpNews): VrrpState {
  const instances = new Map(known?.instances.map((instance) => [instance.name, instance]));
  for (const instance of news.instances) instances.set(instance.name, instance);
  return { ...news, instances: names.flatMap((name) => instances.get(name) ?? []) };
}

export interface CheckConfiguration {
  /** What operator and schedule want of real servers at this time. */
  readonly orders?: readonly Order[];
  readonly virtualServers: readonly VirtualServerSettings[];
  readonly global: GlobalSettings;
  /** On stop, take our services out of the kernel's table (not with `-I`). */
  readonly release: boolean;
  /** The file that names our services in the kernel's table, for the next check process. */
  readonly ledger: string;
}
/** On its way: virtual servers that the process was told of before are numbers (core/serving/abridged.ts). */
export interface CheckOrders extends Omit<CheckConfiguration, 'virtualServers'> {
  readonly virtualServers: Abridged<VirtualServerSettings>;
}
export type ToCheck =
  | Configure<CheckOrders>
  | SendRecording
  /** How the BFD sessions stand that checkers may use: all of them, at each change and now and then. */
  | { readonly type: 'bfd'; readonly sessions: readonly BfdNews[] }
  /** The numbers in tracked files, likewise. */
  | { readonly type: 'file'; readonly files: readonly FileNews[] }
  /** What operator and schedule want of real servers: all of it, at each change. */
  | { readonly type: 'orders'; readonly orders: readonly Order[] }
  /** Somebody looks: send the state at once, with what each check saw. */
  | { readonly type: 'look' };
export type CheckState = BalancerStatus;

/** What the sync process has to do. */
export interface SyncConfiguration {
  /** The kernel's daemons. */
  readonly daemon: SyncDaemonSettings;
  /** The directors and their key; absent where there is no `heartbeat`. */
  readonly cluster?: ClusterSettings;
}
export type ToSync =
  | Configure<SyncConfiguration>
  | { readonly type: 'role'; readonly role: SyncRole }
  /** An operator wants a copy of the master's connection table now. */
  | { readonly type: 'pull' }
  /** Tell for so long who sends connection sync. */
  | { readonly type: 'listen'; readonly lasts: Duration };
export type SyncState = SyncFacts;
