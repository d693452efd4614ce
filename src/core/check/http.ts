import { endpointName, familyOf } from '../ip.ts';
import {
  bad,
  badStep,
  type Dialogue,
  type Found,
  good,
  latin1,
  octets,
  quoted,
  type Step,
  WAIT,
} from './dialogue.ts';
import { compilePattern } from './pattern.ts';
import type { BodyPattern, HttpCheck, HttpRequest } from './settings.ts';
import type { CheckResult } from './verdict.ts';

/** MD5, which the shell has. */
export interface Hash {
  update(bytes: Uint8Array): void;
  /** 32 lower-case hexadecimal digits. */
  hex(): string;
}

/**
 * Limits of what a server may send; the shell's timeout is the other one. The header's is for all that comes before the
 * body, preliminary responses too.
 */
const HEAD_MAX = 65_536;
const BODY_MAX = 64 * 1024 * 1024;
/** A pattern is looked for in so much of the response. */
export const SEARCHED_MAX = 1024 * 1024;

const PROTOCOL = 'HTTP/';

/** A pattern's compiled form: settings live as long as the configuration. */
const compiled = new WeakMap<BodyPattern, RegExp>();

/** The host that a request names: as configured, else the address and port that it goes to, as keepalived. */
export const hostOf = ({ address, port }: HttpCheck, request: HttpRequest): string =>
  request.host ?? (familyOf(address) === 4 ? `${address}:${port}` : endpointName(address, port));

