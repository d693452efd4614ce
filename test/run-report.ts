import type { WriteStream } from 'node:tty';
import type { Outcome } from './run-file.ts';

const NAME_COLUMNS = 50;

/** What `npm test` and `npm run lab` print: a line a file, failures whole, and the sum as the last line. */
export class Report {
  readonly #out: WriteStream;
  #passed = 0;
  #failed = 0;
  readonly #failures: Outcome[] = [];
  readonly #notes: string[] = [];
  readonly #sections: { readonly title: string; readonly begin: number; files: number }[] = [];

  constructor(out: WriteStream) {
    this.#out = out;
  }

  #colour(code: number, text: string): string {
    return this.#out.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text;
  }

  /** Whether nothing was added. */
  get isEmpty(): boolean {
    return this.#passed + this.#failed === 0;
  }

  /** A line for the end, above the sum. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** The heading of a section. */
  say(title: string): void {
    this.#sections.push({ title, begin: performance.now(), files: 0 });
    this.#head(title);
  }

  #head(text: string): void {
    this.#out.write(`\n${this.#colour(1, text)}\n`);
  }

  /** A line about the outcome; the output of a failure follows, whole, unless it was shown as it came. */
  add(outcome: Outcome, showOutput = false): void {
    const { name, passed, failed, seconds, problem } = outcome;
    this.#passed += passed;
    this.#failed += failed;
    const section = this.#sections.at(-1);
    if (section !== undefined) section.files += seconds;
    const word = failed === 0 ? this.#colour(32, 'ok    ') : this.#colour(31, 'FAILED');
    const tests = `${String(passed).padStart(4)} passed${failed > 0 ? `, ${failed} failed` : ''}`;
    const time = `${seconds.toFixed(1).padStart(6)} s`;
    this.#out.write(
      `${word}  ${name.padEnd(NAME_COLUMNS)} ${time} ${tests}${problem ? ` (${problem})` : ''}\n`,
    );
    if (failed === 0) return;
    this.#failures.push(outcome);
    if (showOutput) this.#out.write(`${indent(outcome.output)}\n`);
  }

  /** How long each section took, and its files one after the other would have. */
  #times(): void {
    this.#head('Times');
    let end = performance.now();
    const lines: string[] = [];
    for (const { title, begin, files } of this.#sections.toReversed()) {
      const took = ((end - begin) / 1000).toFixed(0).padStart(6);
      if (files > 0) lines.unshift(`${took} s  (${files.toFixed(0).padStart(4)} s in files)  ${title}\n`);
      end = begin;
    }
    this.#out.write(lines.join(''));
  }

  /** Prints the times, the names of what failed and the sum; gives the exit status. */
  finish(): number {
    if (this.#sections.length > 1) this.#times();
    if (this.#failures.length > 0) {
      this.#head('Failed:');
      for (const { name, problem } of this.#failures)
        this.#out.write(`  ${name}${problem ? ` (${problem})` : ''}\n`);
    }
    for (const note of this.#notes) this.#out.write(`\n${note}\n`);
    this.#out.write(`\n${this.#passed} passed, ${this.#failed} failed\n`);
    return this.#failed === 0 && !this.isEmpty ? 0 : 1;
  }
}

const indent = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
