import { run } from '../scene/run.ts';
import type { Stage } from '../scene/stages.ts';
import { Client, ECHO_PORT, HTTP_PORT, realServer } from '../scene/traffic.ts';
import { Console } from './console.ts';

/** Starts what serves and what asks, and puts an administrator at the director. */
export async function open(
  stage: Stage,
  echoPort = ECHO_PORT,
  httpPort = HTTP_PORT,
): Promise<{ client: Client; console: Console }> {
  await Promise.all(stage.servers.map((server) => realServer(server, echoPort, httpPort)));
  return { client: await Client.start(stage.user), console: await Console.at(stage.director) };
}

/** Loads modules of the kernel; a module that is built in is no error. */
export const modules = (...names: readonly string[]): void => void run(['modprobe', '-a', ...names]);
