import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Answered, Dial } from './client-messages.ts';

/**
 * Single connections of a client that say only what they are told to: what a scene counts packets and chooses servers
 * with. A real server (real-server.ts) greets each with its name, and echoes.
 */
interface Call {
  /** Says a text and gives what comes back first. */
  say(text: string): Promise<string>;
  /** Ends it; resolves when the other side has ended, too. */
  hangUp(): Promise<void>;
}

/** No measure: nobody waits for ever. */
const LIMIT_MILLISECONDS = 60_000;
const calls: Call[] = [];

/** Connects and gives the name of the server that answers, or why none does. */
export async function dial(ask: Dial): Promise<Answered> {
  try {
    const [call, server] = await (ask.transport === 'tcp' ? dialTcp(ask) : dialUdp(ask));
    return { call: calls.push(call) - 1, server };
  } catch (error) {
    return { call: -1, server: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  }
}

export const say = (call: number, text: string): Promise<string> =>
  calls[call]?.say(text).catch((error: NodeJS.ErrnoException) => error.code ?? error.message) ??
  Promise.resolve('no such call');

export const hangUp = async (call: number): Promise<void> => calls[call]?.hangUp();

/** What the other side says next; throws when there is an error, an end, or nothing for long. */
async function next(emitter: Socket | Datagrams, event: 'data' | 'message'): Promise<string> {
  const heard = new AbortController();
  const silence = AbortSignal.timeout(LIMIT_MILLISECONDS);
  const signal = AbortSignal.any([heard.signal, silence]);
  const closed = once(emitter, 'close', { signal }).then(() => Promise.reject(new Error('closed')));
  // It loses the race in most cases.
  closed.catch(() => undefined);
  try {
    const [data] = await Promise.race([once(emitter, event, { signal }), closed]);
    return String(data).trim();
  } catch (error) {
    throw silence.aborted ? new Error('silence') : error;
  } finally {
    heard.abort();
  }
}

async function dialTcp({ host, port, from }: Dial): Promise<[Call, string]> {
  const socket = connect({ host, port, noDelay: true, ...(from !== undefined && { localAddress: from }) });
  // What nobody awaits at the moment is told by the next one who does.
  socket.on('error', () => undefined);
  const server = await next(socket, 'data');
  const say = (text: string): Promise<string> => {
    if (socket.destroyed) return Promise.reject(new Error('closed'));
    const reply = next(socket, 'data');
    socket.write(`${text}\n`);
    return reply;
  };
  const hangUp = async (): Promise<void> => {
    if (socket.closed) return;
    socket.end();
    await once(socket, 'close');
  };
  return [{ say, hangUp }, server];
}

async function dialUdp({ host, port, from }: Dial): Promise<[Call, string]> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  socket.bind({ ...(from !== undefined && { address: from }) });
  await once(socket, 'listening');
  // Connected, it hears of a port where nobody listens.
  socket.connect(port, host);
  await once(socket, 'connect');
  const say = (text: string): Promise<string> => {
    const reply = next(socket, 'message');
    socket.send(text);
    return reply;
  };
  const hangUp = async (): Promise<void> => void socket.close();
  return [{ say, hangUp }, await say('who?')];
}
