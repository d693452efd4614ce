import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, type Duration, earliest, type Instant, seconds } from '../time.ts';

/**
 * Shutting a director out: its fence devices switch it off. Agents are programs with the contract of the fence agents
 * (ClusterLabs, FenceAgentAPI.md): parameters as lines on standard input; 0 is success; `status` gives 0 for on, 2 for
 * off.
 */
export interface DeviceSettings {
  readonly name: string;
  /** The agent's program. */
  readonly agent: string;
  /** The director that it switches off. */
  readonly target: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Devices of one level all have to succeed, as for two power supplies; the next level is tried when one fails. */
  readonly level: number;
  readonly action: 'off' | 'reboot';
  readonly timeout: Duration;
  /** Further attempts after the first. */
  readonly retries: number;
  /** Before the first attempt: a pair whose devices wait differently does not shoot each other. */
  readonly delay: Duration;
  /** Between two looks whether the device works, in peacetime; 0: never. */
  readonly monitor: Duration;
}

export type AgentAction = DeviceSettings['action'] | 'status' | 'monitor';

/** How an agent's run ended: `status` is null where it was ended by a signal, ran too long or did not start. */
export interface AgentEnd {
  readonly status: number | null;
  /** What it said, or why it has no status. */
  readonly said: string;
}

export type FencingEvent =
  | { readonly type: 'configure'; readonly devices: readonly DeviceSettings[] }
  /** A director is silent, and in the way. Said again and again while that is so. */
  | { readonly type: 'fence'; readonly target: string; readonly why: string }
  /** It is heard, or not in the way any more. */
  | { readonly type: 'heard'; readonly target: string }
  /** The operator says that it is off and stays so until it is heard, and answers for it. */
  | { readonly type: 'confirm'; readonly target: string }
  /** The operator wants to know whether the devices work. */
  | { readonly type: 'test' }
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
  | { readonly type: 'failed'; readonly target: string; readonly why: string }
  | {
      readonly type: 'log';
      readonly level: 'crit' | 'error' | 'warning' | 'notice';
      readonly message: string;
    };

/** A device as people want to see it. */
export interface DeviceStatus {
  readonly name: string;
  readonly target: string;
  /** `undefined`: it was not looked at yet. */
  readonly works: boolean | undefined;
  readonly since: Instant | undefined;
  readonly said: string;
}

/** While a director has to stay off, its devices are asked so often whether it is. */
const LOOK_PAUSE: Duration = seconds(1);
/** After all levels failed. */
const FAILED_PAUSE: Duration = seconds(10);
const STATUS_OFF = 2;

interface Shot {
  readonly target: string;
  phase: 'waiting' | 'shooting' | 'verifying' | 'off' | 'failed' | 'confirmed';
  readonly level: { at: number; device: number; attempts: number };
  /** The agent's run under way, and when it began. */
  run?: { readonly id: number; readonly began: Instant } | undefined;
  /** When it goes on. */
  next?: Instant | undefined;
  why: string;
}

export class Fencing implements Machine<FencingEvent, FencingEffect> {
  #devices: readonly DeviceSettings[] = [];
  readonly #shots = new Map<string, Shot>();
  readonly #health = new Map<string, DeviceStatus>();
  readonly #looks = new Map<number, DeviceSettings>();
  readonly #nextLook = new Map<string, Instant>();
  #lastId = 0;
  #effects: FencingEffect[] = [];

