import {
  Authority,
  type AuthorityEffect,
  type AuthorityEvent,
  type AuthoritySettings,
} from '../../../src/core/fence/authority.ts';
import { Fencing, type FencingEffect, type FencingEvent } from '../../../src/core/fence/device.ts';
import { type EtcdEvent, EtcdVoter } from '../../../src/core/fence/etcd.ts';
import { REAL_PARTS } from '../../../src/core/fence/parts.ts';
import {
  type Answer,
  type Ask,
  type Release,
  Voter,
  type VoterSettings,
} from '../../../src/core/fence/voter.ts';
import { after, type Instant, micros, seconds } from '../../../src/core/time.ts';
import type { VrrpEffect, VrrpEvent } from '../../../src/core/vrrp/events.ts';
import { VrrpInstance } from '../../../src/core/vrrp/instance.ts';
import type { Flaw } from './cluster.ts';
import { type Day, KINDS } from './day.ts';
import type { CheckName } from './watch.ts';

/** Machines that are wrong in one way each, with what must be seen of it: proof that the checks bite. */
export interface Broken extends Flaw {
  readonly foundBy: CheckName;
  /** Whether a day can show it at all; others are not played. */
  readonly needs?: (day: Day) => boolean;
  /** A seed that showed it: it is looked at first. */
  readonly near?: number;
}

const strays = ({ stragglers }: Day): boolean => stragglers > 0.1;
const partitions = ({ operations }: Day): boolean =>
  operations.some((each) => each.kind === 'cut' && each.links === 'all' && each.lasts > 5 * 1e5);

// Voters.

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

// Candidates and holders.

/** Counts a promise from its last request, not from the one that was answered. */
class Optimist extends Authority {
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
class Presumptuous extends Authority {
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
class Triumphant extends Authority {
  override handle(event: AuthorityEvent, now: Instant): void {
    super.handle(event.type === 'fenced' ? { ...event, at: after(event.at, seconds(1000)) } : event, now);
  }
}

/** Keeps the addresses whatever becomes of its votes: the lease is renewed without them. */
class Immortal extends Authority {
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
class Hopeful extends Authority {
  override handle(event: AuthorityEvent, now: Instant): void {
    super.handle(event.type === 'answer' ? { ...event, answer: { type: 'granted' } } : event, now);
  }
}

/** Never gives its votes back. */
class Greedy extends Authority {
  override take(): AuthorityEffect[] {
    return super.take().filter(({ type }) => type !== 'release');
  }
}

// Fencing.

/** Believes that a director is off as soon as its agent is asked. */
class Rash extends Fencing {
  override timeout(now: Instant): void {
    super.timeout(now);
    this.#now = now;
  }
  override handle(event: FencingEvent, now: Instant): void {
    super.handle(event, now);
    this.#now = now;
  }
  #now = 0 as Instant;

