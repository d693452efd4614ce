import { clusterOf, type Seal } from '../sealed.ts';
import type { Instant } from '../time.ts';
import { Heartbeats, type Rejection } from './heartbeat.ts';
import { HEARTBEAT_MARK, type Heartbeat, HeartbeatCodec, type Word } from './heartbeat-codec.ts';
import { type Parts, REAL_PARTS } from './parts.ts';
import type { Voter, VoterSettings } from './voter.ts';

/**
 * The third vote of pairs: a voter for each cluster that it has a key of. It holds nothing and asks for nothing; it
 * promises its vote, and answers each heartbeat with one.
 */
export interface WitnessSettings extends VoterSettings {
  readonly name: string;
  /** Random, of this start. */
  readonly life: string;
}

export type Reply =
  | {
      readonly ok: true;
      readonly cluster: string;
      readonly from: string;
      readonly datagrams: readonly Uint8Array[];
    }
  | { readonly ok: false; readonly reason: Rejection | 'no key'; readonly cluster: string | undefined };

interface Cluster {
  readonly codec: HeartbeatCodec;
  readonly heartbeats: Heartbeats;
  readonly voter: Voter;
  readonly claims: Set<string>;
}

/** More claims of one cluster are refused: an asker with the key could fill the memory. */
const CLAIMS_MAX = 10_000;

export class Witness {
  readonly #settings: WitnessSettings;
  readonly #voter: Parts['voter'];
  readonly #clusters = new Map<string, Cluster>();

  constructor(settings: WitnessSettings, { voter } = REAL_PARTS) {
    this.#settings = settings;
    this.#voter = voter;
  }

  get clusters(): string[] {
    return [...this.#clusters.keys()];
  }

  /**
   * Has a key for exactly these clusters from now on. A cluster that stays keeps its promises; a new one is silent
   * until those of an earlier life have ended.
   */
  configure(seals: ReadonlyMap<string, Seal>, now: Instant): void {
    for (const cluster of this.clusters) if (!seals.has(cluster)) this.#clusters.delete(cluster);
    const { name, life } = this.#settings;
    for (const [cluster, seal] of seals) {
      const known = this.#clusters.get(cluster);
      this.#clusters.set(cluster, {
        voter: known?.voter ?? this.#voter(this.#settings, now),
        claims: known?.claims ?? new Set(),
        codec: new HeartbeatCodec(cluster, seal),
        // With a life of its own: what it numbers begins anew.
        heartbeats: new Heartbeats({ name, life: `${life}-${now}` }),
      });
    }
  }

  /** What a datagram that arrived `now` is answered with. `utc` in microseconds since 1970. */
  receive(datagram: Uint8Array, now: Instant, utc: number): Reply {
    const name = clusterOf(HEARTBEAT_MARK, datagram);
    if (name === undefined) return { ok: false, reason: 'not a heartbeat', cluster: undefined };
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) return { ok: false, reason: 'no key', cluster: name };
    const heartbeat = cluster.codec.read(datagram);
    if (typeof heartbeat === 'string') return { ok: false, reason: heartbeat, cluster: name };
    const reply = this.answer(name, heartbeat, now, utc);
    if (typeof reply === 'string') return { ok: false, reason: reply, cluster: name };
    return { ok: true, cluster: name, from: heartbeat.from, datagrams: cluster.codec.write(reply) };
  }

  /** What a heartbeat that is genuine is answered with: one, or why none. */
  answer(name: string, heartbeat: Heartbeat, now: Instant, utc: number): Heartbeat | Rejection | 'no key' {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) return 'no key';
    const accepted = cluster.heartbeats.accept(heartbeat, now);
    if (!accepted.ok) return accepted.reason;
    const { from, life, words } = accepted.heard;
    const answers = words.flatMap((word) => answer(cluster, from, life, word, now));
    return cluster.heartbeats.compose(from, answers, now, utc);
  }
}

function answer(
  { voter, claims }: Cluster,
  director: string,
  life: string,
  word: Word,
  now: Instant,
): Word[] {
  switch (word.type) {
    case 'ask': {
      const { claim, number, duration } = word;
      if (claims.size >= CLAIMS_MAX && !claims.has(claim)) return [];
      claims.add(claim);
      const said = voter.ask({ claim, director, life, number, duration }, now);
      return said === undefined ? [] : [{ type: 'answer', claim, number, answer: said }];
    }
    case 'release':
      voter.release({ claim: word.claim, director, life, number: word.number });
      return [];
    case 'fenced':
      voter.fenced(word.director, word.life);
      return [];
    default:
      return [];
  }
}
