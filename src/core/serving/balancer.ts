import { unreachable } from '../assert.ts';
import type { KeeperEffect, OperationFailure } from '../balance/keeper.ts';
import { TableKeeper } from '../balance/keeper.ts';
import type { ServiceKey, TableEntry } from '../balance/model.ts';
import { endpointName, serviceName } from '../balance/model.ts';
import type { Order } from '../balance/orders.ts';
import type { Operation } from '../balance/plan.ts';
import { describeOperation } from '../balance/plan.ts';
import type { ServerStanding } from '../balance/pool.ts';
import { poolName } from '../balance/pool.ts';
import type { Reading } from '../balance/table.ts';
import type { BfdNews } from '../check/bfd.ts';
import type { CheckerEffect, ServerChecks, Target } from '../check/checker.ts';
import { Checker } from '../check/checker.ts';
import type { FileNews } from '../check/file.ts';
import type { ProbedCheck } from '../check/settings.ts';
import { type CheckResult, inWords } from '../check/verdict.ts';
import type { Ip } from '../ip.ts';
import { type Machine, memoriesOf, type Remembering, recallAll } from '../machine.ts';
import type { Happening } from '../notify/happening.ts';
import type { Instant } from '../time.ts';
import { after, earliest, seconds } from '../time.ts';
import { type Connections, connectionsTo, countsByName, type ServiceCount } from './connections.ts';
import { Pools, targetName } from './pools.ts';
import type { Served } from './served.ts';
import type { VirtualServerSettings } from './settings.ts';

/** Operations of a repair that one line of the log shows. */
const MAX_SHOWN = 3;
/** Services of others that `status` names: somebody may have thousands. */
const MAX_FOREIGN = 100;
/** How often the connections of servers that drain are counted. */
const COUNT_PERIOD = seconds(1);

export type BalancerEvent =
  | {
      readonly type: 'configure';
      readonly virtualServers: readonly VirtualServerSettings[];
      /** `lvs_flush`: whatever else is in the table is removed. */
      readonly flush: boolean;
      /** `rs_init_notifies`. */
      readonly initNotifies?: boolean;
      /** As in `orders`; those that there are when absent. */
      readonly orders?: readonly Order[];
    }
  /** Before the first `configure`: services that an earlier process made. */
  | { readonly type: 'inherit'; readonly keys: readonly ServiceKey[] }
  /** The addresses that this host has now, of those that `ha_suspend` asks for. */
  | { readonly type: 'held'; readonly addresses: readonly Ip[] }
  /** What became of a `probe`. */
  | { readonly type: 'outcome'; readonly id: string; readonly result: CheckResult }
  /** How BFD sessions and tracked files stand now. */
  | { readonly type: 'bfd'; readonly sessions: readonly BfdNews[] }
  | { readonly type: 'file'; readonly files: readonly FileNews[] }
  /** What operator and schedule want of real servers: all of it, from now on. */
  | { readonly type: 'orders'; readonly orders: readonly Order[] }
  /** The result of `count`: of the services that could be counted. */
  | { readonly type: 'counted'; readonly counts: readonly ServiceCount[] }
  | { readonly type: 'table'; readonly reading: Reading }
  | { readonly type: 'unreadable'; readonly reason: string }
  | { readonly type: 'applied'; readonly failures: readonly OperationFailure[] }
  /** End: with `release` what is ours leaves the table, with `flush` everything. Answered by `released`. */
  | { readonly type: 'stop'; readonly release: boolean; readonly flush: boolean };

export type BalancerEffect =
  | { readonly type: 'probe'; readonly id: string; readonly check: ProbedCheck; readonly part: number }
  | { readonly type: 'abort'; readonly id: string }
  | { readonly type: 'read'; readonly destinationsOf: readonly ServiceKey[] }
  /** Count the active connections of these services' destinations. */
  | { readonly type: 'count'; readonly services: readonly ServiceKey[] }
  | { readonly type: 'apply'; readonly operations: readonly Operation[] }
  | { readonly type: 'flush' }
  /** All services that are ours from now on: a successor is to `inherit` them. */
  | { readonly type: 'own'; readonly keys: readonly ServiceKey[] }
  /** What scripts, FIFOs and mails may be told of. */
  | { readonly type: 'happening'; readonly happening: Happening }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warning' | 'notice' | 'info';
      readonly message: string;
    }
  /** Something that `status` shows has changed. */
  | { readonly type: 'changed' }
  /** The table holds what it should, for the first time. */
  | { readonly type: 'ready' }
  | { readonly type: 'released' };

