import type { HandOverWord } from '../fence/heartbeat-codec.ts';
import type { Ip } from '../ip.ts';
import type { Level } from '../level.ts';
import type { InterfaceAddress } from '../netlink/address.ts';
import type { RouteEvent } from '../netlink/events.ts';
import type { Link } from '../netlink/link.ts';
import type { Route } from '../netlink/route.ts';
import type { Rule } from '../netlink/rule.ts';
import type { Happening } from '../notify/happening.ts';
import type { ChangeResult } from '../reconcile/changes.ts';
import type { AddressChange } from '../reconcile/events.ts';
import type { LeaseStep, Transacted } from '../reconcile/lease-events.ts';
import type { Original } from '../reconcile/originals.ts';
import type { RoutingChange } from '../reconcile/routing-events.ts';
import { type MasterRouting, NO_STATICS, type StaticSettings } from '../reconcile/settings.ts';
import type { VmacsEffect, VmacsEvent } from '../reconcile/vmac-events.ts';
import { type Duration, type Instant, seconds } from '../time.ts';
import type { Digest } from '../vrrp/auth-digest.ts';
import type { Beat } from '../vrrp/beat.ts';
import type { VrrpEffect } from '../vrrp/events.ts';
import type { GroupEvent } from '../vrrp/group.ts';
import type { VrrpInstance } from '../vrrp/instance.ts';
import type { Datagram } from '../vrrp/packet.ts';
import type {
  GroupSettings,
  LinkDelays,
  PacingSettings,
  StartSettings,
  VrrpSettings,
} from '../vrrp/settings.ts';
import type { ClusterWord } from '../vrrp/takeover.ts';
import type { TrackEvent } from '../vrrp/track.ts';
import type { UnsentEvent } from '../vrrp/unsent.ts';
import type { AnnouncementsEvent } from './announcements.ts';
import type { Observer, Played } from './ensemble.ts';
import type { Given, HandOverWish } from './giving.ts';
import type { Port } from './ports.ts';
import type { Question } from './questions.ts';

/** What a director has to do. */
export interface DirectorSettings {
  readonly instances: readonly VrrpSettings[];
  readonly groups: readonly GroupSettings[];
  /** Routes and rules of the instances that have any. */
  readonly routing: readonly MasterRouting[];
  readonly statics: StaticSettings;
  readonly pacing: PacingSettings;
  /** Where a link changes back and forth. */
  readonly delays: readonly LinkDelays[];
  readonly start: StartSettings;
  /** `log_unknown_vrids`. */
  readonly logUnknownVrids: boolean;
  /** On stop, take the addresses away (not with `-V`). */
  readonly release: boolean;
  /** The name of the tables of nf_tables with the leases of milliseconds; without, there are none. */
  readonly leaseTable?: string;
}

/** A director that has nothing to do. */
export const NO_SETTINGS: DirectorSettings = {
  instances: [],
  groups: [],
  routing: [],
  statics: NO_STATICS,
  pacing: { garp: seconds(0), gna: seconds(0), groups: [] },
  delays: [],
  start: { delay: seconds(0), afterBoot: seconds(0) },
  logUnknownVrids: false,
  release: true,
};

/** All that the kernel has, of what a director asks for. */
export interface KernelDump {
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
  /** Where routes and rules are followed. */
  readonly routing?: { readonly routes: readonly Route[]; readonly rules: readonly Rule[] };
}

