import { assert, unreachable } from './assert.ts';
import type { KeeperEffect, OperationFailure } from './balance/keeper.ts';
import { TableKeeper } from './balance/keeper.ts';
import type { ServiceKey } from './balance/model.ts';
import { endpointName, serviceName } from './balance/model.ts';
import type { Operation } from './balance/plan.ts';
import { describeOperation } from './balance/plan.ts';
import type { PoolEffect, ServerStanding } from './balance/pool.ts';
import { Pool } from './balance/pool.ts';
import type { Reading } from './balance/table.ts';
import type { BfdNews } from './check/bfd.ts';
import type { CheckerEffect, ServerChecks, Target } from './check/checker.ts';
import { Checker } from './check/checker.ts';
import type { FileNews } from './check/file.ts';
import type { ProbedCheck } from './check/settings.ts';
import { type CheckResult, inWords } from './check/verdict.ts';
import type { VirtualServerSettings } from './config/model.ts';
import type { Machine } from './machine.ts';
import type { Instant } from './time.ts';
import { earliest } from './time.ts';

/** Operations of a repair that one line of the log shows. */
const MAX_SHOWN = 3;

export type BalancerEvent =
  | {
      readonly type: 'configure';
      readonly virtualServers: readonly VirtualServerSettings[];
      /** `lvs_flush`: whatever else is in the table is removed. */
      readonly flush: boolean;
    }
  /** What became of a `probe`. */
  | { readonly type: 'outcome'; readonly id: string; readonly result: CheckResult }
  /** How BFD sessions and tracked files stand now. */
  | { readonly type: 'bfd'; readonly sessions: readonly BfdNews[] }
  | { readonly type: 'file'; readonly files: readonly FileNews[] }
  | { readonly type: 'table'; readonly reading: Reading }
  | { readonly type: 'unreadable'; readonly reason: string }
  | { readonly type: 'applied'; readonly failures: readonly OperationFailure[] }
  /** End: with `release` what is ours leaves the table, with `flush` everything. Answered by `released`. */
  | { readonly type: 'stop'; readonly release: boolean; readonly flush: boolean };

export type BalancerEffect =
  | { readonly type: 'probe'; readonly id: string; readonly check: ProbedCheck; readonly part: number }
  | { readonly type: 'abort'; readonly id: string }
  | { readonly type: 'read'; readonly destinationsOf: readonly ServiceKey[] }
  | { readonly type: 'apply'; readonly operations: readonly Operation[] }
  | { readonly type: 'flush' }
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
}

export interface ServiceStatus {
  readonly name: string;
  /** Whether the quorum holds, and whether the sorry server serves. */
  readonly quorum: boolean;
  readonly sorry: boolean;
  readonly aliveWeight: number;
  readonly servers: readonly ServerStatus[];
}

/** A real server, and with `details` what its checks saw. */
export type ServerStatus = ServerStanding & Partial<Pick<ServerChecks, 'since' | 'checks'>>;

/**
 * All of the check process's decisions: checks give the health of real servers, pools turn it into what the
 * IPVS table should hold, and the keeper keeps the kernel's table so.
 */
export class Balancer implements Machine<BalancerEvent, BalancerEffect> {
  readonly #checker: Checker;
  readonly #keeper = new TableKeeper();
  #pools = new Map<string, Pool>();
  /** The checker's name of a server to its pool and its name there. */
  #servers = new Map<string, { readonly pool: Pool; readonly name: string }>();
  #unable = false;
  #stopped = false;
  #effects: BalancerEffect[] = [];

  constructor(checker = new Checker()) {
    this.#checker = checker;
  }

