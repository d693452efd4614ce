import { filterHolds } from '../fence/lease.ts';
import type { Ip } from '../ip.ts';
import type { Level } from '../level.ts';
import type { InstanceHappening } from '../notify/happening.ts';
import type { HeldAddress } from '../reconcile/events.ts';
import type { ExpectedOwner } from '../reconcile/lease-events.ts';
import { placed } from '../reconcile/vmac-wants.ts';
import { type Duration, type Instant, seconds } from '../time.ts';
import type { Beat } from '../vrrp/beat.ts';
import type { VrrpEffect, VrrpEvent, VrrpState, VrrpStatus } from '../vrrp/events.ts';
import { VrrpInstance } from '../vrrp/instance.ts';
import type { VirtualAddress, VrrpSettings } from '../vrrp/settings.ts';
import type { ClusterWord } from '../vrrp/takeover.ts';
import { isUnknown } from '../vrrp/track.ts';
import type { UnsentEvent } from '../vrrp/unsent.ts';
import type { Actor } from './ensemble.ts';
import type { DirectorEvent, MakeRouter, RouterMachine } from './events.ts';
import type { Look } from './footing.ts';
import { routerKey } from './identity.ts';
import { Outgoing } from './outgoing.ts';
import { describe } from './reports.ts';
import { suspect } from './suspicion.ts';
import type { RouterTies } from './ties.ts';

/** The machine of a virtual router, where no simulation has another. */
export const realRouter: MakeRouter = (settings, digest, beat) => new VrrpInstance(settings, digest, beat);

/** One virtual router of a director: its machine, and what the machine's effects are here. */
export class Router {
  readonly key: string;
  #settings: VrrpSettings;
  readonly #ties: RouterTies;
  readonly #instance: RouterMachine;
  readonly #actor: Actor<VrrpEvent>;
  readonly #outgoing = new Outgoing();
  /** The key of the port that its adverts leave by; absent before it has had one. */
  #port: string | undefined;
  #held: readonly HeldAddress[] = [];
  /** An announcement that waits until an advert has left: the addresses are not there before. */
  #unannounced: Extract<VrrpEffect, { type: 'announce' }> | undefined;
  /** It is in FAULT, which others were not told of: nothing is known of what it tracks. */
  #unsaid = false;
  /** Effects that wait for the outcome of an advert: whether it left decides on what follows. */
  #waiting: VrrpEffect[] = [];
  #sending = false;

