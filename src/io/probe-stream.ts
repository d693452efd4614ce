import type { Dialogue, Search, Step } from '../core/check/dialogue.ts';
import { judgeFailure, judgeTimeout } from '../core/check/failure.ts';
import type { Connection, HttpCheck } from '../core/check/settings.ts';
import type { CheckResult } from '../core/check/verdict.ts';
import { errnoName } from './errno.ts';
import { Patience } from './patience.ts';
import { type Done, measured, type Probe, targetOf } from './probe.ts';
import { search } from './search.ts';
import { type StreamListener, streams } from './streams.ts';
import { type SecureStream, secure } from './tls.ts';

const CLOSED = -1;

/**
 * Has a conversation over a TCP connection, or over TLS. The connection may take `timeout`, and the conversation as
 * long again, however slowly the server speaks. With a fixed source port it ends in a reset on purpose: the port would
 * otherwise be unusable for a minute (TIME_WAIT).
 */
export class StreamProbe implements Probe, StreamListener {
  readonly #connection: Connection;
  readonly #dialogue: Dialogue;
  readonly #done: Done;
  readonly #tls: { readonly check: HttpCheck; readonly part: number } | undefined;
  #at: number;
  #secure: SecureStream | undefined;
  #connected = false;
  #patience: Patience | undefined;
  /** Takes back what goes on without a connection. */
  #takeBack: (() => void) | undefined;

  constructor(
    connection: Connection,
    dialogue: Dialogue,
    done: Done,
    tls?: { check: HttpCheck; part: number },
  ) {
    this.#connection = connection;
    this.#dialogue = dialogue;
    this.#done = done;
    this.#tls = tls;
    this.#at = streams().open(targetOf(connection), this);
    if (this.#at < 0) {
      const code = errnoName(-this.#at);
      const failed = setImmediate(() => this.#done(judgeFailure(code)));
      this.#takeBack = () => clearImmediate(failed);
    } else {
      this.#patience = new Patience(connection.timeout, () => this.#outOfTime());
    }
  }

  abort(): void {
    this.#takeBack?.();
    this.#patience?.end();
    this.#patience = undefined;
    this.#close('reset');
  }

  connected(): void {
    if (this.#tls === undefined) {
      this.#begin();
      return;
    }
    const fd = streams().detach(this.#at);
    this.#at = CLOSED;
    const { check, part } = this.#tls;
    this.#secure = secure(fd, check, part, {
      connected: () => this.#begin(),
      data: (bytes) => this.data(bytes),
      ended: () => this.ended(),
      failed: (result) => this.#finish(result),
    });
  }

  data(bytes: Uint8Array): void {
    this.#follow(this.#dialogue.feed(bytes));
  }

  ended(): void {
    this.#follow(this.#dialogue.close());
  }

  failed(code: string): void {
    const result = judgeFailure(code);
    const within = this.#connected && result.verdict === 'bad';
    this.#finish(within ? { ...result, reason: `${result.reason}: ${this.#dialogue.missing()}` } : result);
  }

  #begin(): void {
    this.#connected = true;
    const step = this.#dialogue.begin();
    if (step.result === undefined) this.#patience?.again();
    this.#follow(step);
  }

  #outOfTime(): void {
    const { timeout } = this.#connection;
    this.#finish(judgeTimeout(timeout, this.#connected ? this.#dialogue.missing() : this.#unconnected()));
  }

  #unconnected(): string {
    return this.#secure === undefined ? 'no answer' : 'no TLS handshake';
  }

  #follow({ send, search: wanted, result }: Step): void {
    const patience = this.#patience;
    if (patience === undefined) return;
    if (send !== undefined) {
      if (this.#secure !== undefined) this.#secure.write(send);
      // What cannot be sent because the connection broke is reported as its end.
      else streams().write(this.#at, send);
    }
    if (wanted !== undefined) this.#look(patience, wanted);
    else if (result !== undefined) this.#finish(result);
  }

  /** The server has said all; what is found in it does not depend on how long we take. */
  #look(patience: Patience, wanted: Search): void {
    const { stood, elapsed } = patience;
    this.#end(patience, true);
    this.#takeBack = search(wanted, (found) => this.#done(measured(wanted.judge(found), { stood, elapsed })));
  }

  #finish(result: CheckResult): void {
    const patience = this.#patience;
    if (patience === undefined) return;
    this.#end(patience, result.verdict === 'good');
    this.#done(measured(result, patience));
  }

  #end(patience: Patience, good: boolean): void {
    patience.end();
    this.#patience = undefined;
    this.#close(good && this.#connection.sourcePort === undefined ? 'in order' : 'reset');
  }

  #close(how: 'in order' | 'reset'): void {
    if (this.#secure !== undefined) this.#secure.end(how === 'in order');
    else if (this.#at >= 0) streams().end(this.#at, how);
    this.#at = CLOSED;
  }
}
