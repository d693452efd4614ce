import { unreachable } from '../assert.ts';
import type { Ip } from '../ip.ts';
import type { Machine } from '../machine.ts';
import type { Duration, Instant } from '../time.ts';
import type { FailurePolicy } from './device.ts';
import { Downed } from './downed.ts';
import type { ClusterFacts } from './facts.ts';
import { lineOf } from './lines.ts';
import { type Parts, REAL_PARTS } from './parts.ts';
import { Protection } from './protection.ts';
import type { ProtectionEffect, ProtectionEvent, ProtectionSettings } from './protection-events.ts';
import {
  type ClusterSettings,
  directorAt,
  endsByItself,
  type FencingTargets,
  witnessName,
} from './settings.ts';

/** What there is to vote on: a protected virtual router or sync group. */
export interface Claim {
  readonly name: string;
  /** How long a vote for it may last. */
  readonly promise: Duration;
  /** With `nopreempt`: nothing is taken from who holds it. */
  readonly patient: boolean;
  /** When no device can switch another director off. */
  readonly onFailure: FailurePolicy;
}

export interface ClaimsSettings {
  readonly claims: readonly Claim[];
  readonly cluster: ClusterSettings;
  readonly fencing: FencingTargets | undefined;
}

type Passed = Extract<
  ProtectionEvent,
  { type: 'heartbeat' | 'unreadable' | 'etcd' | 'say' | 'clean' | 'fenced' | 'let-go' }
>;

export type ClaimsEvent =
  | Passed
  /** Without settings no votes are needed. `life` is random, `utc` the wall clock in microseconds since 1970. */
  | {
      readonly type: 'configure';
      readonly settings: ClaimsSettings | undefined;
      readonly life: string;
      readonly utc: number;
    }
  /** VRRP would be master of the claim. */
  | { readonly type: 'want'; readonly claim: string; readonly priority: number; readonly why: string }
  /** No device could switch the director off at that time. */
  | { readonly type: 'unfenced'; readonly director: string; readonly at: Instant }
  /** What is known of the silent master of a claim? `router` comes back with `weighed`. */
  | {
      readonly type: 'weigh';
      readonly router: string;
      readonly claim: string | undefined;
      readonly master: Ip;
    }
  /** It is to be switched off; without a `why` not any more. */
  | {
      readonly type: 'shoot';
      readonly claim: string;
      readonly master: Ip;
      readonly why?: string | undefined;
    };

/** What the cluster knows of the silent master of a claim: of one that is none of its directors, nothing. */
export interface SilentMaster {
  readonly peer?: {
    readonly name: string;
    /** Its heartbeats come. */
    readonly heard: boolean;
    /** It has our vote. */
    readonly claims: boolean;
    readonly off: boolean;
    /** It may be switched off. */
    readonly fenced: boolean;
  };
  readonly witness?: { readonly name: string; readonly heard: boolean };
}

/** News of the votes, as a group takes them. */
export type Voted =
  | { readonly type: 'authorised' }
  | { readonly type: 'lost'; readonly why: string }
  | { readonly type: 'challenged'; readonly by: string; readonly priority: number };

export type ClaimsEffect =
  | Extract<ProtectionEffect, { type: 'send' | 'etcd' | 'clock' | 'said' }>
  /** `until`: when the votes end now. */
  | {
      readonly type: 'voted';
      readonly claim: string;
      readonly event: Voted;
      readonly until: Instant | undefined;
    }
  /** A director that is to be switched off; without a `why` it is heard. */
  | {
      readonly type: 'fence';
      readonly director: string;
      readonly why?: string;
      readonly onFailure?: FailurePolicy;
    }
  /** People are to be told: the votes are lost, or were not to be had for a while. */
  | {
      readonly type: 'alarm';
      readonly claim: string;
      readonly what: 'LOST' | 'MISSING';
      readonly cause: string;
    }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warning' | 'notice';
      readonly message: string;
    }
  /** The answer to `weigh`, at once. */
  | { readonly type: 'weighed'; readonly router: string; readonly cluster: SilentMaster }
  /** The status shows something else. */
  | { readonly type: 'changed' };

/** After so many attempts in a row that were in vain people are told: by then no takeover is on its way. */
const MISSED = 5;
const CHANGED = 'a reload changed the cluster';

interface Cluster {
  readonly settings: ClaimsSettings;
  /** Our life in it, and when that began. */
  readonly life: string;
  readonly begun: Instant;
  readonly protection: Protection;
}

