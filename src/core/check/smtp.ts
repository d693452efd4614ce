import { badStep, type Dialogue, good, latin1, octets, quoted, type Step, WAIT } from './dialogue.ts';
import type { SmtpCheck } from './settings.ts';

/** A line of a reply (RFC 5321, 4.5.3.1.5: 512), and all lines of one; more is no mail server. */
const LINE_MAX = 2048;
const REPLY_MAX = 16_384;

type State = 'greeting' | 'hello' | 'goodbye';
const EXPECTED = { greeting: '220', hello: '250', goodbye: '221' } as const;
const WHAT = { greeting: 'greeting', hello: 'answer to HELO', goodbye: 'answer to QUIT' } as const;

/**
 * `SMTP_CHECK` (keepalived: check/check_smtp.c): 220, HELO, 250, QUIT, and whatever comes then. Replies of
 * several lines are read as such, where keepalived takes them for wrong.
 */
export class SmtpDialogue implements Dialogue {
  readonly #check: SmtpCheck;
  #state: State = 'greeting';
  #line = '';
  #length = 0;

  constructor(check: SmtpCheck) {
    this.#check = check;
  }

  begin(): Step {
    return WAIT;
  }

  feed(bytes: Uint8Array): Step {
    this.#length += bytes.length;
    if (this.#length > REPLY_MAX) return badStep(`the ${WHAT[this.#state]} has more than ${REPLY_MAX} bytes`);
    this.#line += latin1(bytes);
    let said = WAIT;
    for (let end = this.#line.indexOf('\n'); end >= 0; end = this.#line.indexOf('\n')) {
      const line = this.#line.slice(0, end).replace(/\r$/, '');
      this.#line = this.#line.slice(end + 1);
      const step = this.#take(line);
      if (step.result !== undefined) return step;
      // One that answers before it is asked gets the rest all the same.
      if (step.send !== undefined) said = { send: Uint8Array.of(...(said.send ?? []), ...step.send) };
    }
    if (this.#line.length > LINE_MAX)
      return badStep(`no line end in ${LINE_MAX} bytes: ${quoted(this.#line)}`);
    return said;
  }

  close(): Step {
    if (this.#state === 'goodbye') return { result: good('answers HELO') };
    return badStep(`closed, and no ${WHAT[this.#state]}`);
  }

  missing(): string {
    return `no ${WHAT[this.#state]}`;
  }

  #take(line: string): Step {
    const match = /^(\d{3})(?:([- ]).*)?$/.exec(line);
    if (this.#state === 'goodbye') return { result: good('answers HELO') };
    if (match?.[1] !== EXPECTED[this.#state]) return badStep(`${WHAT[this.#state]} ${quoted(line)}`);
    if (match[2] === '-') return WAIT;
    this.#length = 0;
    if (this.#state === 'greeting') {
      this.#state = 'hello';
      return { send: octets(`HELO ${this.#check.helo}\r\n`) };
    }
    this.#state = 'goodbye';
    return { send: octets('QUIT\r\n') };
  }
}
