import { randomBytes } from 'node:crypto';
import { unreachable } from '../../core/assert.ts';
import { claimed } from '../../core/director/claimed.ts';
import { Claims, type ClaimsEffect, type ClaimsEvent } from '../../core/fence/claims.ts';
import type { ClusterFacts } from '../../core/fence/facts.ts';
import { type Heartbeat, HeartbeatCodec } from '../../core/fence/heartbeat-codec.ts';
import { lineOf } from '../../core/fence/lines.ts';
import { type ClusterSettings, familiesOf, placesOf } from '../../core/fence/settings.ts';
import { type Family, familyOf, type Ip } from '../../core/ip.ts';
import type { Happening } from '../../core/notify/happening.ts';
import type { Instant } from '../../core/time.ts';
import { nameOfClaim } from '../../core/vrrp/group.ts';
import type { GroupSettings } from '../../core/vrrp/settings.ts';
import { now, utc } from '../../io/clock.ts';
import { DatagramSocket } from '../../io/datagrams.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { readKey } from '../../io/keyring.ts';
import type { EtcdAnswer, Level } from '../messages.ts';

/** What comes of the votes. */
export type VotesTold =
  | Extract<ClaimsEffect, { type: 'voted' | 'said' | 'fence' | 'etcd' | 'weighed' | 'changed' }>
  /** Something that scripts, FIFOs and mails may be told of. */
  | { readonly type: 'notify'; readonly happening: Happening };

const ANY: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' };

/** Who may hold what: the votes of the cluster, over its heartbeats. */
export class Votes {
  readonly #claims = new Claims();
  readonly #driver: Driver;
  /** Since votes were needed for the first time. */
  #driven: Driven<ClaimsEvent> | undefined;
  readonly #tell: (news: VotesTold) => void;
  readonly #log: (level: Level, message: string) => void;
  #cluster: ClusterSettings | undefined;
  #protects = false;
  /** Has the cluster's key. */
  #codec: HeartbeatCodec | undefined;
  readonly #sockets = new Map<Family, DatagramSocket>();

  constructor(driver: Driver, tell: (news: VotesTold) => void, log: (level: Level, message: string) => void) {
    this.#tell = tell;
    this.#log = log;
    this.#driver = driver;
  }

  /** Whether virtual routers need votes. */
  get protects(): boolean {
    return this.#protects;
  }

  /** Whether directors speak to each other. */
  get speaks(): boolean {
    return this.#cluster !== undefined;
  }

  /** Whether another director is heard, that could take something over. */
  get hears(): boolean {
    return this.#claims.protection?.hears ?? false;
  }