/** What a director may hold: its part in the cluster, with the claims of its configuration. */
export class Claims implements Machine<ClaimsEvent, ClaimsEffect> {
  readonly #parts: Parts;
  #cluster: Cluster | undefined;
  #claims: ReadonlyMap<string, Claim> = new Map();
  /** Why each claim was last not to be had. */
  readonly #refusals = new Map<string, string>();
  /** Claims that we hold, until when. */
  readonly #held = new Map<string, Instant | undefined>();
  readonly #downed = new Downed();
  #effects: ClaimsEffect[] = [];

  constructor(parts = REAL_PARTS) {
    this.#parts = parts;
  }

  handle(event: ClaimsEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event, now);
        break;
      case 'want':
        this.#want(event, now);
        break;
      case 'weigh': {
        const { router, claim, master } = event;
        const cluster = claim === undefined ? {} : this.#known(claim, master, now);
        this.#effects.push({ type: 'weighed', router, cluster });
        break;
      }
      case 'shoot':
        this.#shoot(event, now);
        break;
      case 'unfenced': {
        this.#downed.unfenced(event.director, event.at);
        const claims = [...this.#claims.values()].filter(({ onFailure }) => onFailure === 'take');
        this.#tell({ ...event, claims: claims.map(({ name }) => name) }, now);
        break;
      }
      case 'let-go':
        this.#held.delete(event.claim);
        this.#tell(event, now);
        break;
      case 'fenced':
        this.#downed.fenced(event.director, event.at);
        this.#tell(event, now);
        break;
      case 'heartbeat':
      case 'unreadable':
      case 'etcd':
      case 'say':
      case 'clean':
        this.#tell(event, now);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    return this.#cluster?.protection.deadline();
  }

  timeout(now: Instant): void {
    this.#cluster?.protection.timeout(now);
    this.#settle(now);
  }

