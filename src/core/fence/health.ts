import { unreachable } from '../assert.ts';
import type { Machine } from '../machine.ts';
import { after, earliest, type Instant } from '../time.ts';
import type { AgentEnd, DeviceSettings } from './agent.ts';

/** Whether fence devices work, looked at in peacetime: a dead one is known before it is needed. */

export type HealthEvent =
  | { readonly type: 'configure'; readonly devices: readonly DeviceSettings[] }
  /** The operator wants to know it now. */
  | { readonly type: 'test' }
  | { readonly type: 'ended'; readonly id: number; readonly end: AgentEnd };

export type HealthEffect =
  | { readonly type: 'run'; readonly id: number; readonly device: DeviceSettings; readonly action: 'monitor' }
  /** It ceased to work, or works again. */
  | {
      readonly type: 'turned';
      readonly device: DeviceSettings;
      readonly works: boolean;
      readonly said: string;
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

export class DeviceHealth implements Machine<HealthEvent, HealthEffect> {
  #devices: readonly DeviceSettings[] = [];
  readonly #seen = new Map<string, DeviceStatus>();
  /** Looks under way. */
  readonly #looks = new Map<number, DeviceSettings>();
  readonly #next = new Map<string, Instant>();
  #lastId = 0;
  #effects: HealthEffect[] = [];

  handle(event: HealthEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event.devices, now);
        break;
      case 'test':
        for (const device of this.#devices) this.#look(device, now);
        break;
      case 'ended': {
        const device = this.#looks.get(event.id);
        this.#looks.delete(event.id);
        if (device !== undefined) this.#looked(device, event.end, now);
        break;
      }
      default:
        unreachable(event);
    }
  }

  deadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const at of this.#next.values()) next = earliest(next, at);
    return next;
  }

  timeout(now: Instant): void {
    for (const device of this.#devices) {
      const due = this.#next.get(device.name);
      if (due !== undefined && due <= now) this.#look(device, now);
    }
  }

  take(): HealthEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  status(): DeviceStatus[] {
    return this.#devices.map(({ name, target }) => {
      const unseen = { name, target, works: undefined, since: undefined, said: '' };
      return this.#seen.get(name) ?? unseen;
    });
  }

  #configure(devices: readonly DeviceSettings[], now: Instant): void {
    const before = new Map(this.#devices.map((device) => [device.name, JSON.stringify(device)]));
    this.#devices = devices;
    const kept = new Set(
      devices.filter((device) => before.get(device.name) === JSON.stringify(device)).map(({ name }) => name),
    );
    // What was seen of a device with other settings says nothing of this one.
    for (const map of [this.#seen, this.#next])
      for (const name of map.keys()) if (!kept.has(name)) map.delete(name);
    for (const { name, monitor } of devices)
      if (monitor > 0 && !this.#next.has(name)) this.#next.set(name, now);
  }

  #look(device: DeviceSettings, now: Instant): void {
    if (device.monitor > 0) this.#next.set(device.name, after(now, device.monitor));
    if ([...this.#looks.values()].includes(device)) return;
    const id = ++this.#lastId;
    this.#looks.set(id, device);
    this.#effects.push({ type: 'run', id, device, action: 'monitor' });
  }

  #looked(device: DeviceSettings, { status, said }: AgentEnd, now: Instant): void {
    if (!this.#devices.includes(device)) return;
    const { name, target } = device;
    const works = status === 0;
    const before = this.#seen.get(name)?.works;
    const why = said || `status ${status}`;
    this.#seen.set(name, { name, target, works, since: now, said });
    if (works !== before && !(works && before === undefined))
      this.#effects.push({ type: 'turned', device, works, said: works ? said : why });
  }
}