/** What happens to a director. */
export type DirectorEvent =
  /** First of all, and again when news were lost (`why`). */
  | ({ readonly type: 'read'; readonly why?: string } & KernelDump)
  /** News of the kernel: all of a turn of the loop. */
  | { readonly type: 'news'; readonly events: readonly RouteEvent[] }
  /**
   * Before the first `configure`: what an earlier process changed on interfaces, and is still so; and of which virtual
   * routers, by their keys, it was master until now.
   */
  | {
      readonly type: 'inherit';
      readonly originals: readonly Original[];
      readonly masters?: readonly string[];
    }
  /** `protected`: virtual routers need votes, and all of them are in a group. */
  | { readonly type: 'configure'; readonly settings: DirectorSettings; readonly protected: boolean }
  /** The answer to `look`: all news that there were have been told. */
  | { readonly type: 'looked' }
  /** The answer to `follow`. */
  | ({ readonly type: 'followed' } & Required<KernelDump>['routing'])
  /** A VRRP payload that came in for virtual routers of the interface `home`. */
  | ({ readonly type: 'packet'; readonly home: string; readonly vrid: number } & Datagram)
  /** News of tracked things that are not interfaces. */
  | { readonly type: 'track'; readonly events: readonly TrackEvent[] }
  | { readonly type: 'maintenance'; readonly on: boolean }
  /** Another director is to take over; answered by `handed-over`, when that has ended. */
  | ({ readonly type: 'hand-over' } & HandOverWish)
  /** A director speaks of hand-overs. */
  | { readonly type: 'said'; readonly from: string; readonly words: readonly HandOverWord[] }
  /** Whether our connection table has all that the master's has. */
  | { readonly type: 'synced'; readonly complete: boolean }
  /** The wall clock in microseconds since 1970: before the first `configure`, and now and then. */
  | { readonly type: 'clock'; readonly utc: number }
  /** What became of a `send`. */
  | { readonly type: 'sent'; readonly router: string }
  | ({ readonly router: string } & UnsentEvent)
  /** What became of `ports`: those that could not be had, by `portKey`, and why. */
  | { readonly type: 'ports'; readonly failed: ReadonlyMap<string, string> }
  /** What became of changes. */
  | { readonly type: 'addresses'; readonly results: readonly ChangeResult[] }
  | { readonly type: 'routing'; readonly results: readonly ChangeResult[] }
  /** What became of `leases`. */
  | { readonly type: 'leased'; readonly outcome: Transacted }
  | Extract<VmacsEvent, { type: 'made' }>
  /** What became of `frames`. */
  | { readonly type: 'framed'; readonly outcome: Extract<AnnouncementsEvent, { type: 'sent' }> }
  /** What became of `ask`; `trouble`: why nobody was asked. */
  | { readonly type: 'asked'; readonly router: string; readonly trouble?: string }
  /** Somebody with this MAC address answered for the address. */
  | { readonly type: 'answered'; readonly address: Ip; readonly mac: string }
  /** A director sends connection sync from that address; `router`: which virtual router its daemon follows. */
  | { readonly type: 'carried'; readonly from: Ip; readonly router?: string | undefined }
  /** What became of `weigh`. */
  | { readonly type: 'weighed'; readonly router: string; readonly cluster: ClusterWord }
  /** News of the votes for a group, and when they end. */
  | {
      readonly type: 'voted';
      readonly group: string;
      readonly event: GroupEvent;
      readonly until: Instant | undefined;
    }
  /** The daemon ends: all is given up. */
  | { readonly type: 'stop' }
  /** Something broke: the virtual routers are given up, and nothing else is done. */
  | { readonly type: 'resign' };

/** What the shell says of what it was asked to do. */
export type Answer = Extract<
  DirectorEvent,
  {
    type:
      | 'looked'
      | 'followed'
      | 'sent'
      | 'unsent'
      | 'ports'
      | 'addresses'
      | 'routing'
      | 'leased'
      | 'made'
      | 'framed'
      | 'asked'
      | 'weighed';
  }
>;

/** What a director is made of, beside what it is told. */
export interface DirectorBirth {
  readonly digest: Digest;
  /** When the process began: startup delays count from then. */
  readonly begun: Instant;
  /** Whether the kernel keeps who made an address. */
  readonly marks: boolean;
  /** Of the clock by which the kernel ends leases of milliseconds; a hundredth of a second when absent. */
  readonly tick?: Duration;
  /** Is told of each machine in it. */
  readonly observer?: Observer<Played>;
  /** Makes the machines of virtual routers; a simulation has broken ones. */
  readonly makeRouter?: MakeRouter;
}

