import { type ChildProcess, execFileSync, fork, spawnSync } from 'node:child_process';
import { Patience } from '../patience.ts';

/**
 * Network namespaces for tests with real sockets. They have no name: each lives as long as the process in
 * it, so that nothing is left behind however a test ends.
 */
const INSIDE = 'VIPKEEPER_TEST_NAMESPACE';
const PEER = 'peer';

/** Runs the calling test file again in a network namespace of its own, and returns only there. */
export function enterNamespace(): void {
  if (process.env[INSIDE] === undefined) {
    const args = ['--net', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const ended = spawnSync('unshare', args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
    if (ended.error !== undefined) throw ended.error;
    process.exit(ended.status ?? 1);
  }
  ip('link set lo up');
}

/** Runs iproute2 with these words in the namespace of this process. */
export function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8' });
}

/** True in the process that `forkPeer` started from the same test file. */
export const isPeer = (): boolean => process.argv[2] === PEER;

/** A request to the peer and its answer; both are JSON. */
type Answer = { readonly result?: unknown; readonly error?: string };

/** Serves requests until the test's process is gone. */
export function servePeer(handle: (request: unknown) => unknown): void {
  process.on('message', (request) => {
    const answer = attempt(() => handle(request));
    process.send?.(answer);
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ result: 'ready' });
}

function attempt(action: () => unknown): Answer {
  try {
    return { result: action() ?? null };
  } catch (error) {
    return { error: String(error) };
  }
}

/** The test file again, in a second network namespace. */
export class Peer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async fork(): Promise<Peer> {
    const child = fork(process.argv[1] ?? '', [PEER], {
      execPath: 'unshare',
      execArgv: ['--net', process.execPath, ...process.execArgv],
    });
    const peer = new Peer(child);
    await peer.#answer();
    return peer;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(request: object): Promise<unknown> {
    this.#child.send(request);
    return this.#answer();
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#child.once('exit', (code) => reject(new Error(`the peer ended with ${code}`)));
      this.#child.once('message', ({ result, error }: Answer) => {
        this.#child.removeAllListeners('exit');
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
    });
  }

  close(): void {
    this.#child.disconnect();
  }
}

/** The interface's number in the namespace of this process. */
export function ifindexOf(name: string): number {
  return Number(JSON.parse(ip(`-j link show dev ${name}`))[0].ifindex);
}

/**
 * Waits for what `look` returns; fails after a minute, as Patience counts, which only a broken test takes. `what` is
 * told then.
 */
export async function eventually<T>(look: () => T | undefined, what: string | (() => string)): Promise<T> {
  const patience = new Patience(60);
  while (!patience.isOver) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`did not happen: ${typeof what === 'string' ? what : what()}`);
}
