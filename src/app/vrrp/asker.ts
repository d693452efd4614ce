import type { Question } from '../../core/director/questions.ts';
import { familyOf, type Ip } from '../../core/ip.ts';
import { type Duration, toMillis } from '../../core/time.ts';
import { question } from '../../core/vrrp/question.ts';
import { AnswerListener } from '../../io/answers.ts';
import { SystemError } from '../../io/errno.ts';
import type { FrameSender } from '../../io/packet.ts';

interface Open {
  readonly listener: AnswerListener;
  closing: NodeJS.Timeout;
}

/** Asks links who has addresses. It listens only as long as answers are waited for. */
export class Asker {
  readonly #frames: FrameSender;
  readonly #heard: (address: Ip, mac: string) => void;
  readonly #failed: (error: Error) => void;
  readonly #open = new Map<string, Open>();

  constructor(
    frames: FrameSender,
    heard: (address: Ip, mac: string) => void,
    failed: (error: Error) => void,
  ) {
    this.#frames = frames;
    this.#heard = heard;
    this.#failed = failed;
  }

  /** Returns why nobody, or not everybody, was asked. */
  ask(questions: readonly Question[], listen: Duration): string | undefined {
    try {
      for (const each of questions) {
        this.#listen(each, listen);
        const { ifindex, mac, source, addresses } = each;
        const frames = addresses.map((address) => question(address, mac, source));
        if (this.#frames.send(ifindex, frames) < frames.length) return `${each.dev} does not send`;
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return error.message;
    }
  }

  #listen({ dev, ifindex, source }: Question, listen: Duration): void {
    const family = familyOf(source);
    const key = `${ifindex} IPv${family}`;
    const known = this.#open.get(key);
    if (known !== undefined) clearTimeout(known.closing);
    const listener = known?.listener ?? new AnswerListener({ name: dev, ifindex }, family);
    if (known === undefined) listener.listen({ answer: this.#heard, error: this.#failed });
    const closing = setTimeout(() => this.#close(key), toMillis(listen));
    this.#open.set(key, { listener, closing });
  }

  #close(key: string): void {
    this.#open.get(key)?.listener.close();
    this.#open.delete(key);
  }
}