  take(): ClaimsEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  memory() {
    const cluster = this.#cluster;
    return {
      cluster: cluster && { ...cluster, protection: cluster.protection.memory() },
      claims: this.#claims,
      refusals: new Map(this.#refusals),
      held: new Map(this.#held),
      downed: this.#downed.memory(),
    };
  }

  recall({ cluster, claims, refusals, held, downed }: ReturnType<Claims['memory']>): void {
    this.#downed.recall(downed);
    if (cluster !== undefined) {
      const { settings, life, begun } = cluster;
      const protection = new Protection(protectionOf(settings, life), begun, 0, this.#parts);
      protection.recall(cluster.protection);
      this.#cluster = { settings, life, begun, protection };
    }
    this.#claims = claims;
    for (const [claim, why] of refusals) this.#refusals.set(claim, why);
    for (const [claim, until] of held) this.#held.set(claim, until);
  }

  /** Its part in the cluster; `undefined` where no votes are needed. */
  get protection(): Protection | undefined {
    return this.#cluster?.protection;
  }

  status(now: Instant): ClusterFacts | undefined {
    if (this.#cluster === undefined) return undefined;
    const { settings, protection } = this.#cluster;
    const { name, cluster } = settings.cluster;
    const claims = Array.from(this.#claims.keys(), (each) => ({
      name: each,
      ...protection.claim(each, now),
    }));
    return { name, cluster, peers: protection.peers(now), claims, dropped: protection.dropped };
  }

  /** Other settings of the cluster begin anew: what was held must be asked for again. */
  #configure({ settings, life, utc }: Extract<ClaimsEvent, { type: 'configure' }>, now: Instant): void {
    this.#claims = new Map(settings?.claims.map((claim) => [claim.name, claim]));
    if (basisOf(settings) === basisOf(this.#cluster?.settings)) return;
    this.#close(now);
    if (settings === undefined) return;
    const protection = new Protection(protectionOf(settings, life), now, utc, this.#parts);
    this.#cluster = { settings, life, begun: now, protection };
  }

  #close(now: Instant): void {
    for (const claim of this.#held.keys()) {
      this.#effects.push({ type: 'voted', claim, event: { type: 'lost', why: CHANGED }, until: undefined });
      this.#tell({ type: 'let-go', claim, why: CHANGED }, now);
    }
    this.#held.clear();
    this.#cluster = undefined;
  }

  #want({ claim, priority, why }: Extract<ClaimsEvent, { type: 'want' }>, now: Instant): void {
    if (this.#cluster === undefined) return;
    const { settings, protection } = this.#cluster;
    const known = this.#claims.get(claim);
    const promise = endsByItself(settings.cluster) ? known?.promise : undefined;
    // With nopreempt nothing is taken from who holds it, and who hears a request before its advert is heard.
    const challenge = known?.patient === true ? 0 : priority;
    const begins = protection.claim(claim, now).state === 'idle';
    this.#tell({ type: 'want', claim, priority: challenge, promise, why }, now);
    if (!begins) return;
    // Who was off before this was wanted is off for it too.
    for (const [director, at] of this.#downed.known) this.#tell({ type: 'fenced', director, at }, now);
  }

  #known(claim: string, master: Ip, now: Instant): SilentMaster {
    // Without votes nobody knows who claims it.
    if (this.#cluster === undefined || !this.#claims.has(claim)) return {};
    const { settings, protection } = this.#cluster;
    const { cluster } = settings;
    const name = directorAt(cluster, master);
    const third = witnessName(cluster);
    const takes = this.#claims.get(claim)?.onFailure === 'take';
    return {
      ...(name !== undefined && {
        peer: {
          name,
          ...protection.standing(name, claim, now),
          off: this.#downed.isOff(name, cluster.longest, now, takes),
        },
      }),
      ...(third !== undefined && {
        witness: { name: third, heard: protection.standing(third, claim, now).heard },
      }),
    };
  }

  #shoot({ claim, master, why }: Extract<ClaimsEvent, { type: 'shoot' }>, now: Instant): void {
    const { name, fenced } = this.#known(claim, master, now).peer ?? {};
    if (name === undefined || (why !== undefined && fenced !== true)) return;
    const onFailure = this.#claims.get(claim)?.onFailure ?? 'wait';
    this.#effects.push({ type: 'fence', director: name, ...(why !== undefined && { why, onFailure }) });
  }

  #tell(event: ProtectionEvent, now: Instant): void {
    this.#cluster?.protection.handle(event, now);
    this.#settle(now);
  }

  #settle(now: Instant): void {
    for (const effect of this.#cluster?.protection.take() ?? []) this.#perform(effect, now);
  }

  #perform(effect: ProtectionEffect, now: Instant): void {
    switch (effect.type) {
      case 'send':
      case 'etcd':
      case 'said':
        this.#effects.push(effect);
        return;
      case 'authorised':
        this.#held.set(effect.claim, effect.until);
        this.#refusals.delete(effect.claim);
        this.#voted(effect.claim, { type: 'authorised' });
        break;
      case 'lost':
        this.#held.delete(effect.claim);
        this.#voted(effect.claim, { type: 'lost', why: `the votes are lost: ${effect.why}` });
        this.#alarm(effect.claim, 'LOST', effect.why);
        break;
      case 'refused':
        if (this.#cluster?.protection.claim(effect.claim, now).vain === MISSED)
          this.#alarm(effect.claim, 'MISSING', effect.why);
        // Each attempt ends so, as long as nothing changes.
        if (this.#refusals.get(effect.claim) === effect.why) return;
        this.#refusals.set(effect.claim, effect.why);
        break;
      case 'challenged': {
        const { by, priority } = effect;
        this.#voted(effect.claim, { type: 'challenged', by, priority });
        break;
      }
      case 'fence': {
        const { director, claim, why } = effect;
        const onFailure = this.#claims.get(claim)?.onFailure ?? 'wait';
        this.#effects.push({ type: 'fence', director, why, onFailure });
        break;
      }
      case 'clock':
        this.#effects.push(effect);
        break;
      case 'peer':
        this.#downed.heard(effect.name);
        if (effect.heard) this.#effects.push({ type: 'fence', director: effect.name });
        break;
      case 'dropped':
      case 'believed':
        break;
      default:
        unreachable(effect);
    }
    const line = lineOf(effect);
    if (line !== undefined) this.#effects.push({ type: 'log', ...line });
    this.#effects.push({ type: 'changed' });
  }

  #alarm(claim: string, what: 'LOST' | 'MISSING', cause: string): void {
    this.#effects.push({ type: 'alarm', claim, what, cause });
  }

  #voted(claim: string, event: Voted): void {
    this.#effects.push({ type: 'voted', claim, event, until: this.#held.get(claim) });
  }
}

/** What a director of the cluster is made of. */
const protectionOf = ({ cluster, fencing }: ClaimsSettings, life: string): ProtectionSettings => ({
  cluster: cluster.cluster,
  name: cluster.name,
  life,
  directors: cluster.directors.map(({ name }) => name),
  witness: cluster.witness?.name,
  etcd: cluster.witness === undefined ? witnessName(cluster) : undefined,
  longest: cluster.longest,
  margin: cluster.margin,
  interval: cluster.interval,
  fenced: fencing?.targets ?? [],
  startup: fencing?.startup ?? 'wait',
});

const basisOf = (settings: ClaimsSettings | undefined): string =>
  JSON.stringify([settings?.cluster, settings?.fencing?.targets, settings?.fencing?.startup]);
