import type { Configuration } from '../../core/config/model.ts';
import type { Driver } from '../../io/drive.ts';
import type { Level, ToVrrp } from '../messages.ts';
import { EtcdVote } from './etcdvote.ts';
import type { FenceMemory } from './fencememory.ts';
import { Fencer } from './fencer.ts';

/** What the supervisor does for the authority over addresses: fence agents, and the vote of etcd. */
export class Arbiter {
  readonly fencer: Fencer;
  readonly etcd: EtcdVote;

  /** `tell` is for the VRRP process. */
  constructor(
    driver: Driver,
    memory: FenceMemory,
    tell: (message: ToVrrp) => void,
    log: (level: Level, message: string) => void,
  ) {
    this.fencer = new Fencer(driver, memory, tell, log);
    this.etcd = new EtcdVote(driver, tell, log);
  }

  /** `elects`: there is a VRRP process to work for. */
  configure({ fencing, cluster }: Pick<Configuration, 'fencing' | 'cluster'>, elects: boolean): void {
    this.fencer.configure(fencing);
    this.etcd.configure(elects ? cluster : undefined);
  }
}