  override take(): FencingEffect[] {
    return super.take().flatMap((effect): FencingEffect[] => {
      const shoots = effect.type === 'run' && effect.action !== 'status';
      return shoots ? [effect, { type: 'off', target: effect.device.target, at: this.#now }] : [effect];
    });
  }
}

/** Takes an agent at its word, whatever word that is, and looks at nothing. */
class Gullible extends Fencing {
  override handle(event: FencingEvent, now: Instant): void {
    super.handle(event.type === 'ended' ? { ...event, end: { status: 0, said: '' } } : event, now);
    for (const effect of super.take()) {
      this.#kept.push(effect);
      if (effect.type !== 'run' || effect.action !== 'status') continue;
      this.#kept.pop();
      super.handle({ type: 'ended', id: effect.id, end: { status: 2, said: '' } }, now);
    }
  }
  #kept: FencingEffect[] = [];

  override take(): FencingEffect[] {
    return [...this.#kept.splice(0), ...super.take()];
  }
}

/** Never switches anybody off. */
class Harmless extends Fencing {
  override handle(event: FencingEvent, now: Instant): void {
    if (event.type !== 'fence') super.handle(event, now);
  }
}

// etcd.

/** Does not wait until the promise of another has run out. */
class Impatient extends EtcdVoter {
  override handle(event: EtcdEvent, now: Instant): void {
    super.handle(event, event.type === 'ask' ? after(now, seconds(1000)) : now);
  }
}

// Virtual routers.

/** A virtual router that does not hear one kind of event. */
class Inattentive extends VrrpInstance {
  readonly #drops: (event: VrrpEvent) => boolean;

  constructor(settings: ConstructorParameters<typeof VrrpInstance>[0], drops: (event: VrrpEvent) => boolean) {
    super(settings);
    this.#drops = drops;
  }
  override handle(event: VrrpEvent, now: Instant): void {
    if (!this.#drops(event)) super.handle(event, now);
  }
}

/** Gives way to a better candidate with an advert that resigns: a third director follows, and is challenged in turn. */
class Loud extends VrrpInstance {
  override handle(event: VrrpEvent, now: Instant): void {
    super.handle(event.type === 'yield' ? { ...event, quiet: false } : event, now);
  }
}

/** Does not see what an earlier life has left. */
class Untidy extends VrrpInstance {
  #served = false;

  override take(): VrrpEffect[] {
    return super.take().filter((effect) => {
      this.#served ||= effect.type === 'hold';
      return effect.type !== 'release' || this.#served;
    });
  }
}

const voter = (make: new (settings: VoterSettings, started: Instant) => Voter): Flaw => ({
  parts: { ...REAL_PARTS, voter: (settings, started) => new make(settings, started) },
});
const authority = (make: new (settings: AuthoritySettings) => Authority): Flaw => ({
  parts: { ...REAL_PARTS, authority: (settings) => new make(settings) },
});
const spoilt = (change: (settings: AuthoritySettings) => Partial<AuthoritySettings>): Flaw => ({
  parts: { ...REAL_PARTS, authority: (settings) => new Authority({ ...settings, ...change(settings) }) },
});
const inattentive = (drops: (event: VrrpEvent) => boolean): Flaw => ({
  makeRouter: (settings) => new Inattentive(settings, drops),
});

export const BROKEN: Readonly<Record<string, Broken>> = {
  'a forgetful voter': {
    parts: { ...REAL_PARTS, voter: (settings, started) => new Voter(settings, started, false) },
    near: 5694,
    foundBy: 'two holders',
    needs: partitions,
  },
  'a voter without a margin': {
    parts: { ...REAL_PARTS, voter: (settings, now) => new Voter({ ...settings, margin: 0 }, now) },
    foundBy: 'two holders',
    near: 14247,
    needs: ({ margin, stragglers }) => margin === 0.1 && stragglers === 0,
  },
  'a generous voter': { ...voter(Generous), foundBy: 'two holders' },
  'a hurried voter': { ...voter(Hurried), near: 180, foundBy: 'two holders' },
  'a confused voter': { ...voter(Confused), near: 2530, foundBy: 'two holders', needs: strays },
  'a fickle voter': { ...voter(Fickle), foundBy: 'two holders' },
  'an unforgiving voter': { ...voter(Unforgiving), foundBy: 'no holder' },
  'an optimistic candidate': {
    ...authority(Optimist),
    near: 367,
    foundBy: 'two holders',
    needs: (day) => strays(day) && partitions(day),
  },
  'a presumptuous candidate': { ...authority(Presumptuous), near: 9, foundBy: 'two holders' },
  'a triumphant candidate': {
    ...authority(Triumphant),
    near: 4334,
    foundBy: 'two holders',
    needs: (day) => KINDS[day.kind].fences && partitions(day),
  },
  'an immortal holder': { ...authority(Immortal), foundBy: 'two holders' },
  'a hopeful candidate': { ...authority(Hopeful), foundBy: 'two holders' },
  'a greedy candidate': { ...authority(Greedy), foundBy: 'no holder' },
  'a candidate of some voters only': {
    ...spoilt(({ voters, director }) => ({
      voters: [director, ...voters.filter((name) => name !== director).slice(-2)].slice(
        0,
        2 + (voters.length > 3 ? 1 : 0),
      ),
    })),
    near: 2615,
    foundBy: 'two holders',
    needs: (day) => KINDS[day.kind].directors > 2 && partitions(day),
  },
  'a candidate that never gives up': {
    ...spoilt(() => ({ attempt: seconds(1e6) })),
    foundBy: 'no holder',
  },
  'a director without names for its lives': { lives: 'nameless', foundBy: 'no holder' },
  'a rash fencer': { makeFencing: () => new Rash(), foundBy: 'two holders' },
  'a gullible fencer': { makeFencing: () => new Gullible(), near: 779, foundBy: 'two holders' },
  'a harmless fencer': { makeFencing: () => new Harmless(), foundBy: 'no holder' },
  'an impatient voter of etcd': {
    makeEtcdVoter: (...how) => new Impatient(...how),
    foundBy: 'two holders',
  },
  'a process that does not notice its pauses': { pauses: 'unnoticed', foundBy: 'two holders' },
  'a router that keeps what it has no votes for': {
    ...inattentive(({ type }) => type === 'yield'),
    near: 267,
    foundBy: 'two holders',
    needs: partitions,
  },
  'a holder that gives way aloud': {
    makeRouter: (settings) => new Loud(settings),
    foundBy: 'no holder',
    needs: (day) => KINDS[day.kind].directors > 2 && day.preempt,
  },
  'a router that nobody elects': { ...inattentive(({ type }) => type === 'elect'), foundBy: 'no holder' },
  'a router that is blind to an earlier life': {
    makeRouter: (settings) => new Untidy(settings),
    foundBy: 'two holders',
  },
};
