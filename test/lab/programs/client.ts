import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dial, hangUp, say } from './calls.ts';
import type { Ask, Report } from './client-messages.ts';
import { streamBytes } from './stream.ts';

/**
 * The client of a scene: holds connections to an echo server through a VIP, sends a block of each
 * connection's own stream whenever the last one came back, and compares every byte. Told what to do by
 * messages (client-messages.ts).
 */
const BLOCK = 64;
const PAUSE_MILLISECONDS = 100;

/** The gap is taken over all connections: the longest time in which none of them heard anything. */
let lastHeard = performance.now();
let longestSilence = 0;

class Connection {
  readonly #number: number;
  readonly #socket: Socket;
  #state: 'opening' | 'open' | 'refused' | 'broken' = 'opening';
  #sent = 0;
  #received = 0;
  #greeting = '';
  server: string | undefined;
  corrupt = false;
  blocks = 0;

  constructor(number: number, host: string, port: number) {
    this.#number = number;
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on('data', (data) => this.#take(data));
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
  }

  get state(): 'opening' | 'open' | 'refused' | 'broken' {
    return this.#state;
  }

  get bytes(): number {
    return this.#received;
  }

  #end(): void {
    if (this.#state === 'opening') this.#state = 'refused';
    else if (this.#state === 'open') this.#state = 'broken';
  }

  #take(data: Buffer): void {
    const now = performance.now();
    longestSilence = Math.max(longestSilence, now - lastHeard);
    lastHeard = now;
    this.#echo(this.server === undefined ? this.#greet(data) : data);
  }

  /** Takes the server's first line, its name, and gives what follows it. */
  #greet(data: Buffer): Buffer {
    const text = this.#greeting + data.toString('latin1');
    const end = text.indexOf('\n');
    if (end < 0) {
      this.#greeting = text;
      return Buffer.alloc(0);
    }
    this.server = text.slice(0, end);
    this.#state = 'open';
    this.#send();
    return Buffer.from(text.slice(end + 1), 'latin1');
  }

  #echo(data: Buffer): void {
    if (data.length === 0) return;
    if (!data.equals(streamBytes(this.#number, this.#received, data.length))) this.corrupt = true;
    this.#received += data.length;
    if (this.#received > this.#sent) this.corrupt = true;
    if (this.#received < this.#sent) return;
    this.blocks++;
    setTimeout(() => this.#send(), PAUSE_MILLISECONDS);
  }

  #send(): void {
    if (this.#state !== 'open') return;
    this.#socket.write(streamBytes(this.#number, this.#sent, BLOCK));
    this.#sent += BLOCK;
  }

  close(): void {
    this.#socket.destroy();
  }
}

const connections: Connection[] = [];

function report(): Report {
  const servers: Record<string, number> = {};
  for (const { server } of connections)
    if (server !== undefined) servers[server] = (servers[server] ?? 0) + 1;
  const inState = (state: string): number => connections.filter((one) => one.state === state).length;
  return {
    opening: inState('opening'),
    open: inState('open'),
    refused: inState('refused'),
    broken: inState('broken'),
    corrupt: connections.filter((one) => one.corrupt).length,
    bytes: connections.reduce((sum, one) => sum + one.bytes, 0),
    blocks: connections.map((one) => one.blocks),
    longestSilenceMilliseconds: Math.max(longestSilence, performance.now() - lastHeard),
    servers,
  };
}

function fetchPage(url: string, milliseconds: number, from: string | undefined): Promise<string> {
  const options = { agent: false, timeout: milliseconds, ...(from !== undefined && { localAddress: from }) };
  return new Promise((resolve) => {
    const request = get(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () =>
        resolve(response.statusCode === 200 ? text.trim() : `status ${response.statusCode}`),
      );
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', (error) => resolve(`error ${error.message}`));
  });
}

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case 'open':
      for (let i = 0; i < ask.count; i++)
        connections.push(new Connection(connections.length, ask.host, ask.port));
      return true;
    case 'report':
      return report();
    case 'measure':
      longestSilence = 0;
      lastHeard = performance.now();
      return true;
    case 'get':
      return fetchPage(ask.url, ask.milliseconds, ask.from);
    case 'dial':
      return dial(ask);
    case 'say':
      return say(ask.call, ask.text);
    case 'hang up':
      return hangUp(ask.call);
    case 'close':
      for (const connection of connections.splice(0)) connection.close();
      return true;
  }
}

process.on('message', (message: Ask & { id: number }) => {
  void answer(message).then((result) => process.send?.({ id: message.id, result }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0, result: true });
