import { randomBytes } from 'node:crypto';
import { unreachable } from '../../core/assert.ts';
import type { FailurePolicy } from '../../core/fence/device.ts';
import type { ClusterFacts } from '../../core/fence/facts.ts';
import { lineOf } from '../../core/fence/lines.ts';
import {
  type EtcdWord,
  Protection,
  type ProtectionEffect,
  type ProtectionEvent,
} from '../../core/fence/protection.ts';
import {
  type ClusterSettings,
  decides,
  endsByItself,
  familiesOf,
  placesOf,
} from '../../core/fence/settings.ts';
import { type Family, familyOf } from '../../core/ip.ts';
import type { AlarmHappening, Happening } from '../../core/notify/happening.ts';
import type { Duration, Instant } from '../../core/time.ts';
import type { VrrpState } from '../../core/vrrp/events.ts';
import { claims, type GroupEvent, nameOfClaim, promisesOf } from '../../core/vrrp/group.ts';
import type { GroupSettings } from '../../core/vrrp/settings.ts';
import { now, utc } from '../../io/clock.ts';
import { DatagramSocket } from '../../io/datagrams.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { readKey } from '../../io/keyring.ts';
import type { EtcdAnswer, FencingTargets, Level, VrrpConfiguration } from '../messages.ts';

/** What comes of the votes. */
export type VotesTold =
  /** For the group that has the claim. */
  | { readonly type: 'voted'; readonly group: string; readonly event: GroupEvent }
  /** A director that is to be switched off; without a `why` it is heard, or not in the way. */
  | {
      readonly type: 'fence';
      readonly director: string;
      readonly why?: string;
      readonly onFailure?: FailurePolicy;
    }
  /** For the etcd cluster that is the witness. */
  | { readonly type: 'etcd'; readonly word: EtcdWord }
  /** Something that scripts, FIFOs and mails may be told of. */
  | { readonly type: 'notify'; readonly happening: Happening }
  /** The status shows something else. */
  | { readonly type: 'changed' };

/** What there is to vote on. */
type Claims = Pick<VrrpConfiguration, 'instances' | 'groups' | 'cluster' | 'fencing'>;

interface Cluster {
  readonly settings: ClusterSettings;
  readonly fencing: FencingTargets | undefined;
  readonly protection: Protection;
  readonly driven: Driven<ProtectionEvent>;
  readonly sockets: Map<Family, DatagramSocket>;
  clean: boolean;
}

/** After so many attempts in a row that were in vain people are told: by then no takeover is on its way. */
const MISSED = 5;
const ANY: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' };

/** Who may hold what: the votes of the cluster, over its heartbeats. */
export class Votes {
  readonly #driver: Driver;
  readonly #tell: (news: VotesTold) => void;
  readonly #log: (level: Level, message: string) => void;
  #cluster: Cluster | undefined;
  /** How long a vote for each claim may last. */
  #promises: ReadonlyMap<string, Duration> = new Map();
  /** Claims with a `nopreempt`. */
  #patient: ReadonlySet<string> = new Set();
  /** What is done for each claim when no device can switch another director off. */
  #policies: ReadonlyMap<string, FailurePolicy> = new Map();
  /** Why each claim was last not to be had. */
  readonly #refusals = new Map<string, string>();
  /** Claims that we hold, until when. */
  readonly #held = new Map<string, Instant | undefined>();

  constructor(driver: Driver, tell: (news: VotesTold) => void, log: (level: Level, message: string) => void) {
    this.#driver = driver;
    this.#tell = tell;
    this.#log = log;
  }

  /** Whether virtual routers need votes. */
  get protects(): boolean {
    return this.#cluster !== undefined;
  }