  handle(event: FencingEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event.devices, now);
        break;
      case 'fence':
        this.#fence(event.target, event.why, now);
        break;
      case 'heard':
        this.#shots.delete(event.target);
        break;
      case 'confirm':
        this.#log('crit', `the operator confirms that ${event.target} is off`);
        this.#confirm(event.target, now);
        break;
      case 'test':
        for (const device of this.#devices) this.#look(device, now);
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
    for (const at of this.#nextLook.values()) next = earliest(next, at);
    return next;
  }

  timeout(now: Instant): void {
    for (const shot of this.#shots.values()) {
      if (shot.next === undefined || shot.next > now) continue;
      shot.next = undefined;
      if (shot.phase === 'confirmed') this.#confirm(shot.target, now);
      else if (shot.phase === 'failed') this.#shots.delete(shot.target);
      else this.#run(shot, shot.phase === 'off' ? 'status' : this.#deviceOf(shot)?.action, now);
    }
    for (const device of this.#devices) {
      const due = this.#nextLook.get(device.name);
      if (due !== undefined && due <= now) this.#look(device, now);
    }
  }

  take(): FencingEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  status(): {
    readonly devices: DeviceStatus[];
    readonly shots: { readonly target: string; readonly phase: string }[];
  } {
    return {
      devices: this.#devices.map((device) => this.#health.get(device.name) ?? unseen(device)),
      shots: Array.from(this.#shots.values(), ({ target, phase }) => ({ target, phase })),
    };
  }

  // Peacetime.

  #configure(devices: readonly DeviceSettings[], now: Instant): void {
    this.#devices = devices;
    const names = new Set(devices.map(({ name }) => name));
    for (const map of [this.#health, this.#nextLook])
      for (const name of map.keys()) if (!names.has(name)) map.delete(name);
    for (const { name, monitor } of devices) {
      if (monitor === 0) this.#nextLook.delete(name);
      else if (!this.#nextLook.has(name)) this.#nextLook.set(name, now);
    }
    for (const { target, phase } of this.#shots.values())
      if (phase !== 'confirmed' && this.#levels(target).length === 0) this.#shots.delete(target);
  }

  #look(device: DeviceSettings, now: Instant): void {
    if (device.monitor > 0) this.#nextLook.set(device.name, after(now, device.monitor));
    if ([...this.#looks.values()].some(({ name }) => name === device.name)) return;
    this.#looks.set(this.#start(device, 'monitor'), device);
  }

  #looked({ name, target }: DeviceSettings, { status, said }: AgentEnd, now: Instant): void {
    const works = status === 0;
    const before = this.#health.get(name)?.works;
    if (works !== before) {
      if (!works) this.#log('error', `fence device ${name} does not work: ${said || `status ${status}`}`);
      else if (before === false) this.#log('notice', `fence device ${name} works again`);
    }
    this.#health.set(name, { name, target, works, since: now, said });
  }

  // Shooting.

  /** The target's devices, level by level. */
  #levels(target: string): DeviceSettings[][] {
    const own = this.#devices.filter((device) => device.target === target);
    const levels = [...new Set(own.map(({ level }) => level))].sort((a, b) => a - b);
    return levels.map((level) => own.filter((device) => device.level === level));
  }

  #deviceOf({ target, level }: Shot): DeviceSettings | undefined {
    return this.#levels(target)[level.at]?.[level.device];
  }

  #fence(target: string, why: string, now: Instant): void {
    if (this.#shots.has(target)) return;
    const [first] = this.#levels(target);
    if (first === undefined) return;
    const delay = Math.max(...first.map((device) => device.delay)) as Duration;
    this.#log('crit', `fencing ${target}: ${why}`);
    const shot: Shot = { target, phase: 'waiting', level: { at: 0, device: 0, attempts: 0 }, why };
    this.#shots.set(target, shot);
    shot.next = after(now, delay);
  }

  /** As good as a status that says off, again and again. */
  #confirm(target: string, now: Instant): void {
    const level = { at: 0, device: 0, attempts: 0 };
    this.#shots.set(target, { target, phase: 'confirmed', level, why: '', next: after(now, LOOK_PAUSE) });
    this.#effects.push({ type: 'off', target, at: now });
  }

  #start(device: DeviceSettings, action: AgentAction): number {
    const id = ++this.#lastId;
    this.#effects.push({ type: 'run', id, device, action });
    return id;
  }

  #run(shot: Shot, action: AgentAction | undefined, now: Instant): void {
    const device = this.#deviceOf(shot);
    if (device === undefined || action === undefined) return;
    if (action !== 'status') {
      shot.phase = 'shooting';
      shot.level.attempts += 1;
    }
    shot.run = { id: this.#start(device, action), began: now };
  }

  #ended(id: number, end: AgentEnd, now: Instant): void {
    const looked = this.#looks.get(id);
    if (looked !== undefined) {
      this.#looks.delete(id);
      this.#looked(looked, end, now);
      return;
    }
    const shot = [...this.#shots.values()].find(({ run }) => run?.id === id);
    const device = shot && this.#deviceOf(shot);
    if (shot?.run === undefined || device === undefined) return;
    const { began } = shot.run;
    shot.run = undefined;
    if (shot.phase === 'shooting') this.#shotEnded(shot, device, began, end, now);
    else this.#statusSeen(shot, device, began, end, now);
  }

  #shotEnded(
    shot: Shot,
    device: DeviceSettings,
    began: Instant,
    { status, said }: AgentEnd,
    now: Instant,
  ): void {
    if (status !== 0) {
      this.#missed(shot, device, said || `status ${status}`, now);
    } else if (device.action === 'off') {
      shot.phase = 'verifying';
      this.#run(shot, 'status', now);
    } else {
      // It was off at some time since, and may run again by now.
      this.#next(shot, began, now);
    }
  }

  #statusSeen(
    shot: Shot,
    device: DeviceSettings,
    began: Instant,
    { status, said }: AgentEnd,
    now: Instant,
  ): void {
    if (shot.phase === 'verifying') {
      if (status === STATUS_OFF) this.#next(shot, began, now);
      else
        this.#missed(shot, device, `it says that it is off, and is not: ${said || `status ${status}`}`, now);
      return;
    }
    if (status === STATUS_OFF) {
      this.#effects.push({ type: 'off', target: shot.target, at: began });
      shot.next = after(now, LOOK_PAUSE);
      return;
    }
    this.#log('notice', `${shot.target} is no longer off: ${said || `status ${status}`}`);
    this.#shots.delete(shot.target);
  }

