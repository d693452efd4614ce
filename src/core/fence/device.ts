import { assert, unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, seconds } from '../time.ts';
import type { AgentAction, AgentEnd, DeviceSettings } from './agent.ts';

/** When no device works: try again and again, go on as if the other were off, or wait for the operator's word. */
export type FailurePolicy = 'wait' | 'take' | 'manual';
export type FencingEvent =
  | { readonly type: 'configure'; readonly devices: readonly DeviceSettings[] }
  /** A director is silent, and in the way. Said again and again while that is so, by each router that it keeps out. */
  | {
      readonly type: 'fence';
      readonly target: string;
      readonly why: string;
      readonly onFailure: FailurePolicy;
    }
  /** It is heard, or not in the way any more. */
  | { readonly type: 'heard'; readonly target: string }
  /** The operator says that it is off and stays so until it is heard, and answers for it. */
  | { readonly type: 'confirm'; readonly target: string }
  /** The operator wants it switched off, or on again. */
  | { readonly type: 'order'; readonly target: string; readonly order: 'off' | 'on' }
  /** It was switched off before our own start, and not heard since: is it off still? */
  | { readonly type: 'recall'; readonly target: string }
  | { readonly type: 'ended'; readonly id: number; readonly end: AgentEnd };

export type FencingEffect =
  | {
      readonly type: 'run';
      readonly id: number;
      readonly device: DeviceSettings;
      readonly action: AgentAction;
    }
  /** The director was off at that time, for certain. */
  | { readonly type: 'off'; readonly target: string; readonly at: Instant }
  /** It could not be switched off, and some go on as if it were. Said again and again until it is heard. */
  | { readonly type: 'unfenced'; readonly target: string; readonly at: Instant }
  /** Once: what came of a shot. */
  | ({ readonly type: 'outcome' } & FenceOutcome)
  | {
      readonly type: 'log';
      readonly level: 'crit' | 'error' | 'warning' | 'notice';
      readonly message: string;
    };

/** What came of it: it was switched off by these devices, or not, or the operator answers for it. */
export interface FenceOutcome {
  readonly target: string;
  readonly what: 'off' | 'failed' | 'confirmed';
  readonly by: readonly string[];
  readonly why: string;
}

/** While a director has to stay off, its devices are asked so often whether it is. */
const LOOK_PAUSE: Duration = seconds(1);
/** After all levels failed. */
const FAILED_PAUSE: Duration = seconds(10);
/** A machine that was rebooted is silent for so long, at most: shot again sooner it would never come back. */
const BOOT_PAUSE: Duration = seconds(120);
/** Phases that are over by themselves. */
const ENDING: readonly string[] = ['failed', 'on', 'rebooted'];
/** What an agent's `status` gives. */
const STATUS = { on: 0, off: 2 } as const;

interface Shot {
  readonly target: string;
  phase:
    | 'waiting'
    | 'shooting'
    | 'verifying'
    | 'off'
    | 'rebooted'
    | 'failed'
    | 'given up'
    | 'confirmed'
    | 'on';
  /** Of those that it keeps out. */
  readonly policies: Set<FailurePolicy>;
  /** The operator's. */
  readonly order?: 'off' | 'on';
  /** The target's devices, level by level. */
  readonly levels: readonly (readonly DeviceSettings[])[];
  readonly at: { level: number; device: number; attempts: number };
  /** The agent's run under way, and when it began. */
  run?: { readonly id: number; readonly began: Instant } | undefined;
  /** While it is watched: when the first device of this round was asked. */
  round?: Instant | undefined;
  /** When it goes on. */
  next?: Instant | undefined;
  readonly why: string;
}

/** Shuts directors out: their fence devices switch them off. */
export class Fencing implements Machine<FencingEvent, FencingEffect> {
  #devices: readonly DeviceSettings[] = [];
  readonly #shots = new Map<string, Shot>();
  /** Directors that nobody could switch off, and that count as off for some: when that is said again. */
  readonly #taken = new Map<string, Instant>();
  #lastId = 0;
  #effects: FencingEffect[] = [];

  handle(event: FencingEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event.devices);
        break;
      case 'fence':
        this.#fence(event, now);
        break;
      case 'heard': {
        this.#taken.delete(event.target);
        // What the operator has ordered goes on, whoever is heard meanwhile.
        const { order, phase } = this.#shots.get(event.target) ?? {};
        if (order === undefined || phase === 'off') this.#shots.delete(event.target);
        break;
      }
      case 'confirm':
        this.#log('crit', `the operator confirms that ${event.target} is off`);
        this.#confirm(event.target, now);
        this.#effects.push({ ...CONFIRMED, target: event.target });
        break;
      case 'order':
        this.#order(event.target, event.order, now);
        break;
      case 'recall':
        this.#recall(event.target, now);
        break;
      case 'ended':
        this.#ended(event.id, event.end, now);
        break;
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const shot of this.#shots.values()) next = earliest(next, shot.next);
    for (const at of this.#taken.values()) next = earliest(next, at);
    return next;
  }

