import { assert } from '../assert.ts';
import { familyOf, type Ip } from '../ip.ts';
import type { LinkEvent, VrrpEvent } from './events.ts';
import { OWNER } from './packet.ts';
import type { VrrpSettings } from './settings.ts';
import { Tracking } from './track.ts';

/** The events that change what a virtual router stands on. */
export type GroundsEvent = Extract<VrrpEvent, { type: 'link' | 'track' | 'group' | 'configure' }>;

/** What a virtual router that could not serve says when `event` ended that. */
export function recovery(event: GroundsEvent): string {
  if (event.type === 'link') return event.why;
  if (event.type === 'track' && event.kind !== 'file') return `${event.kind} ${event.name}: ${event.why}`;
  return event.type === 'group' ? 'its sync group can serve again' : 'nothing hinders it any more';
}

/** What a virtual router stands on: its link, what it tracks, and its sync group. */
export class Grounds {
  #settings: VrrpSettings;
  readonly #tracking = new Tracking();
  /** What the last `link` event said; `undefined` before the first. */
  #link: LinkEvent | undefined;
  /** Why another member of the group keeps all of it from serving. */
  #group: string | undefined;
  /** Why its adverts do not leave. */
  silenced: string | undefined;

  constructor(settings: VrrpSettings) {
    this.#settings = settings;
    this.configure(settings);
  }

  /** Other settings of the same virtual router. */
  configure(settings: VrrpSettings): void {
    const { name, interface: device, family, vrid, advertInterval, priority } = settings;
    const was = this.#settings;
    const same = device === was.interface && family === was.family && vrid === was.vrid;
    assert(same, `${was.name}: configured as another virtual router, ${name}`);
    assert(advertInterval > 0, `${name}: advert interval ${advertInterval}`);
    assert(priority >= 1 && priority <= OWNER, `${name}: priority ${priority}`);
    if (settings.group !== this.#settings.group) this.#group = undefined;
    this.#settings = settings;
    this.#tracking.configure(settings.track ?? []);
  }

  memory() {
    return {
      settings: this.#settings,
      tracked: this.#tracking.memory(),
      link: this.#link,
      group: this.#group,
      silenced: this.silenced,
    };
  }

  /** Where the settings are those in the memory. */
  recall({ tracked, link, group, silenced }: ReturnType<Grounds['memory']>): void {
    this.#tracking.recall(tracked);
    this.#link = link;
    this.#group = group;
    this.silenced = silenced;
  }

  hear(event: Exclude<GroundsEvent, { type: 'configure' }>): void {
    if (event.type === 'track') this.#tracking.note(event);
    else if (event.type === 'group') this.#group = event.fault;
    else this.#hearLink(event);
  }

  #hearLink(event: LinkEvent): void {
    this.#link = event;
    const { source } = this;
    const { name, family } = this.#settings;
    if (source !== undefined) {
      assert(familyOf(source) === family, `${name}: IPv${family} adverts from ${source}`);
    }
  }

  /** Whether the link was heard of: before, nothing is decided. */
  get known(): boolean {
    return this.#link !== undefined;
  }

  /** What the last `link` event gave as its reason. */
  get why(): string {
    return this.#link?.why ?? 'nothing is known of the link';
  }

  /** Where adverts leave from, while the link is up. */
  get source(): Ip | undefined {
    return this.#link?.up ? (this.#settings.source ?? this.#link.source) : undefined;
  }

  /** The configured priority with the weights of what is tracked. */
  get priority(): number {
    return this.#tracking.priority(this.#settings.priority);
  }

  /** Why it cannot serve: its own reasons, the link's first. */
  get ownFaults(): string[] {
    const silenced = this.silenced === undefined ? [] : [this.silenced];
    const faults = [...silenced, ...this.#tracking.faults];
    if (this.source !== undefined) return faults;
    return [this.#link?.up ? `${this.why}, but no address to send from` : this.why, ...faults];
  }

  get faults(): string[] {
    return this.#group === undefined ? this.ownFaults : [...this.ownFaults, this.#group];
  }
}