  /** A device has done its part: the others of its level follow. */
  #next(shot: Shot, off: Instant, now: Instant): void {
    const level = this.#levels(shot.target)[shot.level.at] ?? [];
    if (shot.level.device + 1 < level.length) {
      shot.level.device += 1;
      shot.level.attempts = 0;
      this.#run(shot, this.#deviceOf(shot)?.action, now);
      return;
    }
    this.#log('crit', `${shot.target} is off: ${level.map(({ name }) => name).join(', ')}`);
    this.#effects.push({ type: 'off', target: shot.target, at: off });
    const stays = level.every(({ action }) => action === 'off');
    if (stays) {
      shot.phase = 'off';
      shot.next = after(now, LOOK_PAUSE);
    } else this.#shots.delete(shot.target);
  }

  /** Once more, or the next level, or given up for a while. */
  #missed(shot: Shot, device: DeviceSettings, why: string, now: Instant): void {
    this.#log('error', `fence device ${device.name} did not switch ${shot.target} off: ${why}`);
    const { level } = shot;
    if (level.attempts <= device.retries) {
      this.#run(shot, device.action, now);
      return;
    }
    level.at += 1;
    level.device = 0;
    level.attempts = 0;
    const other = this.#deviceOf(shot);
    if (other !== undefined) {
      this.#run(shot, other.action, now);
      return;
    }
    shot.phase = 'failed';
    shot.next = after(now, FAILED_PAUSE);
    const what = `no fence device switched ${shot.target} off; the last one, ${device.name}: ${why}`;
    this.#log('crit', what);
    this.#effects.push({ type: 'failed', target: shot.target, why: what });
  }

  #log(level: 'crit' | 'error' | 'warning' | 'notice', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }
}

const unseen = ({ name, target }: DeviceSettings): DeviceStatus => ({
  name,
  target,
  works: undefined,
  since: undefined,
  said: '',
});