  /** `details`: with what each check saw, which of thousands of servers is megabytes. */
  status(details = false): BalancerStatus {
    // The pool knows why a server came or went; what its checks saw since is fresher.
    const lately = (service: string, server: ServerStanding): ServerStatus => {
      const name = targetName(service, server.name);
      const cause = this.#checker.health(name)?.cause ?? server.cause;
      if (!details) return { ...server, cause };
      const { since, checks } = this.#checker.seen(name) ?? {};
      return { ...server, cause, ...(since !== undefined && { since }), ...(checks && { checks }) };
    };
    const services = Array.from(this.#pools, ([service, pool]) => ({
      name: pool.name,
      quorum: pool.held,
      sorry: pool.sorry,
      aliveWeight: pool.aliveWeight(),
      servers: pool.servers().map((server) => lately(service, server)),
    }));
    return { services, settled: this.#keeper.settled, problems: this.#keeper.problems() };
  }

  handle(event: BalancerEvent, now: Instant): void {
    switch (event.type) {
      case 'configure':
        this.#configure(event.virtualServers, event.flush, now);
        break;
      case 'outcome':
      case 'bfd':
      case 'file':
        this.#checker.handle(event, now);
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
    const probes = this.#stopped ? undefined : this.#checker.deadline();
    return earliest(probes, this.#keeper.deadline());
  }

  timeout(now: Instant): void {
    if (!this.#stopped) this.#checker.timeout(now);
    this.#keeper.timeout(now);
    this.#settle(now);
  }

  take(): BalancerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #configure(virtualServers: readonly VirtualServerSettings[], flush: boolean, now: Instant): void {
    if (this.#stopped) return;
    const distinct = new Map<string, VirtualServerSettings>();
    for (const server of virtualServers) {
      const name = serviceName(server.service.key);
      if (distinct.has(name)) this.#log('warning', `${name} is configured twice; the first is used`);
      else distinct.set(name, server);
    }
    const targets = Array.from(distinct).flatMap(([name, { realServers }]) => targetsOf(name, realServers));
    this.#checker.handle({ type: 'configure', targets }, now);
    const before = this.#pools;
    this.#pools = new Map();
    this.#servers = new Map();
    for (const [service, settings] of distinct) {
      const health = new Map(
        settings.realServers.map(({ destination }) => {
          const name = endpointName(destination.address, destination.port);
          const { weight } = destination;
          return [
            name,
            this.#checker.health(targetName(service, name)) ?? { up: true, cause: 'not checked', weight },
          ];
        }),
      );
      const pool = new Pool(settings, health, before.get(service)?.held);
      this.#pools.set(service, pool);
      for (const { name } of pool.servers()) this.#servers.set(targetName(service, name), { pool, name });
      this.#sayStart(pool, before.get(service));
    }
    const entries = Array.from(this.#pools.values(), (pool) => pool.entry());
    this.#keeper.handle({ type: 'want', entries, claim: flush }, now);
    this.#effects.push({ type: 'changed' });
  }

  /** A fresh pool says only what an operator does not expect: that it has no quorum. */
  #sayStart(pool: Pool, before: Pool | undefined): void {
    for (const effect of pool.take()) {
      if (effect.type === 'quorum' && !effect.held && before?.held !== false) this.#sayQuorum(effect);
    }
  }

  #stop(release: boolean, flush: boolean, now: Instant): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#checker.handle({ type: 'configure', targets: [] }, now);
    if (release) this.#keeper.handle({ type: 'release', flush }, now);
    else this.#effects.push({ type: 'released' });
  }

  /** Carries what one part says to the next, until none has anything to say. */
  #settle(now: Instant): void {
    for (const effect of this.#checker.take()) this.#fromChecker(effect, now);
    for (const effect of this.#keeper.take()) this.#fromKeeper(effect);
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
        if (!this.#stopped) this.#fromHealth(effect, now);
        return;
      case 'weight':
        if (!this.#stopped) this.#fromWeight(effect, now);
        return;
      default:
        unreachable(effect);
    }
  }

  #fromWeight(effect: Extract<CheckerEffect, { type: 'weight' }>, now: Instant): void {
    const { weight, cause } = effect;
    const server = this.#servers.get(effect.server);
    assert(server !== undefined, `no pool has the server ${effect.server}`);
    const { pool, name } = server;
    this.#log('notice', `${pool.name}: real server ${name} has weight ${weight}: ${cause}`);
    pool.handle({ type: 'weight', server: name, weight, cause });
    this.#fromPool(pool, now);
  }

  #fromHealth(effect: Extract<CheckerEffect, { type: 'health' }>, now: Instant): void {
    const { up, cause } = effect;
    const server = this.#servers.get(effect.server);
    assert(server !== undefined, `no pool has the server ${effect.server}`);
    const { pool, name } = server;
    this.#log(
      up ? 'notice' : 'warning',
      `${pool.name}: real server ${name} is ${up ? 'up' : 'down'}: ${cause}`,
    );
    // A reload's pools know it from the start, and then have nothing to say.
    pool.handle({ type: 'health', server: name, up, cause });
    this.#fromPool(pool, now);
  }

  #fromPool(pool: Pool, now: Instant): void {
    for (const said of pool.take()) {
      if (said.type === 'entry') this.#keeper.handle({ type: 'entry', entry: said.entry }, now);
      else this.#sayQuorum(said);
    }
    this.#effects.push({ type: 'changed' });
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

  #sayQuorum(effect: Extract<PoolEffect, { type: 'quorum' }>): void {
    const { service, held, weight, threshold, cause } = effect;
    const words = `quorum ${held ? 'gained' : 'lost'}: weight ${weight} alive, ${threshold} needed`;
    this.#log(held ? 'notice' : 'warning', `${service}: ${words} (${cause})`);
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

const targetName = (service: string, server: string): string => `${service} ${server}`;

/** The checks of a service's real servers; of a server that is written twice the first. */
function targetsOf(service: string, servers: VirtualServerSettings['realServers']): Target[] {
  const targets = new Map<string, Target>();
  for (const { destination, checks } of servers) {
    const server = targetName(service, endpointName(destination.address, destination.port));
    if (!targets.has(server)) targets.set(server, { server, weight: destination.weight, checks });
  }
  return Array.from(targets.values());
}