  /** Gives the groups: where votes are needed, each virtual router is in one. */
  configure(configuration: Parameters<typeof claimed>[0]): readonly GroupSettings[] {
    const { groups, settings, protects } = claimed(configuration);
    this.#protects = protects;
    const cluster = settings?.cluster;
    const codec = cluster && new HeartbeatCodec(cluster.cluster, readKey(cluster.keyFile));
    if (settings !== undefined) this.#driven ??= this.#begin();
    this.#driven?.handle({ type: 'configure', settings, life: randomBytes(8).toString('hex'), utc: utc() });
    if (JSON.stringify(cluster) !== JSON.stringify(this.#cluster)) {
      for (const socket of this.#sockets.values()) socket.close();
      this.#sockets.clear();
      [this.#cluster, this.#codec] = [cluster, codec];
      if (cluster !== undefined) for (const family of familiesOf(cluster)) void this.#listen(cluster, family);
    }
    return groups;
  }

  #begin(): Driven<ClaimsEvent> {
    return this.#driver.record(
      this.#claims,
      (effects) => {
        for (const effect of effects) this.#perform(effect);
      },
      { kind: 'votes', name: 'votes', birth: {} },
    );
  }

  want(claim: string, priority: number, why: string): void {
    this.#driven?.handle({ type: 'want', claim, priority, why });
  }

  /** Speaks of planned hand-overs. */
  say(effect: Extract<ClaimsEvent, { type: 'say' }>): void {
    this.#driven?.handle(effect);
  }

  /** No address of an earlier life is left: others may hear that this process lives. */
  clean(): void {
    this.#driven?.handle({ type: 'clean' });
  }

  /** A device has shown that a director was off at that time. */
  fenced(director: string, at: Instant): void {
    this.#driven?.handle({ type: 'fenced', director, at });
  }

  /** No device could switch it off at that time. */
  unfenced(director: string, at: Instant): void {
    this.#driven?.handle({ type: 'unfenced', director, at });
  }

  /** What is known of the silent master of a claim: the answer is `weighed`, at once. */
  weigh(router: string, claim: string | undefined, master: Ip): void {
    if (this.#driven === undefined) this.#tell({ type: 'weighed', router, cluster: {} });
    else this.#driven.handle({ type: 'weigh', router, claim, master });
  }

  /** The silent master of a claim is to be switched off; without a `why` not any more. */
  shoot(claim: string, master: Ip, why: string | undefined): void {
    this.#driven?.handle({ type: 'shoot', claim, master, why });
  }

  /** etcd has answered, or lives. */
  etcd(answer: EtcdAnswer | undefined): void {
    this.#driven?.handle({ type: 'etcd', ...(answer && { answer: { type: 'answer', ...answer } }) });
  }

  letGo(claim: string, why: string): void {
    this.#driven?.handle({ type: 'let-go', claim, why });
  }

  status(): ClusterFacts | undefined {
    return this.#protects ? this.#claims.status(now()) : undefined;
  }

  async #listen(cluster: ClusterSettings, family: Family): Promise<void> {
    const take = (datagram: Uint8Array): void => {
      const heartbeat = this.#codec?.read(datagram) ?? 'not a heartbeat';
      if (typeof heartbeat === 'string') this.#driven?.handle({ type: 'unreadable', why: heartbeat });
      else this.#driven?.handle({ type: 'heartbeat', heartbeat, utc: utc() });
    };
    const failed = (error: Error): void => this.#log('error', `heartbeats: ${error.message}`);
    try {
      const socket = await DatagramSocket.open(ANY[family], cluster.port, take, failed);
      if (this.#cluster === cluster) this.#sockets.set(family, socket);
      else socket.close();
    } catch (error) {
      this.#log('crit', `no heartbeats over IPv${family}: ${(error as Error).message}`);
    }
  }

  #perform(effect: ClaimsEffect): void {
    switch (effect.type) {
      case 'send':
        this.#send(effect.heartbeat);
        break;
      case 'log':
        this.#log(effect.level, effect.message);
        break;
      case 'alarm': {
        const { claim, what, cause } = effect;
        const happening = { of: 'alarm', about: 'votes', name: nameOfClaim(claim), what, cause } as const;
        this.#tell({ type: 'notify', happening });
        break;
      }
      case 'clock': {
        const what = effect.apart ? 'CLOCK_APART' : 'CLOCK_AGREES';
        const cause = lineOf(effect)?.message ?? '';
        this.#tell({ type: 'notify', happening: { of: 'voter', name: effect.name, what, cause } });
        break;
      }
      case 'voted':
      case 'said':
      case 'fence':
      case 'etcd':
      case 'weighed':
      case 'changed':
        this.#tell(effect);
        break;
      default:
        unreachable(effect);
    }
  }

  /** On every path to its addressee: one after the other, for what others have overtaken by far is not heard. */
  #send(heartbeat: Heartbeat): void {
    if (this.#cluster === undefined) return;
    const places = placesOf(this.#cluster, heartbeat.to);
    for (const datagram of this.#codec?.write(heartbeat) ?? [])
      for (const { address, port } of places)
        this.#sockets.get(familyOf(address))?.send(datagram, { address, port });
  }
}