/** The request as it is sent. */
export function requestText(check: HttpCheck, request: HttpRequest): string {
  const lines = [
    `GET ${request.path} HTTP/${check.version === '1.1' ? '1.1' : '1.0'}`,
    'User-Agent: vipkeeper',
    ...(check.version === '1.0' ? [] : ['Connection: close']),
    `Host: ${hostOf(check, request)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * One request of an `HTTP_GET` or `SSL_GET` and its response. The response ends where it says (Content-Length), or
 * when the server closes; redirects are not followed. MD5 is of the body as it came; a pattern is looked for in
 * the whole response, as in keepalived.
 */
export class HttpDialogue implements Dialogue {
  readonly #check: HttpCheck;
  readonly #request: HttpRequest;
  readonly #hash: Hash | undefined;
  /** What has come of the header that is being read, and of the headers of preliminary responses before it. */
  #head = '';
  #preliminary = 0;
  #status: number | undefined;
  #length: number | undefined;
  #received = 0;
  /** The beginning of the response, for the pattern. */
  #text = '';

  constructor(check: HttpCheck, part: number, newHash: () => Hash) {
    this.#check = check;
    this.#request = check.requests[part] ?? (check.requests[0] as HttpRequest);
    this.#hash = this.#request.digest === undefined ? undefined : newHash();
  }

  begin(): Step {
    return { send: octets(requestText(this.#check, this.#request)) };
  }

  feed(bytes: Uint8Array): Step {
    if (this.#request.body !== undefined && this.#text.length < SEARCHED_MAX)
      this.#text += latin1(bytes.subarray(0, SEARCHED_MAX - this.#text.length));
    return this.#status === undefined ? this.#feedHead(bytes) : this.#feedBody(bytes);
  }

  close(): Step {
    if (this.#status !== undefined) return this.#end();
    return badStep(
      this.#head === ''
        ? 'closed without a response'
        : `closed within the header, after ${quoted(this.#head)}`,
    );
  }

  missing(): string {
    if (this.#status === undefined) return this.#head === '' ? 'no response' : 'no complete header';
    const of = this.#length === undefined ? '' : ` of ${this.#length}`;
    return `no end of the response (status ${this.#status}, ${this.#received}${of} bytes)`;
  }

  /** Each byte is looked at once, however many responses a server sends, and however small its parts are. */
  #feedHead(bytes: Uint8Array): Step {
    const known = this.#head.slice(-BLANK_TAIL);
    const text = known + latin1(bytes);
    for (let [from, at] = [0, known.length]; ; ) {
      const end = blankAfter(text, from);
      const begins = this.#head.length < PROTOCOL.length;
      this.#head += text.slice(at, end?.index);
      if (begins && !PROTOCOL.startsWith(this.#head.slice(0, PROTOCOL.length)))
        return badStep(`no HTTP response: ${quoted(this.#head)}`);
      if (this.#preliminary + this.#head.length > HEAD_MAX) return badStep(this.#tooLong());
      if (end === null) return WAIT;
      const head = end.index < at ? this.#head.slice(0, end.index - at) : this.#head;
      at = end.index + end[0].length;
      from = at;
      const status = Number(/^HTTP\/\d\.\d +([1-5]\d\d)(?!\d)/.exec(head)?.[1] ?? 0);
      if (status === 0) return badStep(`no HTTP status: ${quoted(head)}`);
      this.#head = '';
      if (status >= 200 || status === 101) {
        this.#status = status;
        this.#length = lengthOf(head, status);
        return this.#feedBody(bytes.subarray(at - known.length));
      }
      // Something preliminary: the response follows.
      this.#preliminary += head.length + end[0].length;
    }
  }

  #tooLong(): string {
    return this.#preliminary === 0
      ? `a header of more than ${HEAD_MAX} bytes`
      : `more than ${HEAD_MAX} bytes of preliminary responses (status 1xx) and header`;
  }

  #feedBody(bytes: Uint8Array): Step {
    const room = this.#length === undefined ? bytes.length : this.#length - this.#received;
    const part = room < bytes.length ? bytes.subarray(0, room) : bytes;
    if (part.length > 0) this.#hash?.update(part);
    this.#received += part.length;
    if (this.#received === this.#length) return this.#end();
    return this.#received > BODY_MAX ? badStep(`a body of more than ${BODY_MAX} bytes`) : WAIT;
  }

  /** The response is complete. */
  #end(): Step {
    const { statuses, digest, body } = this.#request;
    const status = this.#status ?? 0;
    if (!statuses.some(({ first, last }) => status >= first && status <= last)) {
      const hint = status >= 300 && status < 400 ? ' (redirects are not followed)' : '';
      return badStep(`status ${status}${hint}`);
    }
    const md5 = this.#hash?.hex();
    if (md5 !== digest) return badStep(`status ${status}, but the body's MD5 is ${md5}`);
    if (body === undefined) return { result: good(`status ${status}`) };
    const { from } = body;
    if (from > this.#text.length) return { result: this.#judge(body, undefined) };
    const judge = (found: Found): CheckResult => this.#judge(body, found);
    return { search: { pattern: compiledPattern(body), text: this.#text, from, judge } };
  }

  #judge(body: BodyPattern, found: Found): CheckResult {
    const status = `status ${this.#status}`;
    if (found === 'too many') return { verdict: 'unknown', reason: 'too many responses wait to be searched' };
    if (found === 'too long') return bad(`${status}, but ${quoted(body.pattern)} takes too long to look for`);
    const matches = found !== undefined && (body.before === undefined || found < body.before);
    if (matches !== body.inverse) return good(status);
    const does = matches ? 'matches' : 'does not match';
    return bad(`${status}, but the response ${does} ${quoted(body.pattern)}`);
  }
}

/** The empty line that ends a header, and how much of one may have come in the part before. */
const BLANK_TAIL = 3;
function blankAfter(text: string, from: number): RegExpExecArray | null {
  const blank = /\r?\n\r?\n/g;
  blank.lastIndex = from;
  return blank.exec(text);
}

/** How long the body is: by Content-Length, or none by the status; `undefined`: until the server closes. */
function lengthOf(head: string, status: number): number | undefined {
  if (status === 204 || status === 304) return 0;
  if (/^transfer-encoding:/im.test(head)) return undefined;
  const length = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im.exec(head)?.[1];
  return length === undefined ? undefined : Number(length);
}

function compiledPattern(body: BodyPattern): RegExp {
  const pattern = compiled.get(body) ?? compilePattern(body);
  compiled.set(body, pattern);
  return pattern;
}
