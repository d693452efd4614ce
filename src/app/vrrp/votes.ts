import { randomBytes } from 'node:crypto';
import { unreachable } from '../../core/assert.ts';
import type { ClusterFacts } from '../../core/fence/facts.ts';
import { Protection, type ProtectionEffect, type ProtectionEvent } from '../../core/fence/protection.ts';
import { type ClusterSettings, VOTERS_LEAST, votersOf } from '../../core/fence/settings.ts';
import { type Family, familyOf, type Ip } from '../../core/ip.ts';
import type { Duration, Instant } from '../../core/time.ts';
import { claims, type GroupEvent, promiseFor } from '../../core/vrrp/group.ts';
import type { GroupSettings } from '../../core/vrrp/settings.ts';
import { now, utc } from '../../io/clock.ts';
import { DatagramSocket } from '../../io/datagrams.ts';
import type { Driven, Driver } from '../../io/drive.ts';
import { readKey } from '../../io/keyring.ts';
import type { Level, VrrpConfiguration } from '../messages.ts';

/** What the votes need of their process. */
interface Around {
  readonly driver: Driver;
  log(level: Level, message: string): void;
  /** Something that the status shows changed. */
  changed(): void;
}

/** What there is to vote on. */
type Claims = Pick<VrrpConfiguration, 'instances' | 'groups' | 'cluster'>;

interface Cluster {
  readonly settings: ClusterSettings;
  readonly protection: Protection;
  readonly driven: Driven<ProtectionEvent>;
  readonly sockets: Map<Family, DatagramSocket>;
}

const ANY: Readonly<Record<Family, string>> = { 4: '0.0.0.0', 6: '::' };

/** Who may hold what: the votes of the cluster, over its heartbeats. */
export class Votes {
  readonly #around: Around;
  readonly #voted: (claim: string, event: GroupEvent) => void;
  #cluster: Cluster | undefined;
  /** How long a vote for each claim may last. */
  #promises: ReadonlyMap<string, Duration> = new Map();
  /** Claims that we hold, until when. */
  readonly #held = new Map<string, Instant | undefined>();

  /** `voted` hears the news for the group that has the claim. */
  constructor(around: Around, voted: (claim: string, event: GroupEvent) => void) {
    this.#around = around;
    this.#voted = voted;
  }

  /** Whether virtual routers need votes. */
  get protects(): boolean {
    return this.#cluster !== undefined;
  }

  /**
   * Gives the groups: where votes are needed, each virtual router is in one. Other settings of the cluster begin anew:
   * what was held must be asked for again.
   */
  configure({ instances, groups, cluster }: Claims): readonly GroupSettings[] {
    const wanted = cluster !== undefined && votersOf(cluster) >= VOTERS_LEAST ? cluster : undefined;
    const all = wanted === undefined ? groups : claims(instances, groups);
    this.#promises = new Map(
      all.map(({ name, members }) => {
        const own = instances.filter((instance) => members.includes(instance.name));
        return [name, promiseFor(own, wanted?.margin ?? 0)];
      }),
    );
    if (JSON.stringify(wanted) !== JSON.stringify(this.#cluster?.settings)) {
      this.#close();
      if (wanted !== undefined) this.#open(wanted);
    }
    return all;
  }

  want(claim: string, priority: number, why: string): void {
    const promise = this.#promises.get(claim);
    if (promise !== undefined) this.#cluster?.driven.handle({ type: 'want', claim, priority, promise, why });
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

  #open(settings: ClusterSettings): void {
    const { cluster, name, directors, witness, longest, margin, interval } = settings;
    const protection = new Protection(
      {
        cluster,
        name,
        life: randomBytes(8).toString('hex'),
        directors: directors.map((director) => director.name),
        witness: witness?.name,
        longest,
        margin,
        interval,
      },
      readKey(settings.keyFile),
      now(),
      utc(),
    );
    const driven = this.#around.driver.attach(protection, (effects) => {
      for (const effect of effects) this.#perform(effect);
    });
    const made = { settings, protection, driven, sockets: new Map<Family, DatagramSocket>() };
    this.#cluster = made;
    const others = [...directors.filter((director) => director.name !== name), ...(witness ? [witness] : [])];
    for (const family of new Set(others.flatMap(({ addresses }) => addresses.map(familyOf))))
      void this.#listen(made, family);
  }

  async #listen({ settings, driven, sockets }: Cluster, family: Family): Promise<void> {
    const take = (datagram: Uint8Array): void => driven.handle({ type: 'heartbeat', datagram, utc: utc() });
    const failed = (error: Error): void => this.#around.log('error', `heartbeats: ${error.message}`);
    try {
      const socket = await DatagramSocket.open(ANY[family], settings.port, take, failed);
      if (this.#cluster?.settings === settings) sockets.set(family, socket);
      else socket.close();
    } catch (error) {
      this.#around.log('crit', `no heartbeats over IPv${family}: ${(error as Error).message}`);
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
    const around = this.#around;
    switch (effect.type) {
      case 'send':
        this.#send(effect.to, effect.datagrams);
        break;
      case 'authorised':
        this.#held.set(effect.claim, effect.until);
        this.#voted(effect.claim, { type: 'authorised' });
        break;
      case 'lost':
        this.#held.delete(effect.claim);
        around.log('error', `${effect.claim}: the votes are lost: ${effect.why}`);
        this.#voted(effect.claim, { type: 'lost', why: `the votes are lost: ${effect.why}` });
        break;
      case 'refused':
        around.log('notice', `${effect.claim}: no majority of votes: ${effect.why}`);
        break;
      case 'challenged': {
        const { by, priority } = effect;
        this.#voted(effect.claim, { type: 'challenged', by, priority });
        break;
      }
      case 'dropped':
        around.log(
          'warning',
          `dropped ${effect.count} ${effect.count === 1 ? 'heartbeat' : 'heartbeats'}: ${effect.reason}`,
        );
        break;
      case 'peer':
        around.log(
          effect.heard ? 'notice' : 'warning',
          `${effect.name} is ${effect.heard ? 'heard' : 'silent'}`,
        );
        break;
      default:
        unreachable(effect);
    }
    if (effect.type !== 'send') around.changed();
  }

  /** On every path to it. */
  #send(to: string, datagrams: readonly Uint8Array[]): void {
    const { settings, sockets } = this.#cluster ?? {};
    if (settings === undefined || sockets === undefined) return;
    const { witness, directors, port } = settings;
    const isWitness = witness?.name === to;
    const addresses: readonly Ip[] = isWitness
      ? witness.addresses
      : (directors.find(({ name }) => name === to)?.addresses ?? []);
    for (const address of addresses) {
      const socket = sockets.get(familyOf(address));
      for (const datagram of datagrams)
        socket?.send(datagram, { address, port: isWitness ? witness.port : port });
    }
  }
}
