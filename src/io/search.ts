import { Worker } from 'node:worker_threads';
import type { Found, Search } from '../core/check/dialogue.ts';

/**
 * Patterns are looked for in a thread of their own: one that backtracks without end holds up no other check. What took
 * too long there is looked for again in a second thread, with more time and when nothing else wants the processor; the
 * pattern's next searches begin there.
 */

/** Of processor time: what is not at work for a while, on a busy machine or one that slept, has not had its time. */
const QUICK_MS = 50;
const LONG_MS = 500;
/** Searches that did not get their time are begun again so often, each time with twice the time of the wall clock. */
const AGAIN_MAX = 3;
const LONG_NICE = 10;
/** Text that waits, in characters: beyond that searches are refused. */
const WAITING_MAX = 64 * 1024 * 1024;
const SLOW_MAX = 1000;

type Answer = (found: Found) => void;

interface Job {
  readonly search: Search;
  readonly name: string;
  answer: Answer;
}

/** What goes to the thread; it answers with a `Found`. */
interface Request {
  readonly source: string;
  readonly flags: string;
  readonly from: number;
  readonly text: string;
  readonly limit: number;
  readonly again: number;
}

/** The thread's program. It gets there as text, so it uses nothing of this module. */
function serve(
  { parentPort, workerData: nice }: typeof import('node:worker_threads'),
  { createContext, Script }: typeof import('node:vm'),
  { setPriority }: typeof import('node:os'),
  { readFileSync }: typeof import('node:fs'),
): void {
  // Of this thread.
  if (nice > 0) setPriority(0, nice);
  const place = { pattern: /(?:)/, text: '' };
  const context = createContext(place);
  const script = new Script('pattern.exec(text)?.index');
  /** Milliseconds that this thread was on a processor (proc(5), schedstat: nanoseconds); without /proc, of any. */
  const worked = (): number => {
    try {
      return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0]) / 1e6;
    } catch {
      return performance.now();
    }
  };
  const find = ({ source, flags, from, text, limit, again }: Request): Found => {
    place.pattern = new RegExp(source, flags);
    place.text = text;
    const begun = worked();
    // The limit of a script is one of the wall clock.
    for (let attempt = 0; ; attempt += 1) {
      place.pattern.lastIndex = from;
      try {
        return script.runInContext(context, { timeout: limit * 2 ** attempt }) as Found;
      } catch (error) {
        const late = (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
        // Otherwise it was too deep. A thread that was never put off had nearly all of its time.
        if (!late || attempt === again || worked() - begun > limit * 0.9) return 'too long';
      }
    }
  };
  parentPort?.on('message', (request: Request) => {
    const found = find(request);
    place.text = '';
    parentPort.postMessage(found);
  });
}

/** A thread and what waits for it. It runs while there is something. */
class Lane {
  readonly #limit: number;
  readonly #nice: number;
  readonly #ended: (job: Job, found: Found) => void;
  readonly #waiting: Job[] = [];
  #current: Job | undefined;
  #thread: Worker | undefined;

  constructor(limit: number, nice: number, ended: (job: Job, found: Found) => void) {
    this.#limit = limit;
    this.#nice = nice;
    this.#ended = ended;
  }

  add(job: Job): void {
    this.#waiting.push(job);
    if (this.#current === undefined) this.#next();
  }

  #next(): void {
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) {
      this.#thread?.unref();
      return;
    }
    this.#thread ??= this.#start();
    this.#thread.ref();
    const { pattern, text, from } = this.#current.search;
    const { source, flags } = pattern;
    const request: Request = { source, flags, from, text, limit: this.#limit, again: AGAIN_MAX };
    this.#thread.postMessage(request);
  }

  #start(): Worker {
    const modules = ['node:worker_threads', 'node:vm', 'node:os', 'node:fs'].map(
      (name) => `require('${name}')`,
    );
    const thread = new Worker(`(${serve})(${modules})`, { eval: true, workerData: this.#nice });
    thread.on('message', (found: Found) => this.#found(found));
    // It ends then, and the next search starts another.
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      this.#thread = undefined;
      this.#found('too long');
    });
    return thread;
  }

  #found(found: Found): void {
    const job = this.#current;
    if (job !== undefined) this.#ended(job, found);
    this.#next();
  }
}

class Searcher {
  readonly #quick = new Lane(QUICK_MS, 0, (job, found) => {
    if (found === 'too long') this.#again(job);
    else this.#answer(job, found);
  });
  readonly #long = new Lane(LONG_MS, LONG_NICE, (job, found) => {
    if (found !== 'too long') this.#slow.delete(job.name);
    this.#answer(job, found);
  });
  /** Patterns that took too long the last time. */
  readonly #slow = new Set<string>();
  #waiting = 0;

  find(search: Search, answer: Answer): () => void {
    const { pattern, text } = search;
    if (this.#waiting + text.length > WAITING_MAX) {
      const refused = setImmediate(() => answer('too many'));
      return () => clearImmediate(refused);
    }
    const job: Job = { search, name: `${pattern.flags}/${pattern.source}`, answer };
    this.#waiting += text.length;
    (this.#slow.has(job.name) ? this.#long : this.#quick).add(job);
    return () => {
      job.answer = () => undefined;
    };
  }

  #again(job: Job): void {
    if (this.#slow.size >= SLOW_MAX) this.#slow.clear();
    this.#slow.add(job.name);
    this.#long.add(job);
  }

  #answer({ search, answer }: Job, found: Found): void {
    this.#waiting -= search.text.length;
    answer(found);
  }
}

let searcher: Searcher | undefined;

/** Looks for a pattern; `answer` is called once, later, unless what is returned is called before. */
export function search(wanted: Search, answer: Answer): () => void {
  searcher ??= new Searcher();
  return searcher.find(wanted, answer);
}
