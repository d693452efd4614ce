import type { Diagnostic } from './model.ts';
import { includeChain, locate, type Span } from './source.ts';

/**
 * More errors than this, or more warnings, are counted, not kept: a binary file given by mistake must not
 * fill the memory. Each has its own limit, so that warnings push no error out.
 */
export const FINDINGS_LIMIT = 250;

/** What a finding may say beyond its message. */
export interface Advice {
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** It is about the security of scripts: `-t` has a status for that. */
  readonly security?: boolean;
  /** The other place that belongs to it, and what it is: "the block began here". */
  readonly related?: { readonly what: string; readonly span: Span } | undefined;
}

/** Collects everything that is wrong or doubtful, so that one run shows it all. */
export class Findings {
  readonly #list: Diagnostic[] = [];
  readonly #once = new Set<string>();
  #errors = 0;
  /** Errors that have been reported. */
  #shown = 0;
  #warnings = 0;
  #dropped = 0;

  get errors(): number {
    return this.#errors;
  }

  /** One more error; of a line of which another was reported it is counted only, as it follows from that. */
  error(span: Span, message: string, advice: Advice = {}): void {
    this.#errors++;
    if (span.line.isFaulty === true || this.#isSaid(span, message)) return;
    if (++this.#shown > FINDINGS_LIMIT) this.#dropped++;
    else this.#add('error', span, message, advice);
  }

  warning(span: Span, message: string, advice: Advice = {}): void {
    if (span.line.isFaulty === true || this.#isSaid(span, message)) return;
    if (++this.#warnings > FINDINGS_LIMIT) this.#dropped++;
    else this.#add('warning', span, message, advice);
  }

  /** A warning that is given the first time only: the `key` says what "the same" is. */
  warnOnce(key: string, span: Span, message: string, advice: Advice = {}): void {
    if (this.#once.has(key)) return;
    this.#once.add(key);
    this.warning(span, message, advice);
  }

  /** All of them as found; how many were dropped beyond the limit is `dropped`. */
  all(): readonly Diagnostic[] {
    return this.#list;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the same was said of the same place: a line that a generator repeats. */
  #isSaid(span: Span, message: string): boolean {
    if (span.line.pieces.length === 0) return false;
    const { at } = locate(span);
    const key = `${at.file}:${at.line}:${at.column} ${message}`;
    if (this.#once.has(key)) return true;
    this.#once.add(key);
    return false;
  }

  #add(severity: 'error' | 'warning', span: Span, message: string, advice: Advice): void {
    const chain = includeChain(span.line.file);
    const { hint, related, security = false } = advice;
    this.#list.push({
      severity,
      message,
      ...locate(span),
      source: span.line.written,
      ...(hint === undefined ? {} : { hint }),
      ...(related === undefined ? {} : { related: { what: related.what, at: locate(related.span).at } }),
      ...(security && { security }),
      ...(chain.length === 0 ? {} : { includedFrom: chain }),
    });
  }
}
