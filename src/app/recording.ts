import { plainText } from '../core/record/plain.ts';
import { Recorder } from '../core/record/recorder.ts';
import type { ProcessHeading } from '../core/record/recording.ts';
import { now, utc } from '../io/clock.ts';
import { Driver } from '../io/drive.ts';
import type { FromChild, Role } from './messages.ts';

/** So many characters at once, and then a pause: an advert must not wait for a recording. */
const PIECE = 1 << 13;
const PAUSE_MS = 5;

type Send = (message: Extract<FromChild<never>, { readonly type: 'recording' }>) => void;

function* textOf(role: Role, recorder: Recorder): Generator<string> {
  const zone = -new Date().getTimezoneOffset();
  const head: ProcessHeading = { process: role, pid: process.pid, at: now(), utc: utc(), zone };
  yield `${plainText(head)}\n`;
  yield* recorder.text();
}

/** Records the machines of a process, and sends it to the supervisor. */
export class ProcessRecording {
  readonly #role: Role;
  readonly recorder = new Recorder();
  /** The machines that are its parts are recorded. */
  readonly driver = new Driver(this.recorder);
  readonly #send: Send;
  #sending = false;

  constructor(role: Role, send: Send) {
    this.#role = role;
    this.#send = send;
  }

  /** Sends all that there is, piece by piece. One at a time. */
  begin(): void {
    if (this.#sending) return;
    this.#sending = true;
    this.#piece(textOf(this.#role, this.recorder));
  }

  /** The process ends: all that there is, without a pause. */
  atOnce(why: string): void {
    this.#send({ type: 'recording', text: [...textOf(this.#role, this.recorder)].join(''), done: true, why });
  }

  #piece(rest: Generator<string>): void {
    let text = '';
    while (text.length < PIECE) {
      const { value, done } = rest.next();
      if (done === true) {
        this.#sending = false;
        this.#send({ type: 'recording', text, done: true });
        return;
      }
      text += value;
    }
    this.#send({ type: 'recording', text, done: false });
    setTimeout(() => this.#piece(rest), PAUSE_MS);
  }
}
