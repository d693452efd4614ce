import type { Ensemble } from '../../../src/core/director/ensemble.ts';
import type { AgentAction, AgentEnd, DeviceSettings } from '../../../src/core/fence/agent.ts';
import type { ClaimsEffect, ClaimsEvent } from '../../../src/core/fence/claims.ts';
import type { Fencing, FencingEffect, FencingEvent } from '../../../src/core/fence/device.ts';
import type { EtcdEffect, EtcdEvent, EtcdVoter, Stored } from '../../../src/core/fence/etcd.ts';
import { type Day, devicesOf, thirdOf } from './day.ts';
import type { Host } from './host.ts';
import { Process } from './process.ts';
import type { Swapped } from './third.ts';

/** What a director's supervisor is connected with. */
export interface SupervisorTies {
  readonly makeFencing: () => Fencing;
  readonly makeEtcdVoter: (...how: ConstructorParameters<typeof EtcdVoter>) => EtcdVoter;
  /** For the VRRP process. */
  tell(event: ClaimsEvent): void;
  agent(device: DeviceSettings, action: AgentAction, ended: (end: AgentEnd) => void): void;
  /** What etcd has; `undefined` where it does not answer. */
  list(answered: (records: ReadonlyMap<string, Stored> | undefined) => void): void;
  swap(claim: string, over: string, text: string, answered: (swapped: Swapped | undefined) => void): void;
  say(message: string): void;
}

/** A director's supervisor: what `app/supervisor/fencer.ts` and `etcdvote.ts` wire. */
export class Supervisor extends Process {
  readonly #day: Day;
  readonly #ties: SupervisorTies;
  #fence: (event: FencingEvent) => void = () => {};
  #etcd: (event: EtcdEvent) => void = () => {};
  /** Who was off when it was heard of last: on disk. */
  readonly #off = new Set<string>();
  #life = 0;

  constructor(host: Host, day: Day, ties: SupervisorTies) {
    super(host);
    this.#day = day;
    this.#ties = ties;
  }

  protected begin(ensemble: Ensemble): void {
    const { host } = this;
    const { longest, margin, interval } = this.#day;
    this.#life += 1;
    const fencing = this.#ties.makeFencing();
    this.#fence = ensemble.join(fencing, (effects) => {
      for (const effect of effects) this.#perform(effect);
    }).handle;
    this.#fence({ type: 'configure', devices: devicesOf(this.#day, host.name) });
    for (const target of this.#off) this.#fence({ type: 'recall', target });
    if (thirdOf(this.#day) !== 'etcd') return;
    const voter = this.#ties.makeEtcdVoter({ director: host.name, longest, margin, interval }, this.now);
    this.#etcd = ensemble.join(voter, (effects) => {
      for (const effect of effects) this.#performEtcd(effect);
    }).handle;
  }

  hear(): void {
    // The kernel's news are for the VRRP process.
  }

  /** From the VRRP process. */
  fence({ director: target, why, onFailure = 'wait' }: Extract<ClaimsEffect, { type: 'fence' }>): void {
    this.post(() => {
      if (why === undefined) this.#off.delete(target);
      this.#fence(why === undefined ? { type: 'heard', target } : { type: 'fence', target, why, onFailure });
    });
  }

  etcd(word: EtcdEvent): void {
    this.post(() => this.#etcd(word));
  }

  /** Answers to an earlier life are heard by nobody. */
  #later<T>(act: (answer: T) => void): (answer: T) => void {
    const life = this.#life;
    return (answer) => {
      if (life === this.#life) this.post(() => act(answer));
    };
  }

  #perform(effect: FencingEffect): void {
    switch (effect.type) {
      case 'run': {
        const { id, device, action } = effect;
        const ended = this.#later((end: AgentEnd) => this.#fence({ type: 'ended', id, end }));
        this.#ties.agent(device, action, ended);
        break;
      }
      case 'off':
        this.#ties.tell({ type: 'fenced', director: effect.target, at: effect.at });
        break;
      case 'unfenced':
        this.#ties.tell({ type: 'unfenced', director: effect.target, at: effect.at });
        break;
      case 'outcome':
        if (effect.what === 'off') this.#off.add(effect.target);
        break;
      case 'log':
        this.#ties.say(effect.message);
        break;
    }
  }

  #performEtcd(effect: EtcdEffect): void {
    switch (effect.type) {
      case 'list':
        this.#ties.list(
          this.#later((records: ReadonlyMap<string, Stored> | undefined) => {
            this.#etcd({ type: 'listed', ...(records && { records }) });
            if (records !== undefined) this.#ties.tell({ type: 'etcd' });
          }),
        );
        break;
      case 'write': {
        const { id, claim, over, text } = effect;
        const swapped = this.#later((swap: Swapped | undefined) => {
          if (swap === undefined) this.#etcd({ type: 'failed', id });
          else if ('revision' in swap) this.#etcd({ type: 'written', id, revision: swap.revision });
          else this.#etcd({ type: 'overtaken', id, record: swap.found });
        });
        this.#ties.swap(claim, over, text, swapped);
        break;
      }
      case 'answer': {
        const { claim, number, answer } = effect;
        this.#ties.tell({ type: 'etcd', answer: { type: 'answer', claim, number, answer } });
        break;
      }
    }
  }
}