  /**
   * Gives the groups: where votes are needed, each virtual router is in one. Other settings of the cluster begin anew:
   * what was held must be asked for again.
   */
  configure({ instances, groups, cluster, fencing }: Claims): readonly GroupSettings[] {
    const wanted = decides(cluster, fencing !== undefined) ? cluster : undefined;
    const all = wanted === undefined ? groups : claims(instances, groups);
    this.#promises = promisesOf(all, instances, wanted?.margin ?? 0);
    this.#policies = new Map(
      all.map(({ name, onFenceFailure }) => [name, onFenceFailure ?? fencing?.onFailure ?? 'wait']),
    );
    const patient = new Set(instances.filter(({ preempt }) => !preempt).map(({ name }) => name));
    this.#patient = new Set(
      all.filter(({ members }) => members.some((member) => patient.has(member))).map(({ name }) => name),
    );
    const basisOf = (settings: ClusterSettings | undefined, fences: FencingTargets | undefined): string =>
      JSON.stringify([settings, fences?.targets, fences?.startup]);
    const { settings: before, fencing: target } = this.#cluster ?? {};
    if (basisOf(wanted, fencing) !== basisOf(before, target)) {
      this.#close();
      if (wanted !== undefined) this.#open(wanted, fencing);
    }
    return all;
  }

  want(claim: string, priority: number, why: string): void {
    const cluster = this.#cluster;
    if (cluster === undefined) return;
    const promise = endsByItself(cluster.settings) ? this.#promises.get(claim) : undefined;
    // With nopreempt nothing is taken from who holds it, and who hears a request before its advert is heard.
    const challenge = this.#patient.has(claim) ? 0 : priority;
    cluster.driven.handle({ type: 'want', claim, priority: challenge, promise, why });
  }

  /**
   * Others may hear that this process lives as soon as no address of an earlier one is left: each virtual router has
   * put them away when it has begun.
   */
  look(routers: Iterable<{ readonly state: VrrpState }>): void {
    if (this.#cluster === undefined || this.#cluster.clean) return;
    for (const { state } of routers) if (state === 'INIT') return;
    this.#cluster.clean = true;
    this.#cluster.driven.handle({ type: 'clean' });
  }

  /** A device has shown that a director was off at that time. */
  fenced(director: string, at: Instant): void {
    this.#cluster?.driven.handle({ type: 'fenced', director, at });
  }

  /** No device could switch it off at that time. */
  unfenced(director: string, at: Instant): void {
    const claims = [...this.#policies].flatMap(([claim, policy]) => (policy === 'take' ? [claim] : []));
    this.#cluster?.driven.handle({ type: 'unfenced', director, at, claims });
  }

  /** etcd has answered, or lives. */
  etcd(answer: EtcdAnswer | undefined): void {
    this.#cluster?.driven.handle({ type: 'etcd', ...(answer && { answer: { type: 'answer', ...answer } }) });
  }

  letGo(claim: string, why: string): void {
    this.#held.delete(claim);
    this.#cluster?.driven.handle({ type: 'let-go', claim, why });
  }

  /** When the votes for the claim end; `undefined` where none are needed. */
  until(claim: string | undefined): Instant | undefined {
    return claim === undefined ? undefined : this.#held.get(claim);
  }

  status(): ClusterFacts | undefined {
    if (this.#cluster === undefined) return undefined;
    const { settings, protection } = this.#cluster;
    const at = now();
    const claims = Array.from(this.#promises.keys(), (name) => ({ name, ...protection.claim(name, at) }));
    return { name: settings.name, cluster: settings.cluster, peers: protection.peers(at), claims };
  }

  #open(settings: ClusterSettings, fencing: FencingTargets | undefined): void {
    const { cluster, name, directors, witness, etcd, longest, margin, interval } = settings;
    const protection = new Protection(
      {
        cluster,
        name,
        life: randomBytes(8).toString('hex'),
        directors: directors.map((director) => director.name),
        witness: witness?.name,
        etcd: etcd?.name,
        longest,
        margin,
        interval,
        fenced: fencing?.targets ?? [],
        fencesUnheard: fencing?.startup === 'fence',
      },
      readKey(settings.keyFile),
      now(),
      utc(),
    );
    const driven = this.#driver.attach(protection, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
    const sockets = new Map<Family, DatagramSocket>();
    const made = { settings, fencing, protection, driven, sockets, clean: false };
    this.#cluster = made;
    for (const family of familiesOf(settings)) void this.#listen(made, family);
  }

  async #listen({ settings, driven, sockets }: Cluster, family: Family): Promise<void> {
    const take = (datagram: Uint8Array): void => driven.handle({ type: 'heartbeat', datagram, utc: utc() });
    const failed = (error: Error): void => this.#log('error', `heartbeats: ${error.message}`);
    try {
      const socket = await DatagramSocket.open(ANY[family], settings.port, take, failed);
      if (this.#cluster?.settings === settings) sockets.set(family, socket);
      else socket.close();
    } catch (error) {
      this.#log('crit', `no heartbeats over IPv${family}: ${(error as Error).message}`);
    }
  }

  #close(): void {
    const cluster = this.#cluster;
    if (cluster === undefined) return;
    this.#cluster = undefined;
    for (const claim of this.#held.keys()) {
      this.#voted(claim, { type: 'lost', why: 'a reload changed the cluster' });
      cluster.driven.handle({ type: 'let-go', claim, why: 'a reload changed the cluster' });
    }
    this.#held.clear();
    cluster.driven.detach();
    for (const socket of cluster.sockets.values()) socket.close();
  }

  #perform(effect: ProtectionEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.to, effect.datagrams);
        return;
      case 'etcd':
        this.#tell(effect);
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
        if (this.#cluster?.protection.claim(effect.claim, now()).vain === MISSED)
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
      case 'dropped':
        break;
      case 'fence':
        this.#tell({
          type: 'fence',
          director: effect.director,
          why: effect.why,
          onFailure: this.#policies.get(effect.claim) ?? 'wait',
        });
        break;
      case 'clock': {
        const what = effect.apart ? 'CLOCK_APART' : 'CLOCK_AGREES';
        const cause = lineOf(effect)?.message ?? '';
        this.#tell({ type: 'notify', happening: { of: 'voter', name: effect.name, what, cause } });
        break;
      }
      case 'peer':
        if (effect.heard) this.#tell({ type: 'fence', director: effect.name });
        break;
      default:
        unreachable(effect);
    }
    const line = lineOf(effect);
    if (line !== undefined) this.#log(line.level, line.message);
    this.#tell({ type: 'changed' });
  }

  #alarm(claim: string, what: AlarmHappening['what'], cause: string): void {
    const happening = { of: 'alarm', about: 'votes', name: nameOfClaim(claim), what, cause } as const;
    this.#tell({ type: 'notify', happening });
  }

  #voted(group: string, event: GroupEvent): void {
    this.#tell({ type: 'voted', group, event });
  }

  /** On every path to it. */
  #send(to: string, datagrams: readonly Uint8Array[]): void {
    const { settings, sockets } = this.#cluster ?? {};
    if (settings === undefined || sockets === undefined) return;
    for (const { address, port } of placesOf(settings, to)) {
      const socket = sockets.get(familyOf(address));
      for (const datagram of datagrams) socket?.send(datagram, { address, port });
    }
  }
}
