/**
 * What the lab and the agent in a booted kernel say to each other over a serial line: one JSON object a line.
 * Every command has a number that its answers repeat.
 */
export type ToAgent =
  | { readonly kind: 'start'; readonly id: number; readonly argv: readonly string[]; readonly env: Env }
  | { readonly kind: 'signal'; readonly id: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'stolen'; readonly milliseconds: number };

export type FromAgent =
  | { readonly kind: 'ready' }
  /** So many bytes were read from the line: there is room for as many more. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'output'; readonly id: number; readonly stream: 'out' | 'err'; readonly text: string }
  | { readonly kind: 'end'; readonly id: number; readonly status: ExitStatus };

export type Env = Readonly<Record<string, string>>;

/** How a program ended: its exit status, or the signal that ended it, or why it could not start. */
export type ExitStatus = { readonly code: number } | { readonly signal: string } | { readonly error: string };

/** The status as a person reads it: `exit status 1`, `ended by SIGKILL`, `spawn foo ENOENT`. */
export function describeExit(status: ExitStatus): string {
  if ('code' in status) return `exit status ${status.code}`;
  return 'signal' in status ? `ended by ${status.signal}` : status.error;
}

/** Longest line that is taken; output is sent in pieces far below it. */
const MAX_LINE = 1 << 20;

/**
 * Cuts a stream of text into frames. Lines that are no frames (a kernel's message on the line) are dropped.
 */
export class FrameReader<Frame> {
  #rest = '';

  /** The frames that are complete with this piece of the stream. */
  read(piece: string): Frame[] {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    return lines.flatMap((line) => {
      try {
        const frame: unknown = JSON.parse(line);
        return typeof frame === 'object' && frame !== null && 'kind' in frame ? [frame as Frame] : [];
      } catch {
        return [];
      }
    });
  }
}

export const frameLine = (frame: ToAgent | FromAgent): string => `${JSON.stringify(frame)}\n`;
