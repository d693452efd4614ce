import type { Configuration } from '../../core/config/model.ts';
import type { AlarmHappening } from '../../core/notify/happening.ts';
import type { Driver } from '../../io/drive.ts';
import type { KeptFiles } from '../../io/kept.ts';
import type { Level, ToVrrp } from '../messages.ts';
import { EtcdVote } from './etcdvote.ts';
import { FenceMemory } from './fencememory.ts';
import { Fencer } from './fencer.ts';

/** What the supervisor does for the authority over addresses: fence agents, and the vote of etcd. */
export class Arbiter {
  readonly fencer: Fencer;
  readonly etcd: EtcdVote;

  /** What was done before is remembered in `folder`. */
  constructor(
    driver: Driver,
    folder: string,
    files: KeptFiles,
    children: { send(role: 'vrrp', message: ToVrrp): void },
    happened: (happening: AlarmHappening) => void,
    log: (level: Level, message: string) => void,
  ) {
    const tell = (message: ToVrrp): void => children.send('vrrp', message);
    const memory = new FenceMemory(folder, files, (message) => log('warning', message));
    this.fencer = new Fencer(driver, memory, tell, happened, log);
    this.etcd = new EtcdVote(driver, tell, log);
  }

  /** `elects`: there is a VRRP process to work for. */
  configure({ fencing, cluster }: Pick<Configuration, 'fencing' | 'cluster'>, elects: boolean): void {
    this.fencer.configure(fencing);
    this.etcd.configure(elects ? cluster : undefined);
  }
}
