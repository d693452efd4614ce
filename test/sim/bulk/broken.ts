import { Donor } from '../../../src/core/sync/bulk/donor.ts';
import type {
  DonorEffect,
  DonorEvent,
  RecipientEffect,
  RecipientEvent,
} from '../../../src/core/sync/bulk/events.ts';
import { Recipient } from '../../../src/core/sync/bulk/recipient.ts';
import type { Instant } from '../../../src/core/time.ts';
import { type Failure, type Parts, REAL } from './copy.ts';

/** Machines that are wrong in one way each, with what must be seen of it. */
interface Broken {
  readonly parts: Parts;
  readonly foundBy: Failure;
}

/** Says that it has all. */
class Content extends Recipient {
  override take(): RecipientEffect[] {
    return super
      .take()
      .map((effect) =>
        effect.type === 'say' && effect.message.type === 'missing'
          ? { ...effect, message: { ...effect.message, places: [] } }
          : effect.type === 'got'
            ? { ...effect, outcome: 'complete' }
            : effect,
      );
  }
}

/** Takes the first chunk for the whole list. */
class Hasty extends Recipient {
  override handle(event: RecipientEvent, now: Instant): void {
    const isList = event.type === 'heard' && event.message.type === 'list';
    super.handle(isList ? { ...event, message: { ...event.message, chunks: 1, chunk: 0 } } : event, now);
  }
}

/** Asks once. */
class Shy extends Recipient {
  #asked = false;

  override take(): RecipientEffect[] {
    return super.take().filter((effect) => {
      const isRequest = effect.type === 'say' && effect.message.type === 'request';
      const again = isRequest && this.#asked;
      this.#asked ||= isRequest;
      return !again;
    });
  }
}

/** Begins at any accept, whoever made it and when. */
class Credulous extends Donor {
  override handle(event: DonorEvent, now: Instant): void {
    let told = event;
    if (event.type === 'heard' && event.message.type === 'accept') {
      super.handle({ type: 'heard', message: { ...event.message, type: 'request' } }, now);
      const offer = super.take().find((effect) => effect.type === 'say');
      const donor = offer?.type === 'say' ? offer.message.donor : event.message.donor;
      told = { type: 'heard', message: { ...event.message, donor } };
    }
    super.handle(told, now);
  }
}

/** Reads its table once, and takes that for the second time too. */
class Lazy extends Donor {
  #first: (DonorEvent & { type: 'rows' })[] = [];
  #reading = 0;

  override handle(event: DonorEvent, now: Instant): void {
    super.handle(event.type === 'rows' ? this.#known(event) : event, now);
  }

  #known(rows: DonorEvent & { type: 'rows' }): DonorEvent {
    if (this.#reading === 0 || rows.reading === this.#reading) {
      this.#reading = rows.reading;
      this.#first.push(rows);
      return rows;
    }
    const kept = this.#first.shift() ?? rows;
    const last = this.#first.length === 0;
    if (last) this.#reading = 0;
    return { ...kept, reading: rows.reading, last };
  }
}

/** Does not say a chunk again that was lost. */
class Curt extends Donor {
  readonly #said = new Set<string>();

  override take(): DonorEffect[] {
    return super.take().filter((effect) => {
      if (effect.type !== 'say' || effect.message.type !== 'list') return true;
      const { donor, round, chunk } = effect.message;
      const name = `${donor} ${round} ${chunk}`;
      const known = this.#said.has(name);
      this.#said.add(name);
      return !known;
    });
  }
}

export const BROKEN: Readonly<Record<string, Broken>> = {
  'a recipient that misses nothing': {
    parts: { ...REAL, Recipient: Content },
    foundBy: 'it was said to be complete, and is not',
  },
  'a recipient that compares one chunk': {
    parts: { ...REAL, Recipient: Hasty },
    foundBy: 'it was said to be complete, and is not',
  },
  'a recipient that asks once': { parts: { ...REAL, Recipient: Shy }, foundBy: 'it does not end' },
  'a donor that takes any accept': {
    parts: { ...REAL, Donor: Credulous },
    foundBy: 'what is replayed starts a copy',
  },
  'a donor that reads its table once': {
    parts: { ...REAL, Donor: Lazy },
    foundBy: 'it was said to be complete, and is not',
  },
  'a donor that says each chunk once': { parts: { ...REAL, Donor: Curt }, foundBy: 'it does not end' },
};
