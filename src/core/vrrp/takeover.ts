import type { Ip } from '../ip.ts';
import type { Instant } from '../time.ts';

/**
 * `takeover_policy`: what a backup needs beside the silence of its master. `silence`: nothing, as VRRP has it;
 * `evidence`: that nothing says that the master serves on; `proof`: that something says that it does not.
 */
export const TAKEOVER_POLICIES = ['silence', 'evidence', 'proof'] as const;
export type TakeoverPolicy = (typeof TAKEOVER_POLICIES)[number];

/** `fence`: the old master is switched off first. `give up`: it is this director that is cut off. */
export type Verdict = 'take' | 'fence' | 'wait' | 'give up';

/** What the cluster of `heartbeat` knows of a master whose adverts have stopped. */
export interface ClusterWord {
  readonly peer?: {
    readonly name: string;
    /** Its heartbeats come. */
    readonly heard: boolean;
    /** It says that it is master: it has our vote, or asks for it. */
    readonly claims: boolean;
    /** A device has shown that it is off, or the operator says so. */
    readonly off: boolean;
    /** A device can switch it off. */
    readonly fenced: boolean;
  };
  readonly witness?: { readonly name: string; readonly heard: boolean };
}

/** Who answered for an address, by its MAC address; absent: nobody. */
export interface Asked {
  readonly address: Ip;
  readonly mac?: string;
}

/** What is known when a master's adverts have stopped. */
export interface Clues {
  /** Of the interface where they came from. */
  readonly link: { readonly up: boolean; readonly why: string };
  /** Why nobody could be asked. */
  readonly trouble?: string | undefined;
  readonly virtual: readonly Asked[];
  /** The address that the adverts came from. */
  readonly master: Asked;
  /** Where datagrams of connection sync come from, which a kernel sends for the connections that it serves. */
  readonly carrier?: Ip | undefined;
  readonly cluster: ClusterWord;
}

/** One thing that is known, for people: of what, and what of it. */
export interface Finding {
  readonly of: string;
  readonly found: string;
}

/** What was decided when a master's adverts had stopped, and on what evidence. */
export interface Decision {
  readonly verdict: Verdict;
  readonly why: string;
  readonly evidence: readonly Finding[];
  /** The same came of it so many times in a row, from `first` to `last`. */
  readonly times: number;
  readonly first: Instant;
  readonly last: Instant;
}

/** What `takeover_policy` shows of itself. */
export interface TakeoverStatus {
  readonly policy: TakeoverPolicy;
  /** The last ones, the oldest first. */
  readonly decisions: readonly Decision[];
}

/** The virtual addresses that somebody answers for. */
export const served = ({ virtual }: Clues): Asked[] => virtual.filter(({ mac }) => mac !== undefined);

interface Judgement {
  readonly verdict: Verdict;
  readonly why: string;
}

/** What is done, and why: the table in vipkeeperd(8), TAKEOVER, in its order. */
export function judge(policy: TakeoverPolicy, clues: Clues): Judgement {
  const { link, trouble, master, carrier, cluster } = clues;
  const { peer, witness } = cluster;
  if (!link.up) return { verdict: 'give up', why: `this director has no link: ${link.why}` };
  if (trouble !== undefined) return { verdict: 'give up', why: `nobody could be asked: ${trouble}` };
  const shut = peer?.fenced === true && !peer.heard && !peer.off ? 'fence' : 'wait';
  const [answered] = served(clues);
  if (answered !== undefined)
    return { verdict: shut, why: `${answered.address} is served on: ${answered.mac} answers for it` };
  const said = peer && saidOf(peer);
  if (said !== undefined) return said;
  if (carrier !== undefined)
    return { verdict: shut, why: `${carrier} still sends connection sync: connections are served there` };
  if (master.mac !== undefined)
    return { verdict: 'take', why: `${master.address} answers, but no virtual address does` };
  const nobody = `neither ${master.address} nor a virtual address answers`;
  if (witness?.heard === false && peer?.fenced !== true)
    return { verdict: 'give up', why: `${nobody}, and ${witness.name} is silent: this director is cut off` };
  return { verdict: policy === 'proof' ? shut : 'take', why: nobody };
}

/** What the cluster says of the silent master; `undefined` when it says nothing. */
function saidOf({ name, off, heard, claims }: NonNullable<ClusterWord['peer']>): Judgement | undefined {
  if (off) return { verdict: 'take', why: `${name} is off` };
  if (!heard) return undefined;
  return claims
    ? { verdict: 'wait', why: `${name} says by its heartbeats that it is master` }
    : { verdict: 'take', why: `${name} says by its heartbeats that it is not master` };
}

const answerWords = ({ mac }: Asked): string => (mac === undefined ? 'no answer' : `${mac} answers`);

/** All that is known, for people. */
export function findings({ link, trouble, virtual, master, carrier, cluster }: Clues): Finding[] {
  const { peer, witness } = cluster;
  const heard = (name: string, hears: boolean, word = ''): Finding[] => [
    { of: name, found: hears ? `heartbeats come${word}` : 'no heartbeats' },
  ];
  return [
    { of: 'link', found: link.why },
    ...(trouble === undefined
      ? [...virtual, master].map((asked) => ({ of: asked.address, found: answerWords(asked) }))
      : [{ of: 'questions', found: trouble }]),
    ...(carrier === undefined ? [] : [{ of: 'connection sync', found: `comes from ${carrier}` }]),
    ...(peer === undefined
      ? []
      : heard(
          peer.name,
          peer.heard,
          peer.claims ? ', and it says that it is master' : ', and it is not master',
        )),
    ...(peer?.off === true ? [{ of: peer.name, found: 'was switched off' }] : []),
    ...(witness === undefined ? [] : heard(witness.name, witness.heard)),
  ];
}
