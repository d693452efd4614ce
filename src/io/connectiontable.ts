import { close, openSync, read, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Connection, parseConnection } from '../core/ipvsadm/connections.ts';
import { inNamespace } from './namespace.ts';

const LISTING = '/proc/net/ip_vs_conn';
const APPLICATIONS = '/proc/net/ip_vs_app';
/** The kernel gives a page at a time, and looks for its place from the beginning of the table each time. */
const PIECE_BYTES = 65_536;
const readAt = promisify(read);

/**
 * A reading of the kernel's connection table, piece by piece: the process is free meanwhile. Entries move in the
 * kernel's listing while others come and go: a reading may leave some out, and have some twice.
 */
export class ConnectionReading {
  readonly #fd: number;
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #rest = '';
  #busy = false;
  #closed = false;

  /** `namespace`: the path of the network namespace, unless it is ours. Throws what open(2) says. */
  constructor(namespace?: string) {
    this.#fd = inNamespace(namespace, () => openSync(LISTING, 'r'));
  }

  /** The next connections; `last` when these are all. Rejects with what read(2) says. One call at a time. */
  async next(): Promise<{ readonly rows: readonly Connection[]; readonly last: boolean }> {
    this.#busy = true;
    try {
      let [length, last] = [0, false];
      while (length < PIECE_BYTES && !last && !this.#closed) {
        const { bytesRead } = await readAt(this.#fd, this.#piece, length, PIECE_BYTES - length, null);
        length += bytesRead;
        last = bytesRead === 0;
      }
      const lines = (this.#rest + Buffer.from(this.#piece.buffer, 0, length).toString('latin1')).split('\n');
      this.#rest = lines.pop() ?? '';
      return { rows: lines.flatMap((line) => parseConnection(line) ?? []), last };
    } finally {
      this.#busy = false;
      if (this.#closed) this.#close();
    }
  }

  /** May be called again. */
  close(): void {
    if (!this.#closed && !this.#busy) this.#close();
    this.#closed = true;
  }

  #close(): void {
    close(this.#fd, () => undefined);
  }
}

/** The TCP ports of the protocols whose content the kernel changes: FTP. None where the kernel has no such module. */
export function changedPorts(namespace?: string): number[] {
  const text = inNamespace(namespace, () => {
    try {
      return readFileSync(APPLICATIONS, 'latin1');
    } catch {
      return '';
    }
  });
  return Array.from(text.matchAll(/^TCP\s+(\d+)\s/gm), ([, port]) => Number(port));
}
