import type { ServiceKey, TableEntry } from '../../../src/core/balance/model.ts';
import { endpointName, serviceName } from '../../../src/core/balance/model.ts';
import { judgeFailure } from '../../../src/core/check/failure.ts';
import type { CheckResult } from '../../../src/core/check/verdict.ts';
import { ip } from '../../../src/core/ip.ts';
import type { Machine } from '../../../src/core/machine.ts';
import type { CheckHappening, Happening } from '../../../src/core/notify/happening.ts';
import { plainText, plainValue } from '../../../src/core/record/plain.ts';
import type { BalancerEffect, BalancerEvent, BalancerMemory } from '../../../src/core/serving/balancer.ts';
import { Balancer } from '../../../src/core/serving/balancer.ts';
import type { ServiceCount } from '../../../src/core/serving/connections.ts';
import type { RealServerSettings, VirtualServerSettings } from '../../../src/core/serving/settings.ts';
import type { Instant } from '../../../src/core/time.ts';
import { instant, micros, seconds } from '../../../src/core/time.ts';
import { ModelKernel, sorted } from '../balance/model-kernel.ts';

/** So many timeouts of one instant are no progress. */
const STUCK_MAX = 100;

export const realServer = (last: number, more: Partial<RealServerSettings> = {}): RealServerSettings => ({
  destination: { address: ip(`10.0.1.${last}`), port: 80, method: 'nat', weight: 1, upper: 0, lower: 0 },
  inhibit: false,
  checks: [
    {
      kind: 'tcp',
      address: ip(`10.0.1.${last}`),
      port: 80,
      timeout: seconds(5),
      period: seconds(6),
      warmup: seconds(6),
      retries: 1,
      retryDelay: seconds(1),
      alpha: false,
    },
  ],
  ...more,
});

export const virtualServer = (
  realServers: readonly RealServerSettings[],
  more: Partial<VirtualServerSettings> = {},
): VirtualServerSettings => ({
  services: [
    {
      key: { kind: 'address', protocol: 'tcp', address: ip('10.0.0.1'), port: 80 },
      scheduler: 'wlc',
      flags: 0,
      persistence: 0,
      granularity: 32,
    },
  ],
  realServers,
  quorum: 1,
  hysteresis: 0,
  ...more,
});

/** In words: `server [10.0.1.1]:tcp:80 DOWN`. */
function tell(happening: Happening): string {
  const { of, name, what } = happening;
  const text = 'text' in happening ? ` ${happening.text}` : '';
  return `${of} ${name} ${what}${text}${'stopping' in happening ? ' stopping' : ''}`;
}

/** A balancer with a model kernel, and real servers that answer or refuse. */
export class World {
  balancer = new Balancer();
  readonly kernel: ModelKernel;
  readonly dead = new Set<string>();
  /** Active connections, by the address of the real server. */
  readonly connections = new Map<string, number>();
  readonly log: string[] = [];
  readonly others: string[] = [];
  /** What scripts would hear of. */
  readonly told: string[] = [];
  /** What single checkers had to say. */
  readonly alerts: CheckHappening[] = [];
  /** What a successor would inherit. */
  owned: string[] = [];
  now: Instant = instant(0);
  /** What has the balancer within it, and is told in its place. */
  via: Machine<BalancerEvent, BalancerEffect> | undefined;
  /** After each event all but the balancer's memory is lost. */
  forgets = false;

  constructor(actual: readonly TableEntry[] = []) {
    this.kernel = new ModelKernel(actual);
  }

  get #machine(): Machine<BalancerEvent, BalancerEffect> {
    return this.via ?? this.balancer;
  }

  event(event: BalancerEvent): void {
    this.#machine.handle(event, this.now);
    this.settle();
  }

  configure(...virtualServers: VirtualServerSettings[]): void {
    this.event({ type: 'configure', virtualServers, flush: false });
  }

  pass(s: number): void {
    const end = this.now + s * 1e6;
    let stuck = 0;
    for (let at = this.#machine.deadline(); at !== undefined && at <= end; at = this.#machine.deadline()) {
      stuck = at > this.now ? 0 : stuck + 1;
      if (stuck > STUCK_MAX)
        throw new Error(`the deadline at ${at / 1e6} s was reached, and it is still there`);
      this.now = instant(Math.max(at, this.now));
      this.#machine.timeout(this.now);
      this.settle();
    }
    this.now = instant(end);
  }

  settle(): void {
    for (let effects = this.#machine.take(); effects.length > 0; effects = this.#machine.take()) {
      for (const effect of effects) {
        const answer = this.perform(effect);
        if (answer !== undefined) this.#machine.handle(answer, this.now);
      }
    }
    if (this.forgets) this.#beginAnew();
  }

  /** Another balancer takes up what this one remembers, by way of its text. */
  #beginAnew(): void {
    const memory = plainValue(plainText(this.balancer.memory())) as BalancerMemory;
    this.balancer = new Balancer();
    this.balancer.recall(memory);
  }

  perform(effect: BalancerEffect): BalancerEvent | undefined {
    switch (effect.type) {
      case 'probe':
        return { type: 'outcome', id: effect.id, result: this.answer(effect.id) };
      case 'read': {
        const present = this.kernel.table();
        const destinations = present.map(({ service: { key }, destinations: list }) => ({ key, list }));
        return { type: 'table', reading: { services: present.map(({ service }) => service), destinations } };
      }
      case 'count':
        return { type: 'counted', counts: effect.services.map((key) => this.count(key)) };
      case 'apply':
        for (const operation of effect.operations) this.kernel.apply(operation);
        return { type: 'applied', failures: [] };
      case 'log':
        this.log.push(`${effect.level} ${effect.message}`);
        return undefined;
      case 'happening':
        if (effect.happening.of === 'check') this.alerts.push(effect.happening);
        else this.told.push(tell(effect.happening));
        return undefined;
      case 'own':
        this.owned = effect.keys.map(serviceName);
        return undefined;
      case 'changed':
        return undefined;
      default:
        this.others.push(effect.type);
        return undefined;
    }
  }

  /** The connections that the kernel has to the servers of a service. */
  count(key: ServiceKey): ServiceCount {
    const found = this.kernel.table().find(({ service }) => serviceName(service.key) === serviceName(key));
    const destinations = (found?.destinations ?? []).map(({ address, port }) => {
      return { address, port, active: this.connections.get(address) ?? 0, inactive: 0 };
    });
    return { key, destinations };
  }

  answer(id: string): CheckResult {
    const address = /of (\S+):\d+$/.exec(id)?.[1] ?? '';
    return this.dead.has(address)
      ? judgeFailure('ECONNREFUSED')
      : { verdict: 'good', reason: 'connected', latency: micros(300) };
  }

  /** The table as words: `10.0.1.1:80=1` of all services. */
  serving(): string {
    return sorted(this.kernel.table())
      .flatMap(({ destinations }) =>
        destinations.map((d) => `${endpointName(d.address, d.port)}=${d.weight}`),
      )
      .join(' ');
  }
}