  constructor(settings: VrrpSettings, ties: RouterTies) {
    this.key = routerKey(settings);
    this.#settings = settings;
    this.#ties = ties;
    const beat: Beat = (due) => ties.beat(this.#settings.advertInterval, due);
    this.#instance = ties.makeRouter(settings, ties.digest, beat);
    const played = { kind: 'router', name: settings.name, machine: this.#instance } as const;
    this.#actor = ties.ensemble.join(this.#instance, (effects) => this.#take(effects), played);
  }

  memory() {
    return {
      settings: this.#settings,
      port: this.#port,
      held: this.#held,
      unannounced: this.#unannounced,
      unsaid: this.#unsaid,
      waiting: [...this.#waiting],
      sending: this.#sending,
      instance: this.#instance.memory(),
    };
  }

  /** Of a router that was made with the settings in its memory. */
  recall(memory: ReturnType<Router['memory']>): void {
    this.#port = memory.port;
    this.#held = memory.held;
    this.#unannounced = memory.unannounced;
    this.#unsaid = memory.unsaid;
    this.#waiting = [...memory.waiting];
    this.#sending = memory.sending;
    this.#instance.recall(memory.instance);
  }

  get settings(): VrrpSettings {
    return this.#settings;
  }

  /** What it has as a master, and gives up. */
  get given(): readonly HeldAddress[] {
    return placed([...this.#settings.addresses, ...this.#settings.excluded], this.#settings);
  }

  /** What it is going to hold as a master, and how long after an advert. */
  get expected(): ExpectedOwner {
    return { owner: this.key, addresses: this.given, term: this.#term };
  }

  get state(): VrrpState {
    return this.#instance.state;
  }

  /** When it has something to do as a master: as a rule, to advertise. */
  get next(): Instant | undefined {
    return this.state === 'MASTER' ? this.#instance.deadline() : undefined;
  }

  /** When it takes over as a backup that hears nothing more. */
  get takeover(): Instant | undefined {
    return this.#instance.takeover;
  }

  /**
   * The process stood still: what others may have by now, or is without votes, is given up before anybody says or
   * answers anything.
   */
  woke(now: Instant): void {
    const until = this.#ties.until(this.#settings.group);
    const voteless = this.state === 'MASTER' && until !== undefined && until <= now;
    if (voteless) this.handle({ type: 'woke', why: 'stalled until its votes had run out' });
    else if (this.#instance.isStale(now)) this.handle({ type: 'woke' });
  }

  /** Whether it waits for the outcome of an advert. */
  get sending(): boolean {
    return this.#sending;
  }

  /** Whether it is master and its advert has left: before that, packets for its addresses are dropped. */
  get serves(): boolean {
    const { state, advertLeft } = this.#instance;
    return state === 'MASTER' && !this.#sending && advertLeft;
  }

  status(): VrrpStatus {
    return this.#instance.status();
  }

  /** Tells a router whose adverts carry the time what time it is. */
  readClock(utc: number): void {
    if (this.#settings.hmac !== undefined) this.handle({ type: 'clock', utc });
  }

  /** In place: its state and timers stay. `settings` are of the same virtual router. */
  configure(settings: VrrpSettings, utc: number): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.readClock(utc);
    this.handle({ type: 'configure', settings });
  }

  handle(event: VrrpEvent): void {
    this.#actor.handle(event);
    this.#tellWhatIsKnown();
  }

  /** Its end: STOP with the daemon's, DELETED by a reload. */
  end(what: 'STOP' | 'DELETED'): void {
    const { state: from } = this.#instance;
    this.handle({ type: 'stop' });
    this.#happened(what, from, what === 'STOP' ? 'the daemon stops' : 'a reload removed it');
  }

  /**
   * Tells the machine what it stands on. `port` is where it speaks; absent, for the reason `lame`, it cannot.
   * `hindrance` is a reason not to serve that no interface gives, `occasion` one to serve again.
   */
  reground(
    { tracked, link }: Look,
    stand: {
      readonly port: string | undefined;
      readonly lame: string | undefined;
      readonly hindrance: string | undefined;
      readonly occasion: string | undefined;
    },
  ): void {
    for (const event of tracked) this.handle(event);
    const { port, hindrance, occasion } = stand;
    if (port !== undefined) this.#port = port;
    const seated = link.up && hindrance === undefined && port !== undefined;
    const lame = link.up && port === undefined ? stand.lame : undefined;
    const why = hindrance ?? lame ?? (seated ? occasion : undefined) ?? link.why;
    this.handle({ ...link, up: seated, why });
  }

  /** Announces the addresses again: they were put back. */
  announce(addresses: readonly VirtualAddress[]): void {
    if (this.#instance.state === 'MASTER') this.#announce(addresses, 1);
  }

  /** These interfaces can send again, or have another MAC address: neighbours are told who is there. */
  risen(devs: ReadonlySet<string>): void {
    const { addresses, excluded, announce } = this.#settings;
    const there = placed([...addresses, ...excluded], this.#settings).filter(({ dev }) => devs.has(dev));
    // An owner that has just become master holds nothing before its first advert has left.
    if (this.#held.length === 0 || there.length === 0) return;
    if (this.#instance.state === 'MASTER') this.#announce(there, announce.repeat);
  }

  /** Somebody answered for an address, or sends connection sync: evidence of a silent master. */
  found(event: Extract<DirectorEvent, { type: 'answered' | 'carried' }>): void {
    if (this.#settings.takeoverPolicy === undefined) return;
    const own = event.type === 'carried' && event.router === this.#settings.name;
    this.handle(event.type === 'answered' ? event : { ...event, own });
  }

  /** What the cluster knows of the silent master. */
  weighed(cluster: ClusterWord): void {
    this.handle({ type: 'weighed', link: this.#ties.linkState(this.#settings.interface), cluster });
  }

  /** Something broke: nothing is waited for. */
  giveUp(): void {
    this.#sending = false;
    this.#proceed();
    this.handle({ type: 'stop' });
  }

  leave(): void {
    this.#actor.leave();
  }

  /** What became of the advert that was sent last. */
  outcome(event: { readonly type: 'sent' } | UnsentEvent): void {
    this.#sending = false;
    this.handle(event);
    // An advert that resigns or gives way is no authority to hold addresses, or to put back expired ones.
    if (event.type === 'sent' && this.#instance.state === 'MASTER') {
      const until = this.#ties.until(this.#settings.group);
      this.#ties.addresses({ type: 'renew', owner: this.key, term: this.#term, until });
      if (this.#unannounced !== undefined)
        this.#announce(this.#unannounced.addresses, this.#unannounced.repeat);
      this.#unannounced = undefined;
    }
    this.#proceed();
    if (!this.#sending) this.#ties.quiet();
  }

  /** Of the packet filter's lease; 0 where none would hold from one advert to the next. */
  get #term(): Duration {
    const { term = seconds(0), advertInterval } = this.#settings;
    return filterHolds(term, advertInterval, this.#ties.tick) ? term : seconds(0);
  }

  #take(effects: readonly VrrpEffect[]): void {
    this.#waiting.push(...effects);
    this.#proceed();
  }

  #proceed(): void {
    while (!this.#sending) {
      const effect = this.#waiting.shift();
      if (effect === undefined) return;
      if (effect.type === 'send') this.#send(effect);
      else this.#perform(effect);
    }
  }

  #send(effect: Extract<VrrpEffect, { type: 'send' }>): void {
    if (this.#port === undefined) {
      this.#actor.handle({ type: 'unsent', code: 'ENODEV', destination: effect.destination });
      return;
    }
    this.#sending = true;
    this.#ties.emit(this.#outgoing.of(effect, this.key, this.#port));
  }

  #perform(effect: Exclude<VrrpEffect, { type: 'send' }>): void {
    const [key, ties, { name }] = [this.key, this.#ties, this.#settings];
    switch (effect.type) {
      case 'hold': {
        const { lease } = effect;
        const addresses = placed(effect.addresses, this.#settings);
        this.#keep(addresses);
        const until = ties.until(this.#settings.group);
        const unsent = !this.#instance.advertLeft;
        const term = this.#term;
        ties.addresses({ type: 'hold', owner: key, addresses, lease, term, until, unsent });
        break;
      }
      case 'release':
        this.#keep([]);
        this.#unannounced = undefined;
        ties.addresses({ type: 'release', owner: key, leftovers: placed(effect.addresses, this.#settings) });
        break;
      case 'announce':
        if (this.#instance.advertLeft) this.#announce(effect.addresses, effect.repeat);
        else this.#unannounced = effect;
        break;
      case 'standing':
        ties.standing(effect.group, key, effect.standing);
        break;
      case 'transition':
        this.#log('notice', `${effect.from} -> ${effect.to}: ${effect.cause}`);
        ties.emit({ type: 'changed', router: key });
        this.#tellState(effect);
        break;
      case 'priority':
        this.#log('notice', `effective priority ${effect.priority}`);
        this.#tellPriority();
        break;
      case 'contested':
        if (this.#settings.group !== undefined) ties.contested(this.#settings.group, key);
        this.#happened('MASTER_RX_LOWER_PRI', 'MASTER', 'a lesser router believes to be master');
        break;
      case 'other-master': {
        const { address, why } = effect;
        ties.emit({ type: 'changed', router: key });
        if (why === undefined) {
          this.#log('notice', `${address} no longer claims it`);
          break;
        }
        // Two serve: nobody but an operator can end that.
        this.#log('crit', `${address} also claims it (${why})`);
        this.#happened('OTHER_MASTER', this.#instance.state, `${address} also claims ${name} (${why})`);
        break;
      }
      case 'listen':
      case 'ask':
      case 'weigh':
      case 'fence':
      case 'decided':
        suspect(effect, this.key, this.#settings, this.status().source, ties);
        break;
      case 'still-served':
        this.#log('crit', `the adverts of ${effect.master} have stopped, but ${effect.why}`);
        this.#happened('STILL_SERVED', this.#instance.state, effect.why);
        break;
      default:
        this.#log('warning', describe(effect));
    }
  }

  /**
   * Tells others of a new state. A router that only awaits the first news of what it tracks is in FAULT, but that is
   * nobody's concern yet, as in keepalived.
   */
  #tellState({ from, to, cause }: Extract<VrrpEffect, { type: 'transition' }>): void {
    const before = this.#unsaid ? 'INIT' : from;
    this.#unsaid = to === 'FAULT' && from === 'INIT' && this.status().faults.every(isUnknown);
    if (to !== 'INIT' && !this.#unsaid) this.#happened(to, before, cause);
  }

  #tellWhatIsKnown(): void {
    if (!this.#unsaid || this.status().faults.every(isUnknown)) return;
    this.#unsaid = false;
    this.#happened('FAULT', 'INIT', this.status().faults.join('; '));
  }

  #tellPriority(): void {
    const { state } = this.#instance;
    const what = state === 'MASTER' ? 'MASTER_PRIORITY' : 'BACKUP_PRIORITY';
    this.#happened(what, state, 'what is tracked changed');
  }

  #happened(what: InstanceHappening['what'], from: string, cause: string): void {
    const { name, priority } = this.status();
    const happening = { of: 'instance', name, what, from, priority, cause } as const;
    this.#ties.emit({ type: 'happened', happening });
  }

  #log(level: Level, message: string): void {
    this.#ties.emit({ type: 'log', level, message: `${this.#settings.name}: ${message}` });
  }

  #announce(addresses: readonly VirtualAddress[], repeat: number): void {
    const byDevice = new Map<string, Ip[]>();
    for (const { dev, address } of placed(addresses, this.#settings)) {
      const list = byDevice.get(dev) ?? [];
      list.push(address.ip);
      byDevice.set(dev, list);
    }
    for (const [device, list] of byDevice) this.#ties.announce(device, list, repeat);
  }

  /** What waits to be announced, and is held no longer, is not announced. */
  #keep(held: readonly HeldAddress[]): void {
    const still = new Set(held.map(({ dev, address }) => `${dev} ${address.ip}`));
    for (const { dev, address } of this.#held) {
      if (!still.has(`${dev} ${address.ip}`)) this.#ties.forget(dev, [address.ip]);
    }
    this.#held = held;
  }
}
