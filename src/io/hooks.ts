import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { afresh, type Who } from './afresh.ts';
import { killGroup, type Program } from './programs.ts';

/** What a hook printed: the end of it is kept. */
const ROOM = 1000;
/** Pipes that are still held open by what hooks left running in the background; beyond that the oldest is closed. */
const MOST_LINGERING = 128;
const lingering = new Set<Readable>();

/** How a hook ended: `why` is absent when it exited with 0. */
export interface HookEnd {
  readonly why?: string;
  /** The end of what it printed, in one line. */
  readonly said: string;
}

/**
 * Starts a program without a shell, in a process group of its own, with nothing to read. `ended` is called once, when
 * the program itself has ended, whatever it left running. What those print is read and thrown away.
 */
export function startHook(
  command: readonly string[],
  who: Who,
  environment: Readonly<Record<string, string | undefined>>,
  ended: (end: HookEnd) => void,
): Program {
  let said = '';
  let over = false;
  const end = (why: string | undefined): void => {
    if (over) return;
    over = true;
    ended({ ...(why !== undefined && { why }), said: said.replace(/\s+/g, ' ').trim() });
  };
  const { command: cleanly, identity } = afresh(command, who);
  const [program = '', ...words] = cleanly;
  const child = execa(program, words, {
    stdin: 'ignore',
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
    extendEnv: false,
    env: environment,
    ...identity,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      if (!over) said = (said + text.toString('utf8')).slice(-ROOM);
    });
    stream.on('error', () => undefined);
  }
  child.on('exit', (status, signal) => {
    afterReading(() => {
      end(whyOf(status, signal));
      for (const stream of [child.stdout, child.stderr]) linger(stream);
    });
  });
  void child.then((result) => {
    if (child.pid === undefined) end(result.originalMessage ?? 'it cannot be started');
  });
  return { kill: (signal) => killGroup(child.pid, signal) };
}

/**
 * What a program wrote last is in its pipe when its end is known. The event loop may have looked at the pipes before
 * that: all of them are read when it has looked at them once more, which it does between two immediates.
 */
const afterReading = (act: () => void): void => void setImmediate(() => setImmediate(act));

function whyOf(status: number | null, signal: string | null): string | undefined {
  if (signal !== null) return `it was ended by ${signal}`;
  return status === 0 ? undefined : `it exited with status ${status}`;
}

/** The pipe has other writers, perhaps for long: they would die of one that nobody reads. */
function linger(stream: Readable): void {
  if (stream.readableEnded || stream.destroyed) return;
  (stream as Readable & { unref?: () => void }).unref?.();
  lingering.add(stream);
  stream.once('close', () => lingering.delete(stream));
  for (const oldest of lingering) {
    if (lingering.size <= MOST_LINGERING) break;
    lingering.delete(oldest);
    oldest.destroy();
  }
}
