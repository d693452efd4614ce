import { type Seal, Sealed } from '../../sealed.ts';
import { type BulkMessage, decodeBulk, encodeBulk } from './message.ts';

/** What a director of the cluster writes and reads of the copies of connection tables. */

export const BULK_MARK = 'VKB1';

/** Why a datagram is not acted on. */
export type BulkRejection =
  /** No such datagram of this cluster. */
  | 'foreign'
  | 'wrong key'
  | 'malformed'
  /** Signed by nobody that the configuration names, or by ourselves. */
  | 'unknown sender'
  /** Its nonces are of another time. */
  | 'replayed';

export interface PostSettings {
  readonly cluster: string;
  /** Ours. */
  readonly name: string;
  /** The other directors. */
  readonly others: readonly string[];
  readonly syncId: number;
}

export type Opened =
  | { readonly message: BulkMessage }
  | { readonly rejection: BulkRejection }
  /** Genuine, and for another director or another syncid. */
  | { readonly elsewhere: true };

/** Signs what is said, and opens what comes. */
export class BulkPost {
  readonly #sealed: Sealed;
  readonly #settings: PostSettings;

  constructor(settings: PostSettings, seal: Seal) {
    this.#settings = settings;
    this.#sealed = new Sealed(BULK_MARK, settings.cluster, seal);
  }

  /** The datagram. */
  close(message: BulkMessage): Uint8Array {
    return this.#sealed.close(encodeBulk(message));
  }

  open(datagram: Uint8Array): Opened {
    const { name, others, syncId } = this.#settings;
    const opened = this.#sealed.open(datagram);
    if ('fault' in opened) return { rejection: opened.fault };
    const message = decodeBulk(opened.body);
    if (message === undefined) return { rejection: 'malformed' };
    if (!others.includes(message.from)) return { rejection: 'unknown sender' };
    const { type } = message;
    const toAll = type === 'request' || type === 'survey';
    // A backup is to learn that the master has another syncid.
    const ofAnySync = type === 'survey' || type === 'counts';
    const ours = (message.syncId === syncId || ofAnySync) && (message.to === name || toAll);
    return ours ? { message } : { elsewhere: true };
  }
}