export type MakeRouter = (settings: VrrpSettings, digest: Digest, beat: Beat) => RouterMachine;
/** What a director needs of the machine of a virtual router. */
export type RouterMachine = Pick<
  VrrpInstance,
  | 'handle'
  | 'deadline'
  | 'timeout'
  | 'take'
  | 'state'
  | 'status'
  | 'takeover'
  | 'advertLeft'
  | 'isStale'
  | 'memory'
  | 'recall'
>;

/** What the shell is to do, in this order. */
export type DirectorEffect =
  /** Answered by `sent` or `unsent`, at once. `port` is a `portKey`. */
  | ({ readonly router: string; readonly port: string } & Extract<VrrpEffect, { type: 'send' }>)
  /** Exactly these are to be open; answered by `ports`. */
  | { readonly type: 'ports'; readonly ports: readonly Port[] }
  /** At most MAX_BATCH changes, to be sent at once; answered by the event of the same name. */
  | { readonly type: 'addresses'; readonly changes: readonly AddressChange[] }
  | { readonly type: 'routing'; readonly changes: readonly RoutingChange[] }
  /** A transaction of nf_tables; answered by `leased`. */
  | { readonly type: 'leases'; readonly table: string; readonly steps: readonly LeaseStep[] }
  /** A change of interfaces; `make` is answered by `made`. */
  | { readonly type: 'link'; readonly change: LinkChange }
  /** `promote_secondaries` of these interfaces is on, and of others as it was. */
  | { readonly type: 'promote'; readonly interfaces: readonly string[] }
  /** Hear of rules, and of routes of our origin, from now on, and read what there is: answered by `followed`. */
  | { readonly type: 'follow' }
  /** Tell what news of the kernel there are now; answered by `looked`. */
  | { readonly type: 'look' }
  /** An announcement of each address, in this order; answered by `framed`. */
  | {
      readonly type: 'frames';
      readonly id: number;
      readonly dev: string;
      readonly ifindex: number;
      readonly mac: string;
      readonly addresses: readonly Ip[];
    }
  /** Votes are wanted for a group, or not any more. */
  | { readonly type: 'want'; readonly group: string; readonly priority: number; readonly why: string }
  | { readonly type: 'let-go'; readonly group: string; readonly why: string }
  /** For the director `to`, or for all others: all that there is to say to them now. */
  | { readonly type: 'say'; readonly to?: string; readonly words: readonly HandOverWord[] }
  /** No hand-over is under way any more: how those ended that were. */
  | { readonly type: 'handed-over'; readonly given: readonly Given[] }
  /** Ask links who has addresses, and `listen` so long for answers; answered by `asked`. */
  | {
      readonly type: 'ask';
      readonly router: string;
      readonly questions: readonly Question[];
      readonly listen: Duration;
    }
  /** Say with `carried` who sends connection sync, for so long. */
  | { readonly type: 'listen'; readonly lasts: Duration }
  /** Say what the cluster knows of a router's silent master; answered by `weighed`, at once. */
  | {
      readonly type: 'weigh';
      readonly router: string;
      readonly group: string | undefined;
      readonly master: Ip;
    }
  /** The silent master of a group is to be switched off; without a `why` not any more. */
  | { readonly type: 'fence'; readonly group: string; readonly master: Ip; readonly why?: string }
  | { readonly type: 'log'; readonly level: Level; readonly message: string }
  /** The kernel refused something: `errno`, and its own words if it has any. */
  | { readonly type: 'refused'; readonly what: string; readonly errno: number; readonly text?: string }
  | { readonly type: 'happened'; readonly happening: Happening }
  /** What the status shows is not as before: of a router, by its key, or something else. */
  | { readonly type: 'changed'; readonly router?: string }
  /** The configuration is carried out. */
  | { readonly type: 'ready' };

export type LinkChange = Exclude<VmacsEffect, { type: 'adopted' | 'problem' }>;
