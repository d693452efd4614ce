import type { Connection } from '../../core/ipvsadm/connections.ts';
import type { ReadingEvent } from '../../core/sync/bulk/events.ts';
import type { Identity } from '../../core/sync/bulk/fingerprint.ts';
import { ConnectionReading } from '../../io/connectiontable.ts';

export interface ReaderHandlers {
  rows(rows: readonly Connection[], last: boolean): void;
  failed(why: string): void;
}

/** One reading of the connection table at a time, for a machine that asks for it piece by piece. */
export class TableReader {
  readonly #namespace: string | undefined;
  #open: { readonly number: number; readonly reading: ConnectionReading } | undefined;

  constructor(namespace: string | undefined) {
    this.#namespace = namespace;
  }

  /** The number of the reading that is open. */
  get reading(): number | undefined {
    return this.#open?.number;
  }

  /** Gives the next piece of the reading of this number; another number begins anew. */
  read(number: number, { rows, failed }: ReaderHandlers): void {
    try {
      if (this.#open?.number !== number) {
        this.close();
        this.#open = { number, reading: new ConnectionReading(this.#namespace) };
      }
    } catch (error) {
      setImmediate(() => failed((error as Error).message));
      return;
    }
    this.#open.reading.next().then(
      (piece) => {
        if (piece.last && this.#open?.number === number) this.close();
        rows(piece.rows, piece.last);
      },
      (error: Error) => failed(error.message),
    );
  }

  /** The same for a machine that wants to know which connections there are. */
  compare(
    reading: number,
    wanted: (rows: readonly Connection[]) => readonly Identity[],
    tell: (event: ReadingEvent) => void,
  ): void {
    this.read(reading, {
      rows: (rows, last) => tell({ type: 'rows', reading, identities: wanted(rows), last }),
      failed: (why) => tell({ type: 'unread', reading, why }),
    });
  }

  close(): void {
    this.#open?.reading.close();
    this.#open = undefined;
  }
}