/** What `status` shows of the virtual servers. */
export interface BalancerStatus {
  readonly services: readonly ServiceStatus[];
  /** Whether the kernel's table has been brought in step since the start. */
  readonly settled: boolean;
  /** What the kernel refuses, in words. */
  readonly problems: readonly string[];
  /** Services that somebody else put into the kernel's table, the first of them, and how many there are. */
  readonly foreign: readonly { readonly name: string; readonly scheduler: string }[];
  readonly foreignCount: number;
  /** Whether it says what each check saw. */
  readonly detailed: boolean;
}

export interface ServiceStatus {
  readonly name: string;
  /** Its services in the kernel's table: `tcp 10.0.0.100:80`, `fwmark 7 inet`. */
  readonly endpoints: readonly string[];
  /** Whether the quorum holds, and whether the sorry server serves. */
  readonly quorum: boolean;
  readonly sorry: boolean;
  /** Whether the quorum holds by what the checks say: `min_up` keeps nothing. */
  readonly sound: boolean;
  readonly aliveWeight: number;
  /** `ha_suspend`, and this host has no address of it: its servers are not checked. */
  readonly suspended: boolean;
  readonly servers: readonly ServerStatus[];
}

/** A real server, and for who looks what its checks saw and how many are connected to it. */
export type ServerStatus = ServerStanding &
  Partial<Pick<ServerChecks, 'since' | 'checks'>> & { readonly connections?: Connections };

export type BalancerMemory = ReturnType<Balancer['memory']>;

/**
 * All of the check process's decisions: checks give the health of real servers, pools turn it into what the
 * IPVS table should hold, and the keeper keeps the kernel's table so.
 */
export class Balancer implements Machine<BalancerEvent, BalancerEffect>, Remembering<BalancerMemory> {
  readonly #checker: Checker;
  readonly #keeper = new TableKeeper();
  readonly #pools = new Pools();
  #held: ReadonlySet<Ip> = new Set();
  #countAt: Instant | undefined;
  #unable = false;
  #stopped = false;
  #effects: BalancerEffect[] = [];

  constructor(checker = new Checker()) {
    this.#checker = checker;
  }

  /** All services in the kernel's table that are counted for who looks. */
  keys(): ServiceKey[] {
    return this.#pools.all().flatMap(({ pool }) => pool.services.map(({ key }) => key));
  }

