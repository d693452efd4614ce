import type { Server } from 'node:net';
import { serveControl } from '../../io/control.ts';
import { hostFacts } from '../../io/host.ts';
import type { Level } from '../messages.ts';
import { CONTROL_SOCKET, STATUS_GROUP, STATUS_SOCKET } from '../options.ts';
import { request as requestShape } from '../shapes.ts';

/** What changes nothing. */
const QUESTIONS: readonly unknown[] = ['status', 'servers'];

/**
 * The sockets on which the daemon is asked: root's, and one for the members of the group `vipkeeper`, where there is
 * that group, who may only look.
 */
export class Control {
  readonly #servers: Server[] = [];
  #refused = 0;

  constructor(
    runDir: string,
    answer: (request: unknown) => unknown,
    log: (level: Level, message: string) => void,
  ) {
    const serve = (name: string, answering: (request: unknown) => unknown, group?: number): void => {
      const server = serveControl(`${runDir}/${name}`, answering, group);
      server.on('error', (error) => log('error', `the socket ${name}: ${error.message}`));
      this.#servers.push(server);
    };
    const checked = (request: unknown): unknown => {
      const wrong = requestShape(request);
      if (wrong === undefined) return answer(request);
      this.#refused += 1;
      log('warning', `a request was refused: request${wrong}`);
      throw new Error(`no such request: request${wrong}`);
    };
    serve(CONTROL_SOCKET, checked);
    const group = hostFacts.group(STATUS_GROUP);
    if (group === undefined) return;
    const look = (request: unknown): unknown => {
      if (QUESTIONS.includes((request as { readonly verb?: unknown } | null)?.verb)) return checked(request);
      throw new Error(`only root may do that; the group ${STATUS_GROUP} may look`);
    };
    try {
      serve(STATUS_SOCKET, look, group);
    } catch (error) {
      log('warning', `the group ${STATUS_GROUP} can not look: ${(error as Error).message}`);
    }
  }

  /** Requests that were of the wrong shape. */
  get refused(): number {
    return this.#refused;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}