  timeout(now: Instant): void {
    for (const shot of this.#shots.values()) {
      if (shot.next === undefined || shot.next > now) continue;
      shot.next = undefined;
      if (shot.phase === 'confirmed') this.#confirm(shot.target, now);
      else if (ENDING.includes(shot.phase)) this.#shots.delete(shot.target);
      else if (shot.phase === 'off') this.#watch(shot, now);
      else this.#shoot(shot, now);
    }
    for (const [target, due] of this.#taken) if (due <= now) this.#takeAllTheSame(target, now);
  }

  take(): FencingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** Who is being switched off, or is off. */
  shots(): { readonly target: string; readonly phase: string }[] {
    return Array.from(this.#shots.values(), ({ target, phase, order }) => ({
      target,
      phase: order === 'on' && phase !== 'on' && phase !== 'failed' ? 'starting' : phase,
    }));
  }

  #configure(devices: readonly DeviceSettings[]): void {
    this.#devices = devices;
    for (const { target, phase, levels } of this.#shots.values()) {
      const same = JSON.stringify(this.#levels(target)) === JSON.stringify(levels);
      if (phase !== 'confirmed' && !same) this.#shots.delete(target);
    }
    for (const target of this.#taken.keys())
      if (this.#levels(target).length === 0) this.#taken.delete(target);
  }

  /** The target's devices, level by level. */
  #levels(target: string): DeviceSettings[][] {
    const own = this.#devices.filter((device) => device.target === target);
    const levels = [...new Set(own.map(({ level }) => level))].sort((a, b) => a - b);
    return levels.map((level) => own.filter((device) => device.level === level));
  }

  #begin(target: string, phase: Shot['phase'], why: string, order?: Shot['order']): Shot {
    const at = { level: 0, device: 0, attempts: 0 };
    const policies = this.#shots.get(target)?.policies ?? new Set();
    const levels = this.#levels(target);
    const shot: Shot = { target, phase, policies, levels, at, why, ...(order && { order }) };
    this.#shots.set(target, shot);
    return shot;
  }

  #fence({ target, why, onFailure }: Extract<FencingEvent, { type: 'fence' }>, now: Instant): void {
    const known = this.#shots.get(target);
    known?.policies.add(onFailure);
    if (known !== undefined && (known.phase !== 'given up' || onFailure !== 'wait')) return;
    const [first] = this.#levels(target);
    if (first === undefined) return;
    this.#log('crit', `fencing ${target}: ${why}`);
    const delay = Math.max(...first.map((device) => device.delay)) as Duration;
    const shot = this.#begin(target, 'waiting', why);
    shot.policies.add(onFailure);
    shot.next = after(now, delay);
  }

  /** At once, and in place of whatever goes on. */
  #order(target: string, order: 'off' | 'on', now: Instant): void {
    if (this.#levels(target).length === 0) return;
    this.#log('crit', `the operator switches ${target} ${order}`);
    this.#shoot(this.#begin(target, 'waiting', 'the operator wants it', order), now);
  }

  /** Nobody is switched off here: where its devices say that it is off, that is as good as having seen it. */
  #recall(target: string, now: Instant): void {
    const [first] = this.#levels(target);
    if (this.#shots.has(target) || first?.every(({ verify }) => verify) !== true) return;
    this.#watch(this.#begin(target, 'off', 'it was switched off before the start'), now);
  }

  /** As good as a status that says off, again and again. */
  #confirm(target: string, now: Instant): void {
    this.#taken.delete(target);
    this.#begin(target, 'confirmed', '').next = after(now, LOOK_PAUSE);
    this.#effects.push({ type: 'off', target, at: now });
  }

  #run(shot: Shot, action: AgentAction, now: Instant): void {
    const device = deviceOf(shot);
    const id = ++this.#lastId;
    shot.run = { id, began: now };
    this.#effects.push({ type: 'run', id, device, action });
  }

  #shoot(shot: Shot, now: Instant): void {
    shot.phase = 'shooting';
    shot.at.attempts += 1;
    this.#run(shot, actionOf(shot), now);
  }

  /** Each device of the level is asked: a machine with two power supplies is off when both are. */
  #watch(shot: Shot, now: Instant): void {
    shot.at.device = levelOf(shot).findIndex(({ verify }) => verify);
    shot.round = now;
    this.#run(shot, 'status', now);
  }

  #ended(id: number, end: AgentEnd, now: Instant): void {
    const shot = [...this.#shots.values()].find(({ run }) => run?.id === id);
    if (shot?.run === undefined) return;
    const { began } = shot.run;
    shot.run = undefined;
    if (shot.phase === 'shooting') this.#shotEnded(shot, began, end, now);
    else if (shot.phase === 'verifying') this.#verified(shot, began, end, now);
    else this.#watched(shot, end, now);
  }

  #shotEnded(shot: Shot, began: Instant, { status, said }: AgentEnd, now: Instant): void {
    if (status !== 0) {
      this.#missed(shot, said || `status ${status}`, now);
    } else if (actionOf(shot) === 'reboot' || !deviceOf(shot).verify) {
      // It was off at some time since, and may run again by now.
      this.#next(shot, began, now);
    } else {
      shot.phase = 'verifying';
      this.#run(shot, 'status', now);
    }
  }

  #verified(shot: Shot, began: Instant, { status, said }: AgentEnd, now: Instant): void {
    const wanted = shot.order === 'on' ? 'on' : 'off';
    if (status === STATUS[wanted]) this.#next(shot, began, now);
    else this.#missed(shot, `it says that it is ${wanted}, and is not: ${said || `status ${status}`}`, now);
  }

  #watched(shot: Shot, { status, said }: AgentEnd, now: Instant): void {
    const { target, at, round } = shot;
    if (status !== STATUS.off) {
      this.#log('notice', `${target} is no longer off: ${said || `status ${status}`}`);
      this.#shots.delete(target);
      return;
    }
    const following = levelOf(shot).findIndex(({ verify }, i) => verify && i > at.device);
    if (following >= 0) {
      at.device = following;
      this.#run(shot, 'status', now);
      return;
    }
    // What the first one said may be over by now, but was so then.
    if (round !== undefined) this.#effects.push({ type: 'off', target, at: round });
    shot.next = after(now, LOOK_PAUSE);
  }

  /** A device has done its part: the others of its level follow. */
  #next(shot: Shot, off: Instant, now: Instant): void {
    const { target, at } = shot;
    const level = levelOf(shot);
    if (at.device + 1 < level.length) {
      at.device += 1;
      at.attempts = 0;
      this.#shoot(shot, now);
      return;
    }
    const by = level.map(({ name }) => name);
    const what = shot.order === 'on' ? 'on' : 'off';
    this.#log('crit', `${target} is ${what}: ${by.join(', ')}`);
    if (what === 'on') {
      this.#settle(shot, 'on', now);
      return;
    }
    this.#taken.delete(target);
    this.#effects.push({ type: 'off', target, at: off });
    this.#effects.push({ type: 'outcome', target, what, by, why: shot.why });
    const seen = level.filter(({ verify }) => verify);
    if (seen.length > 0 && seen.every((device) => actionOf(shot, device) === 'off')) {
      shot.phase = 'off';
      shot.next = after(now, LOOK_PAUSE);
    } else if (level.some((device) => actionOf(shot, device) === 'reboot')) {
      shot.phase = 'rebooted';
      shot.next = after(now, BOOT_PAUSE);
    } else this.#shots.delete(target);
  }

  /** Once more, or the next level, or given up for a while. */
  #missed(shot: Shot, why: string, now: Instant): void {
    const device = deviceOf(shot);
    const { target, at, levels } = shot;
    const what = shot.order === 'on' ? 'on' : 'off';
    this.#log('error', `fence device ${device.name} did not switch ${target} ${what}: ${why}`);
    if (at.attempts > device.retries) {
      at.level += 1;
      at.device = 0;
      at.attempts = 0;
    }
    if (at.level < levels.length) {
      this.#shoot(shot, now);
      return;
    }
    const lost = `no fence device switched ${target} ${what}; the last one, ${device.name}: ${why}`;
    this.#log('crit', lost);
    this.#settle(shot, 'failed', now);
    // It may be alive and well: nobody goes on as if it were off.
    if (shot.order !== undefined) return;
    this.#effects.push({ type: 'outcome', target, what: 'failed', by: [device.name], why: lost });
    this.#failed(shot, now);
  }

  /** Each of those that it keeps out has said what is to be done then. */
  #failed(shot: Shot, now: Instant): void {
    const { target, policies } = shot;
    if (policies.has('take') && !this.#taken.has(target)) {
      const what = `going on as if ${target} were off; both may have the addresses`;
      this.#log('crit', `on_fence_failure take: ${what}`);
      this.#takeAllTheSame(target, now);
    }
    if (policies.has('wait')) return;
    shot.phase = 'given up';
    shot.next = undefined;
    if (policies.has('manual'))
      this.#log('crit', `on_fence_failure manual: waiting for vipkeeper fence confirm ${target}`);
  }

  #takeAllTheSame(target: string, now: Instant): void {
    this.#taken.set(target, after(now, LOOK_PAUSE));
    this.#effects.push({ type: 'unfenced', target, at: now });
  }

  /** It is over, and shown for a while. */
  #settle(shot: Shot, phase: 'on' | 'failed', now: Instant): void {
    shot.phase = phase;
    shot.next = after(now, FAILED_PAUSE);
  }

  #log(level: 'crit' | 'error' | 'warning' | 'notice', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }
}

const CONFIRMED = { type: 'outcome', what: 'confirmed', by: [], why: 'the operator answers for it' } as const;

const levelOf = ({ levels, at }: Shot): readonly DeviceSettings[] => levels[at.level] ?? [];

function deviceOf(shot: Shot): DeviceSettings {
  const device = levelOf(shot)[shot.at.device];
  assert(device !== undefined, `a shot at ${shot.target} has a device`);
  return device;
}

const actionOf = (shot: Shot, device = deviceOf(shot)): AgentAction => shot.order ?? device.action;
