import { readlinkSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fields, number, oneOf, record, text } from '../core/shape.ts';
import { seconds } from '../core/time.ts';
import { Patience } from './patience.ts';
import { SocketEnd } from './socketend.ts';

/**
 * A process whose supervisor is gone waits on a unix socket in the run folder, of mode 0600, for the next one. It says
 * first who it is; a supervisor that can work with it answers `adopt`, and from then on both talk as a supervisor and
 * its child do. A process of another build, which is to take its place, says `yield`: the one that waits answers with
 * what the other needs to go on (`yielded`), and ends without taking anything away.
 */
export interface Orphan {
  readonly type: 'orphan';
  readonly pid: number;
  /** The release, and which build of the program: messages are those of one build. */
  readonly release: string;
  /** Its network namespace, as the kernel names it. */
  readonly network: string;
  /** The form of what it says when it yields: `BEQUEST` of its build. Other builds read that, unlike other messages. */
  readonly bequest: number;
}
const ORPHAN = fields({ type: oneOf('orphan'), pid: number, release: text, network: text, bequest: number });
const WORD = fields({ type: oneOf('adopt', 'yield') });
/** Of the build that this is. It is another number when the answer to `yield` cannot be read by the builds before. */
export const BEQUEST = 1;
const YIELDED = fields({ type: oneOf('yielded'), bequest: record });

/** A living process answers at once; one that has just lost its supervisor has to notice that first. */
const LONGEST = seconds(3);
const AGAIN_MS = 20;
/** One supervisor at most has the run folder. */
const MOST_CLIENTS = 4;

/** The release and the build of a program, by its path, and its Node; where that cannot be told it is no other's. */
export function releaseOf(version: string, program: string): string {
  try {
    const { size, mtimeMs } = statSync(program);
    return `${version} (${size} bytes of ${new Date(mtimeMs).toISOString()}, Node ${process.versions.node})`;
  } catch (error) {
    return `${version} (process ${process.pid}: ${(error as Error).message})`;
  }
}

/** The network namespace of this process. Throws what the system refuses. */
export const ownNetwork = (): string => readlinkSync('/proc/self/ns/net');

/** What becomes of a process that waits. */
export interface Heirs {
  /** A supervisor goes on with it. */
  adopted(end: SocketEnd): void;
  /** Another process is to take its place: what that is told. */
  bequest(): object;
  /** That process knows it. */
  yielded(): void;
  /** Nobody can take over. */
  trouble(why: string): void;
}

/**
 * Waits at `path` until somebody takes this process over or takes its place, and then no more. Returns the end of
 * waiting, which may be called again.
 */
export function awaitSuccessor(
  path: string,
  who: Omit<Orphan, 'type' | 'pid' | 'bequest'>,
  heirs: Heirs,
): () => void {
  const server = createServer((socket) => {
    const end = new SocketEnd(socket);
    end.onMessage((message) => {
      if (WORD(message) !== undefined) return end.close();
      server.close();
      if ((message as { readonly type: string }).type === 'adopt') heirs.adopted(end);
      else end.send({ type: 'yielded', bequest: heirs.bequest() }, () => heirs.yielded());
    });
    end.send({ type: 'orphan', pid: process.pid, bequest: BEQUEST, ...who }, () => undefined);
  });
  server.maxConnections = MOST_CLIENTS;
  server.on('error', ({ message }) => heirs.trouble(`the next supervisor cannot take over: ${message}`));
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

/**
 * Asks the process that waits at `path` for its place: what it says last, of whatever shape its build gives it, when it
 * serves no more; or why it says nothing.
 */
export async function takePlace(
  path: string,
): Promise<{ readonly bequest: unknown } | { readonly why: string }> {
  const found = await findOrphan(path);
  if ('why' in found) return found;
  const { end } = found;
  return new Promise((resolve) => {
    const patience = new Patience(LONGEST, () => resolve({ why: 'it does not yield' }));
    const finish = (outcome: { readonly bequest: unknown } | { readonly why: string }): void => {
      patience.end();
      end.close();
      resolve(outcome);
    };
    end.onMessage((message) => {
      const wrong = YIELDED(message);
      finish(
        wrong === undefined
          ? { bequest: (message as { readonly bequest: unknown }).bequest }
          : { why: `it says nonsense${wrong}` },
      );
    });
    end.onClose(() => finish({ why: 'it ended before it yielded' }));
    end.send({ type: 'yield' }, () => undefined);
  });
}
