import {
  Authority,
  type AuthorityEffect,
  type AuthorityEvent,
  type AuthoritySettings,
} from '../../../src/core/fence/authority.ts';
import {
  type Answer,
  type Ask,
  type Release,
  Voter,
  type VoterSettings,
} from '../../../src/core/fence/voter.ts';
import { after, type Instant, micros, seconds } from '../../../src/core/time.ts';
import { type Parts, REAL } from './node.ts';

/** Voters and authorities that are wrong in one way each, with what must be seen of it. */
interface Broken {
  readonly parts: Parts;
  readonly foundBy: 'two holders' | 'no holder';
}

/** Promises its vote to whoever asks. */
class Generous extends Voter {
  override ask(ask: Ask, now: Instant): Answer | undefined {
    return super.ask(ask, now) && { type: 'granted' };
  }
}

/** Gives half the time that was asked for. */
class Hurried extends Voter {
  override ask(ask: Ask, now: Instant): Answer | undefined {
    return super.ask({ ...ask, ...(ask.duration && { duration: micros(ask.duration / 2) }) }, now);
  }
}

/** Does not see that a request or a release was overtaken by a later one. */
class Confused extends Voter {
  #count = 0;

  override ask(ask: Ask, now: Instant): Answer | undefined {
    return super.ask({ ...ask, number: ++this.#count }, now);
  }
  override release(release: Release): void {
    super.release({ ...release, number: ++this.#count });
  }
}

/** Takes a request for a release. */
class Fickle extends Voter {
  override ask(ask: Ask, now: Instant): Answer | undefined {
    const answer = super.ask(ask, now);
    if (answer?.type === 'granted') this.fenced(ask.director, ask.life);
    return answer;
  }
}

/** Never gives a vote free again. */
class Unforgiving extends Voter {
  override release(): void {}
  override reborn(): void {}
  override fenced(): void {}
}

/** The real authority, to be spoilt. */
class Wrapped {
  protected readonly inner: Authority;

  constructor(settings: AuthoritySettings) {
    this.inner = new Authority(settings);
  }
  handle(event: AuthorityEvent, now: Instant): void {
    this.inner.handle(event, now);
  }
  deadline(): Instant | undefined {
    return this.inner.deadline();
  }
  timeout(now: Instant): void {
    this.inner.timeout(now);
  }
  take(): AuthorityEffect[] {
    return this.inner.take();
  }
  get state(): Authority['state'] {
    return this.inner.state;
  }
}

/** Counts a promise from its last request, not from the one that was answered. */
class Optimist extends Wrapped {
  #last = 0;

  override take(): AuthorityEffect[] {
    const effects = super.take();
    for (const effect of effects) if (effect.type === 'ask') this.#last = effect.ask.number;
    return effects;
  }
  override handle(event: AuthorityEvent, now: Instant): void {
    super.handle(event.type === 'answer' ? { ...event, number: this.#last } : event, now);
  }
}

/** Needs nobody's leave for its own vote. */
class Presumptuous extends Wrapped {
  readonly #self: string;

  constructor(settings: AuthoritySettings) {
    super(settings);
    this.#self = settings.director;
  }
  override handle(event: AuthorityEvent, now: Instant): void {
    const own = event.type === 'answer' && event.voter === this.#self;
    super.handle(own ? { ...event, answer: { type: 'granted' } } : event, now);
  }
}

/** Believes that who was fenced stays off for ever. */
class Triumphant extends Wrapped {
  override handle(event: AuthorityEvent, now: Instant): void {
    super.handle(event.type === 'fenced' ? { ...event, at: after(event.at, seconds(1000)) } : event, now);
  }
}

/** Keeps the addresses whatever becomes of its votes. */
class Immortal extends Wrapped {
  override take(): AuthorityEffect[] {
    return super
      .take()
      .flatMap((effect) =>
        effect.type === 'lost'
          ? []
          : [effect.type === 'authorised' ? { ...effect, until: undefined } : effect],
      );
  }
}

/** Believes each refusal to be a promise. */
class Hopeful extends Wrapped {
  override handle(event: AuthorityEvent, now: Instant): void {
    super.handle(event.type === 'answer' ? { ...event, answer: { type: 'granted' } } : event, now);
  }
}

/** Never gives its votes back. */
class Greedy extends Wrapped {
  override take(): AuthorityEffect[] {
    return super.take().filter(({ type }) => type !== 'release');
  }
}

const voter = (make: new (settings: VoterSettings, started: Instant) => Voter): Parts => ({
  ...REAL,
  voter: (settings, started) => new make(settings, started),
});
const authority = (make: new (settings: AuthoritySettings) => Wrapped): Parts => ({
  ...REAL,
  authority: (settings) => new make(settings),
});
const spoilt = (change: (settings: AuthoritySettings) => Partial<AuthoritySettings>): Parts => ({
  ...REAL,
  authority: (settings) => new Authority({ ...settings, ...change(settings) }),
});

export const BROKEN: Readonly<Record<string, Broken>> = {
  'a forgetful voter': {
    parts: { ...REAL, voter: (settings, started) => new Voter(settings, started, false) },
    foundBy: 'two holders',
  },
  'a generous voter': { parts: voter(Generous), foundBy: 'two holders' },
  'a hurried voter': { parts: voter(Hurried), foundBy: 'two holders' },
  'a confused voter': { parts: voter(Confused), foundBy: 'two holders' },
  'a fickle voter': { parts: voter(Fickle), foundBy: 'two holders' },
  'an unforgiving voter': { parts: voter(Unforgiving), foundBy: 'no holder' },
  'an optimistic candidate': { parts: authority(Optimist), foundBy: 'two holders' },
  'a presumptuous candidate': { parts: authority(Presumptuous), foundBy: 'two holders' },
  'a triumphant candidate': { parts: authority(Triumphant), foundBy: 'two holders' },
  'an immortal holder': { parts: authority(Immortal), foundBy: 'two holders' },
  'a hopeful candidate': { parts: authority(Hopeful), foundBy: 'two holders' },
  'a greedy candidate': { parts: authority(Greedy), foundBy: 'no holder' },
  'a candidate of some voters only': {
    parts: spoilt(({ voters, director }) => ({
      voters: [director, ...voters.filter((name) => name !== director).slice(-2)].slice(
        0,
        2 + (voters.length > 3 ? 1 : 0),
      ),
    })),
    foundBy: 'two holders',
  },
  'a candidate that never gives up': {
    parts: spoilt(() => ({ attempt: seconds(1e6) })),
    foundBy: 'no holder',
  },
  'a candidate without a name for its life': { parts: spoilt(() => ({ life: 'one' })), foundBy: 'no holder' },
};
