import { DAEMON_STATE, describeOperation } from '../../core/netlink/ipvs.ts';
import {
  leavesOpen,
  planSyncDaemons,
  type SyncRole,
  syncDaemonFacts,
} from '../../core/reconcile/syncdaemon.ts';
import { EXIT_PERMANENT, STATE_PERIOD } from '../../core/supervision/child.ts';
import type { SyncDaemonSettings } from '../../core/sync/settings.ts';
import { toMillis } from '../../core/time.ts';
import { Channel, pipeEnd } from '../../io/channel.ts';
import { spawnedNamespace } from '../../io/children.ts';
import { IpvsClient, NoIpvs } from '../../io/ipvs.ts';
import { inNamespace } from '../../io/namespace.ts';
import { explainOutcome, tellRequests } from '../../io/netlink.ts';
import { nameProcess } from '../../io/placement.ts';
import { RouteSocket } from '../../io/route.ts';
import { onBreaking } from '../broken.ts';
import type { FromChild, Level, SyncConfiguration, SyncState, ToSync } from '../messages.ts';
import { toChild } from '../shapes.ts';
import { Carriers } from './carriers.ts';
import { Exchange } from './exchange.ts';
import { PrivateLink } from './link.ts';
import { SyncRelay } from './relay.ts';

/** How often the kernel is asked whether its sync daemons still are what they should be. */
const RECONCILE_MS = 5_000;
const NAME = 'vipkeeper-sync';

/**
 * The process that runs the kernel's connection sync daemons. They are started here and not in the VRRP
 * process because the kernel waits for its threads, and an advert must not.
 */
export function runSync(): void {
  nameProcess(NAME);
  const channel: Channel<ToSync, FromChild<SyncState>> = new Channel(
    pipeEnd(process),
    toChild.sync,
    (message) => channel.send({ type: 'log', level: 'error', message, at: Date.now() }),
  );
  // The kernel's daemons go on, and the next process finds them.
  onBreaking({
    explain: ({ stack, message }) => {
      const text = `the sync process has a defect: ${stack ?? message}`;
      channel.send({ type: 'log', level: 'crit', message: text, at: Date.now() });
    },
  });
  try {
    new SyncProcess(channel, spawnedNamespace()).run();
  } catch (error) {
    if (!(error instanceof NoIpvs)) throw error;
    channel.send({ type: 'log', level: 'crit', message: error.message, at: Date.now() });
    process.exitCode = EXIT_PERMANENT;
    process.disconnect();
  }
}

class SyncProcess {
  readonly #channel: Channel<ToSync, FromChild<SyncState>>;
  readonly #ipvs: IpvsClient;
  readonly #exchange: Exchange;
  #settings: SyncDaemonSettings | undefined;
  #role: SyncRole | undefined;
  readonly #relay: SyncRelay;
  readonly #carriers: Carriers;
  /** What the relay is still to be told. */
  #unrelayed: SyncDaemonSettings | undefined;
  /** A private link may be there that these settings do not want. */
  #linkLeft = false;
  #complaint: string | undefined;
  /** The kernel's daemons have what the configuration says no longer. */
  #renew = false;
  readonly #links: RouteSocket;
  /** Of the interface that the kernel's daemons were started on. */
  #ifindex: number | undefined;

