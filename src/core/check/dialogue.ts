import type { CheckResult } from './verdict.ts';

/** What is to be looked for in a text, from a character on, and what it means that it is found. */
export interface Search {
  readonly pattern: RegExp;
  readonly text: string;
  readonly from: number;
  judge(found: Found): CheckResult;
}

/** Where the first match begins, if there is one; that the search was given up; or that there are too many. */
export type Found = number | undefined | 'too long' | 'too many';

/**
 * What to do next: send something, or end with a result; nothing means to wait for more. With `search` the other side
 * has said all: what is found decides.
 */
export interface Step {
  readonly send?: Uint8Array;
  readonly search?: Search;
  readonly result?: CheckResult;
}

/** One conversation over a connection: bytes in, bytes out, and in the end a verdict. It keeps no time. */
export interface Dialogue {
  /** The connection is made. */
  begin(): Step;
  /** Bytes came; they are the caller's again afterwards. */
  feed(bytes: Uint8Array): Step;
  /** The other side has said its last: a result, or a search for one. */
  close(): Step;
  /** What is missing, when time runs out: `no greeting`. */
  missing(): string;
}

export const WAIT: Step = {};
export const good = (reason: string): CheckResult => ({ verdict: 'good', reason });
export const bad = (reason: string): CheckResult => ({ verdict: 'bad', reason });
export const badStep = (reason: string): Step => ({ result: bad(reason) });

const CONNECTED: Step = { result: good('connected') };

/** `TCP_CHECK`: that there is a connection is all. */
export const tcpDialogue: Dialogue = {
  begin: () => CONNECTED,
  feed: () => CONNECTED,
  close: () => CONNECTED,
  missing: () => 'no answer',
};

/** Bytes as text, each a character of its own (ISO 8859-1): lengths and offsets stay what they were. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** Text of ASCII, or of ISO 8859-1, as bytes. */
export const octets = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0) & 255);

/** The beginning of what a server said, for a reason: one line, printable, at most so long. */
export function quoted(text: string, longest = 60): string {
  const [line = ''] = text.split(/[\r\n]/, 1);
  const shown = line.replace(/[^\x20-\x7e]/g, '?');
  return shown.length > longest ? `"${shown.slice(0, longest)}..."` : `"${shown}"`;
}
