import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';

/** A request is one line of JSON, at most this long; an answer too, and of thousands of servers it is megabytes. */
const MAX_REQUEST = 1 << 20;
const MAX_ANSWER = 1 << 28;
const MAX_CLIENTS = 64;
const CLIENT_TIMEOUT_MS = 5_000;

/** May give a promise. */
export type Answer = (request: unknown) => unknown;

const ROOT = 0;
const GROUP_MAY_ASK = 0o660;

/**
 * Serves the operator's requests on the unix socket `path` (mode 0600: root's, or also the group's): one JSON line in,
 * one out. What `answer` throws goes back as `{ error }`. A leftover socket of an earlier life is replaced. Throws when
 * the group can't be given it.
 */
export function serveControl(path: string, answer: Answer, group?: number): Server {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  rmSync(path, { force: true });
  const server = createServer((socket) => {
    // From the first byte to the last: one that sends a byte now and then holds its place no longer.
    const limit = setTimeout(() => socket.destroy(), CLIENT_TIMEOUT_MS);
    socket.on('close', () => clearTimeout(limit));
    socket.on('error', () => socket.destroy());
    readLine(socket, MAX_REQUEST, (line) => {
      void respond(line, answer).then((said) => socket.end(`${JSON.stringify(said)}\n`));
    });
  });
  server.maxConnections = MAX_CLIENTS;
  // The socket is bound before `listen` returns, so nothing else is made with this mask.
  const mask = process.umask(0o177);
  server.listen(path);
  process.umask(mask);
  if (group !== undefined) {
    try {
      chownSync(path, ROOT, group);
      chmodSync(path, GROUP_MAY_ASK);
    } catch (error) {
      server.close();
      throw error;
    }
  }
  return server;
}

async function respond(line: string, answer: Answer): Promise<unknown> {
  try {
    return await answer(JSON.parse(line));
  } catch (error) {
    return { error: (error as Error).message };
  }
}

function readLine(socket: Socket, longest: number, received: (line: string) => void): void {
  const parts: string[] = [];
  let length = 0;
  let done = false;
  socket.setEncoding('utf8');
  socket.on('data', (part: string) => {
    if (done) return;
    const end = part.indexOf('\n');
    parts.push(end < 0 ? part : part.slice(0, end));
    length += part.length;
    if (end >= 0) {
      done = true;
      received(parts.join(''));
    } else if (length > longest) {
      socket.destroy();
    }
  });
}

/** Asks the daemon behind `path`; rejects when none listens, in time (`ETIMEDOUT`), or the answer is no JSON. */
export function askControl(path: string, request: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(CLIENT_TIMEOUT_MS, () => {
      socket.destroy(Object.assign(new Error('vipkeeperd does not answer'), { code: 'ETIMEDOUT' }));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the daemon closed the connection without an answer')));
    readLine(socket, MAX_ANSWER, (line) => {
      try {
        resolve(JSON.parse(line));
      } catch (error) {
        reject(error as Error);
      }
      socket.destroy();
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