  /** Throws NoIpvs. */
  constructor(channel: Channel<ToSync, FromChild<SyncState>>, namespace: string | undefined) {
    this.#channel = channel;
    this.#ipvs = new IpvsClient(namespace);
    this.#exchange = new Exchange(this.#ipvs, namespace, {
      log: (level, message) => this.#log(level, message),
      notify: (happening) => this.#channel.send({ type: 'notify', happening }),
      carry: (datagrams) => this.#relay.carry(datagrams),
    });
    this.#carriers = new Carriers(
      namespace,
      (from) => channel.send({ type: 'carried', from, router: this.#settings?.instance }),
      (why) => this.#log('warning', why),
    );
    this.#links = inNamespace(namespace, () => new RouteSocket());
    const link = new PrivateLink(namespace);
    this.#relay = new SyncRelay(namespace, link, {
      log: (level, message) => this.#log(level, message),
      heard: (from) => this.#carriers.heard(from),
    });
  }

  run(): void {
    this.#channel.onMessage((message) => {
      if (message.type === 'pull') {
        this.#exchange.pull();
        this.#report();
        return;
      }
      if (message.type === 'listen') {
        if (this.#settings !== undefined) this.#carriers.listen(this.#settings, message.lasts);
        return;
      }
      if (message.type === 'role') this.#role = message.role;
      else {
        tellRequests(message.detail ? (line) => this.#log('debug', line) : undefined);
        this.#configure(message.configuration);
      }
      this.#reconcile();
    });
    this.#channel.onClose(() => this.#settings === undefined && process.exit(0));
    process.on('SIGTERM', () => this.#stop());
    setInterval(() => this.#reconcile(), RECONCILE_MS);
    setInterval(() => this.#report(), toMillis(STATE_PERIOD));
  }

  #configure({ daemon, cluster }: SyncConfiguration): void {
    this.#renew ||= leavesOpen(this.#settings, daemon);
    this.#settings = daemon;
    this.#carriers.close();
    this.#unrelayed = daemon;
    this.#linkLeft = daemon.relay === undefined;
    this.#exchange.configure(daemon, cluster);
    this.#ifindex = undefined;
    if (daemon.instance === undefined) this.#role = 'both';
    this.#channel.send({ type: 'ready' });
  }

  /**
   * Whether the interface was deleted and made anew: the sockets of the kernel's daemons, and ours, are in the group on
   * the one that is gone, and hear nothing.
   */
  #isMadeAnew({ interface: name, relay }: SyncDaemonSettings): boolean {
    if (relay !== undefined) return false;
    const ifindex = this.#links.links().find((link) => link.name === name)?.ifindex;
    if (ifindex === undefined) return false;
    const before = this.#ifindex;
    this.#ifindex = ifindex;
    return before !== undefined && before !== ifindex;
  }

  #reconcile(): void {
    const settings = this.#settings;
    if (settings === undefined) return;
    const [relinked, trouble] = this.#prepare(settings);
    const madeAnew = this.#isMadeAnew(settings);
    if (madeAnew) {
      this.#log('warning', `${settings.interface} was made anew: connection sync is started again on it`);
      this.#exchange.reopen();
    }
    const renewed = relinked || madeAnew || this.#renew;
    this.#renew = false;
    const running = this.#ipvs.daemons();
    const operations = renewed
      ? [...planSyncDaemons(settings, undefined, running), ...planSyncDaemons(settings, this.#role, [])]
      : planSyncDaemons(settings, this.#role, running);
    const outcomes = this.#ipvs.apply(operations);
    let complaint = trouble;
    operations.forEach((operation, i) => {
      const outcome = outcomes[i];
      if (outcome === undefined || outcome.errno === 0) this.#log('notice', describeOperation(operation));
      else complaint ??= `${describeOperation(operation)}: ${explainOutcome(outcome)}`;
    });
    // The same trouble every five seconds is one line.
    if (complaint !== undefined && complaint !== this.#complaint) this.#log('error', complaint);
    this.#complaint = complaint;
    if (this.#linkLeft) this.#relay.removeLink();
    this.#linkLeft = false;
    const begun = operations.some(
      (each) => each.op === 'start-daemon' && each.daemon.state === DAEMON_STATE.backup,
    );
    this.#exchange.know(operations.length > 0 ? this.#ipvs.daemons() : running, begun);
    if (operations.length > 0) this.#report();
  }

  /** Whether the private link was made anew, and what hinders the relay. */
  #prepare(settings: SyncDaemonSettings): readonly [renewed: boolean, trouble: string | undefined] {
    let trouble: string | undefined;
    let renewed = false;
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        trouble ??= `sync_relay: ${(error as Error).message}`;
      }
    };
    attempt(() => {
      if (this.#unrelayed !== undefined) this.#relay.configure(this.#unrelayed);
      this.#unrelayed = undefined;
    });
    if (settings.relay !== undefined) {
      attempt(() => {
        renewed = this.#relay.settle();
      });
    }
    return [renewed, trouble];
  }

  #stop(): void {
    this.#role = undefined;
    this.#reconcile();
    this.#relay.close();
    this.#relay.removeLink();
    process.exit(0);
  }

  #log(level: Level, message: string): void {
    this.#channel.send({ type: 'log', level, message, at: Date.now() });
  }

  #report(): void {
    const running = this.#ipvs.daemons().map(syncDaemonFacts);
    const { dropped, refused } = this.#channel;
    const relay = this.#relay.facts();
    const state = { role: this.#role, running, ...this.#exchange.facts(), ...(relay && { relay }) };
    this.#channel.send({ type: 'state', state, dropped, refused });
  }
}
