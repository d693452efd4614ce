import type { Ip } from '../../ip.ts';

/** Why connections do not reach a backup: what is likely, from what both sides count. */

/** What a host knows of its part in the sync group. */
export interface OwnGroup {
  readonly interface: string;
  readonly syncId: number;
  /** Datagrams with our syncid that came so far, modulo 2^32; absent where the daemons carry them (`sync_relay`). */
  readonly heard?: number;
  /** Senders of another syncid since the last look. */
  readonly others: readonly { readonly source: Ip; readonly syncId: number }[];
  /** Bytes: the payload that our kernel's daemon takes, and the interface's packets. */
  readonly maxlen: number;
  readonly mtu: number;
}

/** What the master says of its own. */
export interface MasterGroup {
  readonly name: string;
  readonly maxlen: number;
  readonly mtu: number;
}

/** Datagrams of the time between two surveys. */
export interface Window {
  readonly sent: number;
  readonly heard: number;
}

export type Cause = {
  readonly kind: 'syncid' | 'deaf' | 'stranger' | 'loss' | 'maxlen' | 'mtu';
  /** For people. */
  readonly text: string;
};

/** With fewer sent, that none came proves little. */
const SENT_LEAST = 3;
/** With fewer, a share lost proves little. */
const SHARE_LEAST = 20;
const LOSS = 0.1;

/** No master has our syncid, but one has another. */
export const otherSyncId = (master: string, theirs: number, ours: number): Cause => ({
  kind: 'syncid',
  text: `${master} is master with syncid ${theirs}, and ours is ${ours}: give lvs_sync_daemon the same id on both`,
});

/** The likely cause of a broken sync group; `undefined` where none shows. */
export function causeOf(master: MasterGroup, own: OwnGroup, window: Window | undefined): Cause | undefined {
  const { name } = master;
  const { interface: at, syncId, others } = own;
  const { sent, heard } = window ?? { sent: 0, heard: 0 };
  const found = (kind: Cause['kind'], ...text: readonly string[]): Cause => ({ kind, text: text.join(' ') });
  if (sent >= SENT_LEAST && heard === 0) {
    const none = `${name} sent ${sent} datagrams and none came on ${at}`;
    const [other] = others;
    return other !== undefined
      ? found('syncid', `${none}, but some of syncid ${other.syncId} from ${other.source}; ours is ${syncId}`)
      : found(
          'deaf',
          `${none}: a switch filters multicast (IGMP snooping without a querier?), or ${name} sends on another`,
          'network, group or port',
        );
  }
  if (heard > sent + SENT_LEAST && heard > sent * (1 + LOSS))
    return found(
      'stranger',
      `${heard} datagrams came on ${at} and ${name} sent only ${sent}: somebody else uses syncid ${syncId} there`,
    );
  if (master.maxlen > own.maxlen)
    return found(
      'maxlen',
      `datagrams of ${name} have up to ${master.maxlen} bytes and our kernel takes ${own.maxlen}:`,
      'give lvs_sync_daemon the same maxlen, or the interfaces the same MTU',
    );
  if (master.mtu > own.mtu && own.heard !== undefined)
    return found(
      'mtu',
      `the MTU of ${name} is ${master.mtu}, and ${own.mtu} on ${at}: large datagrams do not arrive`,
    );
  if (sent >= SHARE_LEAST && heard < sent * (1 - LOSS))
    return found('loss', `of ${sent} datagrams of ${name}, ${heard} came on ${at}: the network loses some`);
  return undefined;
}