  /** With counts: also what each check saw, which of thousands of servers is megabytes. */
  status(counts?: readonly ServiceCount[]): BalancerStatus {
    const byService = countsByName(counts ?? []);
    // The pool knows why a server came or went; what its checks saw since is fresher.
    const lately = ({ pool, servers }: Served, server: ServerStanding): ServerStatus => {
      const name = targetName(pool.name, server.name);
      const cause = this.#checker.health(name)?.cause ?? server.cause;
      if (counts === undefined) return { ...server, cause };
      const { since, checks } = this.#checker.seen(name) ?? {};
      const { destination } = servers.get(server.name) ?? {};
      const connections = destination && connectionsTo(destination, pool, byService);
      return {
        ...{ ...server, cause, ...(connections && { connections }) },
        ...{ ...(since !== undefined && { since }), ...(checks && { checks }) },
      };
    };
    const services = this.#pools.all().map((served) => ({
      name: served.pool.name,
      endpoints: served.pool.services.map(({ key }) => serviceName(key)),
      quorum: served.pool.held,
      sorry: served.pool.sorry,
      sound: served.pool.sound,
      aliveWeight: served.pool.aliveWeight(),
      suspended: this.#isSuspended(served.settings),
      servers: served.pool.servers().map((server) => lately(served, server)),
    }));
    const foreign = this.#keeper.foreign();
    return {
      services,
      settled: this.#keeper.settled,
      problems: this.#keeper.problems(),
      foreign: foreign
        .slice(0, MAX_FOREIGN)
        .map(({ key, scheduler }) => ({ name: serviceName(key), scheduler })),
      foreignCount: foreign.length,
      detailed: counts !== undefined,
    };
  }

  /** Between two events, when all effects were taken. */
  memory() {
    const [held, countAt, unable, stopped] = [this.#held, this.#countAt, this.#unable, this.#stopped];
    const parts = { checker: this.#checker, keeper: this.#keeper, pools: this.#pools };
    return { held, countAt, unable, stopped, parts: memoriesOf(parts) };
  }

  recall({ held, countAt, unable, stopped, parts }: BalancerMemory): void {
    [this.#held, this.#countAt, this.#unable, this.#stopped] = [held, countAt, unable, stopped];
    recallAll({ checker: this.#checker, keeper: this.#keeper, pools: this.#pools }, parts);
  }

  handle(event: BalancerEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event, now);
        break;
      case 'held':
        this.#held = new Set(event.addresses);
        this.#applyHeld(now);
        break;
      case 'outcome':
      case 'bfd':
      case 'file':
        this.#checker.handle(event, now);
        break;
      case 'orders':
        if (!this.#stopped) {
          this.#pools.prepare(event.orders);
          this.#enter(this.#pools.order(now), now);
        }
        break;
      case 'counted':
        if (!this.#stopped) this.#enter(this.#pools.count(event.counts, now), now);
        break;
      case 'stop':
        this.#stop(event.release, event.flush, now);
        break;
      default:
        this.#keeper.handle(event, now);
    }
    this.#settle(now);
  }

  deadline(): Instant | undefined {
    if (this.#stopped) return this.#keeper.deadline();
    const pools = earliest(this.#pools.deadline(), this.#countAt);
    return earliest(pools, earliest(this.#checker.deadline(), this.#keeper.deadline()));
  }

  timeout(now: Instant): void {
    if (!this.#stopped) {
      this.#checker.timeout(now);
      const due = this.#pools.deadline();
      if (due !== undefined && due <= now) this.#enter(this.#pools.timeout(now), now);
      this.#count(now);
    }
    this.#keeper.timeout(now);
    this.#settle(now);
  }

  take(): BalancerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #configure(event: Extract<BalancerEvent, { type: 'configure' }>, now: Instant): void {
    if (this.#stopped) return;
    const { virtualServers, flush, initNotifies = false, orders } = event;
    this.#checker.handle({ type: 'configure', targets: this.#targets(virtualServers) }, now);
    if (orders !== undefined) this.#pools.prepare(orders);
    this.#pools.configure(virtualServers, (target) => this.#checker.health(target), initNotifies);
    this.#pools.order(now);
    this.#keeper.handle({ type: 'want', entries: this.#pools.entries(), claim: flush }, now);
    this.#effects.push({ type: 'changed' });
  }

  #applyHeld(now: Instant): void {
    if (this.#stopped) return;
    const all = this.#pools.all().map(({ settings }) => settings);
    this.#checker.handle({ type: 'configure', targets: this.#targets(all) }, now);
    this.#effects.push({ type: 'changed' });
  }

  #isSuspended({ haSuspend, services }: VirtualServerSettings): boolean {
    if (haSuspend !== true) return false;
    return !services.some(({ key }) => key.kind === 'address' && this.#held.has(key.address));
  }

  #targets(all: readonly VirtualServerSettings[]): Target[] {
    return all.flatMap((settings) => {
      const suspended = this.#isSuspended(settings);
      return targetsOf(poolName(settings), settings.realServers).map((target) => ({ ...target, suspended }));
    });
  }

  #stop(release: boolean, flush: boolean, now: Instant): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#checker.handle({ type: 'configure', targets: [] }, now);
    this.#pools.stop();
    this.#effects.push(...this.#pools.take());
    if (release) this.#keeper.handle({ type: 'release', flush }, now);
    else this.#effects.push({ type: 'released' });
  }

  /** Carries what one part says to the next, until none has anything to say. */
  #settle(now: Instant): void {
    for (const effect of this.#checker.take()) this.#fromChecker(effect, now);
    this.#effects.push(...this.#pools.take());
    for (const effect of this.#keeper.take()) this.#fromKeeper(effect);
    if (this.#pools.draining().length > 0) this.#countAt ??= after(now, COUNT_PERIOD);
  }

  #fromChecker(effect: CheckerEffect, now: Instant): void {
    switch (effect.type) {
      case 'probe':
      case 'abort':
        this.#effects.push(effect);
        return;
      case 'result':
        this.#sayResult(effect);
        return;
      case 'health':
      case 'weight':
        if (!this.#stopped) this.#turn(effect, now);
        return;
      case 'alert':
        if (!this.#stopped) this.#pools.alert(effect.server, effect);
        return;
      case 'confirmed':
        if (!this.#stopped) this.#pools.confirm(effect.server, effect.cause, now);
        return;
      default:
        unreachable(effect);
    }
  }

  /** Those that drain have their connections counted, the first time when they surely take no new ones. */
  #count(now: Instant): void {
    if (this.#countAt === undefined || this.#countAt > now) return;
    const services = this.#pools.draining();
    this.#countAt = services.length > 0 ? after(now, COUNT_PERIOD) : undefined;
    if (services.length > 0) this.#effects.push({ type: 'count', services });
  }

  /** What has changed of the table, for whatever reason. */
  #enter(entries: readonly TableEntry[], now: Instant): void {
    if (entries.length > 0) this.#keeper.handle({ type: 'entries', entries }, now);
    this.#effects.push({ type: 'changed' });
  }

  #turn(effect: Extract<CheckerEffect, { type: 'health' | 'weight' }>, now: Instant): void {
    const { server } = effect;
    const entries =
      effect.type === 'health'
        ? this.#pools.turn(server, effect, now)
        : this.#pools.weigh(server, effect, now);
    this.#enter(entries, now);
  }

  #fromKeeper(effect: KeeperEffect): void {
    switch (effect.type) {
      case 'problem':
        this.#log('error', effect.message);
        this.#effects.push({ type: 'changed' });
        return;
      case 'repair':
        this.#sayRepair(effect.operations);
        return;
      case 'settled':
        this.#effects.push({ type: 'ready' }, { type: 'changed' });
        return;
      default:
        this.#effects.push(effect);
    }
  }

  /** The director's own lack is said once, until a check works again: it would hit every check alike. */
  #sayResult(effect: Extract<CheckerEffect, { type: 'result' }>): void {
    const unable = effect.result.verdict === 'unknown';
    if (unable && !this.#unable) {
      this.#log(
        'warning',
        `${effect.check}: cannot check: ${effect.result.reason}; its state stays as it is`,
      );
    }
    this.#unable = unable;
    const { standing, result, check, logAll } = effect;
    if (result.verdict === 'bad' && (standing.up || logAll)) {
      this.#log('info', `${check}: ${inWords(result)} (failure ${standing.failures} in a row)`);
    }
  }

  #sayRepair(operations: readonly Operation[]): void {
    const shown = operations.slice(0, MAX_SHOWN).map(describeOperation).join(', ');
    const more = operations.length > MAX_SHOWN ? ` and ${operations.length - MAX_SHOWN} more` : '';
    this.#log('warning', `somebody else changed our services; putting it back: ${shown}${more}`);
  }

  #log(level: 'error' | 'warning' | 'notice' | 'info', message: string): void {
    this.#effects.push({ type: 'log', level, message });
  }
}

/** The checks of those real servers that have any; of a server that is written twice the first. */
function targetsOf(service: string, servers: VirtualServerSettings['realServers']): Target[] {
  const targets = new Map<string, Target>();
  for (const { destination, checks } of servers) {
    if (checks.length === 0) continue;
    const server = targetName(service, endpointName(destination.address, destination.port));
    if (!targets.has(server)) targets.set(server, { server, weight: destination.weight, checks });
  }
  return Array.from(targets.values());
}
