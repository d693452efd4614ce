import type { Instant } from '../../src/core/time.ts';
import type { VrrpEffect, VrrpEvent, VrrpState, VrrpStatus } from '../../src/core/vrrp/events.ts';
import { VrrpInstance, type VrrpMemory } from '../../src/core/vrrp/instance.ts';
import type { VrrpSettings } from '../../src/core/vrrp/settings.ts';
import type { CheckName } from './checks.ts';
import type { Flaw, VrrpMachine } from './host.ts';

/** Machines that are wrong in one way each, with the check that must find it: proof that the checks bite. */

/** The real machine, to be spoilt. */
class Wrapped implements VrrpMachine {
  protected readonly inner: VrrpInstance;

  constructor(settings: VrrpSettings) {
    this.inner = new VrrpInstance(settings);
  }
  handle(event: VrrpEvent, now: Instant): void {
    this.inner.handle(event, now);
  }
  deadline(): Instant | undefined {
    return this.inner.deadline();
  }
  timeout(now: Instant): void {
    this.inner.timeout(now);
  }
  take(): VrrpEffect[] {
    return this.inner.take();
  }
  get state(): VrrpState {
    return this.inner.state;
  }
  get takeover(): Instant | undefined {
    return this.inner.takeover;
  }
  get advertLeft(): boolean {
    return this.inner.advertLeft;
  }
  isStale(now: Instant): boolean {
    return this.inner.isStale(now);
  }
  status(): VrrpStatus {
    return this.inner.status();
  }
  memory(): VrrpMemory {
    return this.inner.memory();
  }
  recall(memory: VrrpMemory): void {
    this.inner.recall(memory);
  }
}

/** Believes late timers: it acts as if each had come at its time. */
class Credulous extends Wrapped {
  override timeout(now: Instant): void {
    for (let due = this.deadline(); due !== undefined && due <= now; due = this.deadline()) {
      this.inner.timeout(due);
    }
  }
}

/** Does not listen while it is master. */
class Deaf extends Wrapped {
  override handle(event: VrrpEvent, now: Instant): void {
    if (event.type !== 'packet' || this.state !== 'MASTER') super.handle(event, now);
  }
}

/** Hears only every eighth advert as a backup. */
class Forgetful extends Wrapped {
  #heard = 0;

  override handle(event: VrrpEvent, now: Instant): void {
    const packet = event.type === 'packet';
    if (packet) this.#heard += 1;
    if (!packet || this.#heard % 8 === 0) super.handle(event, now);
  }
}

/** Sleeps through its authority, and goes on as if nothing had been. */
class Sleepwalker extends Wrapped {
  override handle(event: VrrpEvent, now: Instant): void {
    this.#catchUp(now);
    super.handle(event, now);
  }
  override timeout(now: Instant): void {
    this.#catchUp(now);
    super.timeout(now);
  }
  override isStale(): boolean {
    return false;
  }
  #catchUp(now: Instant): void {
    if (this.state !== 'MASTER') return;
    for (let due = this.deadline(); due !== undefined && due < now; due = this.deadline()) {
      this.inner.timeout(due);
    }
  }
}

/** Never gives the addresses back. */
class Sticky extends Wrapped {
  override take(): VrrpEffect[] {
    return super.take().filter((effect) => effect.type !== 'release');
  }
}

/** Gives way to a better master without a last word, so that the better does not announce again. */
class Sullen extends Wrapped {
  override take(): VrrpEffect[] {
    const effects = super.take();
    return effects.filter(
      (effect, i) => effect.type !== 'send' || effect.payload[2] === 0 || effects[i + 1]?.type !== 'release',
    );
  }
}

/** Never takes over. */
class Meek extends Wrapped {
  override timeout(now: Instant): void {
    if (this.state === 'MASTER') super.timeout(now);
  }
  override deadline(): Instant | undefined {
    return this.state === 'MASTER' ? super.deadline() : undefined;
  }
}

/** Always wants to be called at once. */
class Restless extends Wrapped {
  #now: Instant | undefined;

  override handle(event: VrrpEvent, now: Instant): void {
    this.#now = now;
    super.handle(event, now);
  }
  override deadline(): Instant | undefined {
    return this.#now;
  }
}

/** Thinks nothing of a link that is down. */
class Groundless extends Wrapped {
  override handle(event: VrrpEvent, now: Instant): void {
    if (event.type !== 'link' || event.up) super.handle(event, now);
  }
}

/** Does not hear one kind of event. */
class Inattentive extends Wrapped {
  readonly #drops: string;

  constructor(settings: VrrpSettings, drops: string) {
    super(settings);
    this.#drops = drops;
  }
  override handle(event: VrrpEvent, now: Instant): void {
    if (event.type !== this.#drops) super.handle(event, now);
  }
}

export interface Broken extends Flaw {
  readonly foundBy: CheckName;
}

export const BROKEN: Readonly<Record<string, Broken>> = {
  credulous: { make: (settings) => new Credulous(settings), foundBy: 'sleepy takeover' },
  deaf: { make: (settings) => new Deaf(settings), foundBy: 'two masters' },
  forgetful: { make: (settings) => new Forgetful(settings), foundBy: 'hasty takeover' },
  sleepwalking: { make: (settings) => new Sleepwalker(settings), foundBy: 'usurper' },
  sticky: { make: (settings) => new Sticky(settings), foundBy: 'addresses' },
  sullen: { make: (settings) => new Sullen(settings), foundBy: 'neighbours' },
  meek: { make: (settings) => new Meek(settings), foundBy: 'outcome' },
  'never preempting': {
    make: (settings) => new VrrpInstance({ ...settings, preempt: false }),
    foundBy: 'outcome',
  },
  groundless: { make: (settings) => new Groundless(settings), foundBy: 'footing' },
  'never reading again': {
    hears: (event) => event.type !== 'read' || event.why === undefined,
    foundBy: 'footing',
  },
  restless: { make: (settings) => new Restless(settings), foundBy: 'livelock' },
};

/** Members that do not hear their group in one way each. */
export const GROUP_BROKEN: Readonly<Record<string, Broken>> = {
  'member that is taken down by nobody': {
    make: (settings) => new Inattentive(settings, 'yield'),
    foundBy: 'split group',
  },
  'member that nobody elects': { make: (settings) => new Inattentive(settings, 'elect'), foundBy: 'outcome' },
};
