import { readlinkSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fields, number, oneOf, text } from '../core/shape.ts';
import { seconds } from '../core/time.ts';
import { Patience } from './patience.ts';
import { SocketEnd } from './socketend.ts';

/**
 * A process whose supervisor is gone waits on a unix socket in the run folder, of mode 0600, for the next one. It says
 * first who it is; a supervisor that can work with it answers `adopt`, and from then on both talk as a supervisor and
 * its child do.
 */
export interface Orphan {
  readonly type: 'orphan';
  readonly pid: number;
  /** The release, and which build of the program: messages are those of one build. */
  readonly release: string;
  /** Its network namespace, as the kernel names it. */
  readonly network: string;
}
const ORPHAN = fields({ type: oneOf('orphan'), pid: number, release: text, network: text });
const ADOPT = fields({ type: oneOf('adopt') });

/** A living process answers at once; one that has just lost its supervisor has to notice that first. */
const LONGEST = seconds(3);
const AGAIN_MS = 20;
/** One supervisor at most has the run folder. */
const MOST_CLIENTS = 4;

/** The release and the build of a program, by its path; where that cannot be told it is no other's. */
export function releaseOf(version: string, program: string): string {
  try {
    const { size, mtimeMs } = statSync(program);
    return `${version} (${size} bytes of ${new Date(mtimeMs).toISOString()})`;
  } catch (error) {
    return `${version} (process ${process.pid}: ${(error as Error).message})`;
  }
}

/** The network namespace of this process. Throws what the system refuses. */
export const ownNetwork = (): string => readlinkSync('/proc/self/ns/net');

/**
 * Waits at `path` until a supervisor adopts this process, and then no more: `adopted` gets the connection. What makes
 * it impossible goes to `trouble`. Returns the end of waiting, which may be called again.
 */
export function awaitSuccessor(
  path: string,
  who: Omit<Orphan, 'type' | 'pid'>,
  adopted: (end: SocketEnd) => void,
  trouble: (why: string) => void,
): () => void {
  const server = createServer((socket) => {
    const end = new SocketEnd(socket);
    end.onMessage((message) => {
      if (ADOPT(message) !== undefined) return end.close();
      server.close();
      adopted(end);
    });
    end.send({ type: 'orphan', pid: process.pid, ...who }, () => undefined);
  });
  server.maxConnections = MOST_CLIENTS;
  server.on('error', ({ message }) => trouble(`the next supervisor cannot take over: ${message}`));
  rmSync(path, { force: true });
  // The socket is bound before `listen` returns, so nothing else is made with this mask.
  const mask = process.umask(0o177);
  server.listen(path);
  process.umask(mask);
  return () => void server.close();
}

/** What came of looking for a process that waits. */
export type Found = { readonly orphan: Orphan; readonly end: SocketEnd } | { readonly why: string };

/** Asks who waits at `path`. It is to be told `adopt`, or its `end` to be closed. */
export function findOrphan(path: string): Promise<Found> {
  return new Promise((resolve) => {
    let over = false;
    const finish = (found: Found): void => {
      if (over) return;
      over = true;
      patience.end();
      resolve(found);
    };
    let last = 'nobody waits for a supervisor';
    let end: SocketEnd | undefined;
    const patience = new Patience(LONGEST, () => {
      end?.close();
      finish({ why: last });
    });
    const again = (): void => void setTimeout(attempt, AGAIN_MS);
    const attempt = (): void => {
      if (over) return;
      const socket = connect(path, () => {
        last = 'it says nothing';
      });
      const reached = new SocketEnd(socket);
      end = reached;
      reached.onMessage((message) => {
        const wrong = ORPHAN(message);
        if (wrong !== undefined) reached.close();
        finish(
          wrong === undefined
            ? { orphan: message as Orphan, end: reached }
            : { why: `it says nonsense${wrong}` },
        );
      });
      reached.onClose(again);
    };
    attempt();
  });
}
