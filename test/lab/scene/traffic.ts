import { compiled } from '../engine/root.ts';
import type { Answered, Ask, Dial, Report } from '../programs/client-messages.ts';
import type { Host } from './host.ts';
import type { Program } from './program.ts';

export const ECHO_PORT = 7000;
export const HTTP_PORT = 8000;

/**
 * Starts a real server on a host (programs/real-server.ts) and waits until it listens. It answers with the
 * host's name.
 */
export async function realServer(host: Host, echoPort = ECHO_PORT, httpPort = HTTP_PORT): Promise<Program> {
  const file = compiled('test/lab/programs/real-server.ts');
  const argv = [process.execPath, file, host.name, String(echoPort), String(httpPort)];
  const program = host.start('real server', argv);
  await host.scene.until(`${host.name} listens`, () => program.log.includes('listens'));
  return program;
}

/** One connection of a client (programs/calls.ts). */
export interface Call {
  /** The name that the server gave, or the name of the error (`ECONNREFUSED`). */
  readonly server: string;
  /** Says something and gives what comes back, or the name of the error. */
  say(text: string): Promise<string>;
  /** Ends it; resolves when both sides have. */
  hangUp(): Promise<void>;
}

/** A client on a host, whose connections compare every echoed byte (programs/client.ts). */
export class Client {
  readonly #host: Host;
  readonly #program: Program;
  readonly #asked = new Map<number, (result: unknown) => void>();
  #lastId = 0;

  private constructor(host: Host) {
    this.#host = host;
    const argv = [process.execPath, compiled('test/lab/programs/client.ts')];
    this.#program = host.start('client', argv, { messages: true });
    this.#program.child.on('message', (answer: { id: number; result: unknown }) => {
      this.#asked.get(answer.id)?.(answer.result);
      this.#asked.delete(answer.id);
    });
  }

  static async start(host: Host): Promise<Client> {
    const client = new Client(host);
    await new Promise((resolve, reject) => {
      client.#asked.set(0, resolve);
      client.#program.child.once('exit', () =>
        reject(new Error(`the client ended:\n${client.#program.log}`)),
      );
    });
    return client;
  }

  #ask(ask: Ask): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#program.child.send({ ...ask, id });
    });
  }

  /** Opens connections and keeps them talking; waits until each is open or refused. */
  async open(count: number, host: string, port = ECHO_PORT, seconds = 60): Promise<Report> {
    await this.#ask({ kind: 'open', count, host, port });
    await this.#host.scene.until(
      `${count} connections to ${host}:${port}`,
      async () => (await this.report()).opening === 0,
      seconds,
    );
    return this.report();
  }

  /** The connections at this moment. */
  async report(): Promise<Report> {
    return (await this.#ask({ kind: 'report' })) as Report;
  }

  /** Starts anew to measure the longest silence. */
  async measure(): Promise<void> {
    await this.#ask({ kind: 'measure' });
  }

  /**
   * Waits until every connection that is not broken has had two more blocks echoed: it lives, whatever
   * happened.
   */
  async everyConnectionAnswers(seconds = 60): Promise<Report> {
    const before = await this.report();
    await this.#host.scene.until(
      'every open connection answers',
      async () => {
        const now = await this.report();
        const answering = now.blocks.filter((blocks, i) => blocks >= (before.blocks[i] ?? 0) + 2).length;
        return answering >= now.open;
      },
      seconds,
    );
    return this.report();
  }

  /** The page at an address: a real server's name, or `error ...`, or `status ...`. */
  async get(url: string, milliseconds = 20_000, from?: string): Promise<string> {
    const own = from === undefined ? {} : { from };
    return String(await this.#ask({ kind: 'get', url, milliseconds, ...own }));
  }

  /** Opens one connection that is silent until it is told to speak, to a server that greets with its name. */
  async dial(host: string, port: number, how: Partial<Pick<Dial, 'transport' | 'from'>> = {}): Promise<Call> {
    const ask: Dial = { kind: 'dial', transport: 'tcp', host, port, ...how };
    const { call, server } = (await this.#ask(ask)) as Answered;
    return {
      server,
      say: async (text) => String(await this.#ask({ kind: 'say', call, text })),
      hangUp: async () => void (await this.#ask({ kind: 'hang up', call })),
    };
  }

  /** Closes all connections of `open` and forgets them. */
  async close(): Promise<void> {
    await this.#ask({ kind: 'close' });
  }
}
