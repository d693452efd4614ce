import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Instant } from '../time.ts';
import { earliest } from '../time.ts';
import type { BfdNews } from './bfd.ts';
import { type Check, Choice, memoryOf, partsOf, recalled, type ServerState } from './choice.ts';
import type { FileNews } from './file.ts';
import { alertText, judgeNews, type News, sourceOf } from './kinds.ts';
import type { Latency, Run } from './record.ts';
import type { ScheduleEffect } from './schedule.ts';
import { Schedule } from './schedule.ts';
import { type CheckSettings, isProbed, type ProbedCheck } from './settings.ts';
import type { CheckResult, Health, Standing } from './verdict.ts';
import { excuse, inWords, judge } from './verdict.ts';

/** A real server of one virtual server, by a name of the caller's, and what must be good for it to be up. */
export interface Target {
  readonly server: string;
  /** The configured weight, which checks may change. */
  readonly weight: number;
  readonly checks: readonly CheckSettings[];
  /** No probes for it for the time being: it stays as it stands. */
  readonly suspended?: boolean;
}

export type CheckerEvent =
  /** All targets from now on. What was there before keeps its standing and its phase. */
  | { readonly type: 'configure'; readonly targets: readonly Target[] }
  | { readonly type: 'outcome'; readonly id: string; readonly result: CheckResult }
  /** How BFD sessions and tracked files stand now; those that are not named are as they were. */
  | { readonly type: 'bfd'; readonly sessions: readonly BfdNews[] }
  | { readonly type: 'file'; readonly files: readonly FileNews[] };

export type CheckerEffect =
  /** Make the probe; `part` is the request of an HTTP check. */
  | { readonly type: 'probe'; readonly id: string; readonly check: ProbedCheck; readonly part: number }
  | { readonly type: 'abort'; readonly id: string }
  /** One result, with the standing of its check afterwards. */
  | {
      readonly type: 'result';
      readonly check: string;
      readonly logAll: boolean;
      readonly result: CheckResult;
      readonly standing: Standing;
    }
  /** The server as a whole went up or down. */
  | { readonly type: 'health'; readonly server: string; readonly up: boolean; readonly cause: string }
  /** One of its checks changed its mind; `up`: the server as a whole, `turned`: by this. */
  | {
      readonly type: 'alert';
      readonly server: string;
      readonly up: boolean;
      readonly turned: boolean;
      readonly text: string;
      readonly cause: string;
    }
  /** The first result of a check confirms that its server, which began as down (`alpha`), is so. */
  | { readonly type: 'confirmed'; readonly server: string; readonly cause: string }
  /** Its checks give it another weight; whether it is up is another matter. */
  | { readonly type: 'weight'; readonly server: string; readonly weight: number; readonly cause: string };

/** What one check of a server saw. */
export interface CheckStatus {
  readonly check: string;
  readonly kind: CheckSettings['kind'];
  readonly up: boolean;
  /** Since when it is up or down. */
  readonly since: Instant;
  /** Bad results in a row. */
  readonly failures: number;
  /** Microseconds that the last probe took, when it was good. */
  readonly latency: number | null;
  /** The last results, the latest last. */
  readonly results: readonly Run[];
  readonly latencies: readonly Latency[];
}

/** What the checks say of one server. */
export interface ServerChecks extends Health {
  /** Since when it is up or down. */
  readonly since: Instant;
  readonly checks: readonly CheckStatus[];
}

/** Scripts are processes: so many run at a time. */
const MAX_SCRIPTS = 256;
/** Checks that are remembered after a reload took them out. */
const MAX_LEFT = 10_000;
/** IPVS weights are signed 32-bit numbers. */
const WEIGHT_MAX = 2_147_483_647;

/**
 * All checks of all real servers: when to probe, what a probe's result means, and whether each server is up.
 * A server is up when all of its checks are; one without checks always is. Its weight is the configured one and
 * what its checks add to it, within what IPVS takes.
 */
export class Checker implements Machine<CheckerEvent, CheckerEffect> {
  readonly #probes: Schedule;
  readonly #scripts = new Schedule(MAX_SCRIPTS);
  #checks = new Map<string, Check>();
  /** Checks that the configuration does not have any more, the longest gone first. */
  readonly #left = new Map<string, Check>();
  /** The latest news of each source. */
  #news = new Map<string, News>();
  #servers = new Map<string, ServerState>();
  #effects: CheckerEffect[] = [];

  constructor(schedule = new Schedule()) {
    this.#probes = schedule;
  }

  /** How a server stands, by the latest result of each check; `undefined` for one that is not configured. */
  health(server: string): Health | undefined {
    const state = this.#servers.get(server);
    return state && judgeServer(state.weight, state.checks);
  }

  /** What its checks saw. */
  seen(server: string): ServerChecks | undefined {
    const state = this.#servers.get(server);
    if (state === undefined) return undefined;
    const { since, weight, checks } = state;
    return { ...judgeServer(weight, checks), since, checks: checks.map(statusOf) };
  }

  /** Checks and servers name each other. */
  memory() {
    const servers = Array.from(this.#servers.values(), (state) => ({
      ...state,
      checks: state.checks.map(({ id }) => id),
    }));
    return {
      probes: this.#probes.memory(),
      scripts: this.#scripts.memory(),
      checks: Array.from(this.#checks.values(), memoryOf),
      left: Array.from(this.#left.values(), memoryOf),
      news: new Map(this.#news),
      servers,
    };
  }

  recall({ probes, scripts, checks, left, news, servers }: ReturnType<Checker['memory']>): void {
    this.#probes.recall(probes);
    this.#scripts.recall(scripts);
    this.#checks = new Map(checks.map((check) => [check.id, recalled(check)]));
    for (const check of left) this.#left.set(check.id, recalled(check));
    this.#news = new Map(news);
    for (const { checks: ids, ...server } of servers) {
      const own = ids.flatMap((id) => this.#checks.get(id) ?? []);
      const state: ServerState = { ...server, checks: own };
      for (const check of own) check.servers.push(state);
      this.#servers.set(server.name, state);
    }
  }

  handle(event: CheckerEvent, now: Instant): void {
    if (event.type === 'configure') this.#configure(event.targets, now);
    else if (event.type === 'outcome') this.#outcome(event.id, event.result, now);
    else if (event.type === 'bfd')
      for (const session of event.sessions) this.#hear(`bfd ${session.name}`, session, now);
    else for (const file of event.files) this.#hear(`file ${file.name}`, file, now);
    this.#forward();
  }

  deadline(): Instant | undefined {
    return earliest(this.#probes.deadline(), this.#scripts.deadline());
  }

  timeout(now: Instant): void {
    this.#probes.timeout(now);
    this.#scripts.timeout(now);
    this.#forward();
  }

  take(): CheckerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #configure(targets: readonly Target[], now: Instant): void {
    const chosen = new Choice((id) => this.#checks.get(id) ?? this.#left.get(id), now);
    const servers = new Map<string, ServerState>();
    for (const { server, weight, checks: wanted, suspended = false } of targets) {
      const checks = wanted.map((settings) => chosen.check(settings));
      const health = judgeServer(weight, checks);
      const before = this.#servers.get(server);
      const since = before?.health.up === health.up ? before.since : now;
      const state: ServerState = { name: server, weight, checks, suspended, health, since };
      // Most have one: an array that was pushed to has room for seventeen.
      for (const check of checks) check.servers = check.servers.concat([state]);
      servers.set(server, state);
      if (before !== undefined && before.health.up !== health.up)
        this.#effects.push({ type: 'health', server, up: health.up, cause: `${health.cause} (reload)` });
    }
    this.#servers = servers;
    this.#remember(chosen.checks);
    this.#checks = chosen.checks;
    this.#arrange(now);
    for (const check of this.#checks.values()) this.#catchUp(check, now);
  }

  /** A server that a reload takes out and a later one brings back is as it was, so a dead one gets nothing. */
  #remember(chosen: ReadonlyMap<string, Check>): void {
    for (const [id, check] of this.#checks)
      if (!chosen.has(id)) this.#left.set(id, { ...check, servers: [] });
    for (const id of chosen.keys()) this.#left.delete(id);
    for (const id of this.#left.keys()) {
      if (this.#left.size <= MAX_LEFT) break;
      this.#left.delete(id);
    }
  }

  #arrange(now: Instant): void {
    const probes = new Map<string, ProbedCheck>();
    const scripts = new Map<string, ProbedCheck>();
    for (const [id, { settings, servers }] of this.#checks) {
      if (!isProbed(settings) || servers.every(({ suspended }) => suspended)) continue;
      (settings.kind === 'misc' ? scripts : probes).set(id, settings);
    }
    this.#probes.handle({ type: 'configure', checks: probes }, now);
    this.#scripts.handle({ type: 'configure', checks: scripts }, now);
  }

  #scheduleOf = ({ settings }: Check): Schedule => (settings.kind === 'misc' ? this.#scripts : this.#probes);

  #outcome(id: string, result: CheckResult, now: Instant): void {
    const check = this.#checks.get(id);
    // A probe that ended while its abort was on the way.
    if (check === undefined || !this.#scheduleOf(check).isRunning(id)) return;
    const { settings } = check;
    assert(isProbed(settings), `an outcome of ${id}, which is not probed`);
    // Once in a row: a director that is always late must not keep a dead server.
    const excused = check.excused ? undefined : excuse(result);
    check.excused = excused !== undefined;
    const [standing, again] =
      excused === undefined
        ? judge(check.standing, result, settings, partsOf(settings))
        : [check.standing, { type: 'retry', delay: settings.retryDelay } as const];
    this.#scheduleOf(check).handle({ type: 'ended', id, again }, now);
    this.#conclude(check, standing, excused ?? result, now);
  }

  #hear(source: string, news: News, now: Instant): void {
    this.#news.set(source, news);
    for (const check of this.#checks.values())
      if (sourceOf(check.settings) === source) this.#catchUp(check, now);
  }

  /** What was last heard of the check's source; a check that is new starts with that. */
  #catchUp(check: Check, now: Instant): void {
    const source = sourceOf(check.settings);
    const news = source === undefined ? undefined : this.#news.get(source);
    const result = news && judgeNews(check.settings, news);
    if (result === undefined) return;
    const good = result.verdict === 'good';
    const { last, standing } = check;
    // All news come again now and then, and then say nothing.
    if (last?.verdict === result.verdict && last.reason === result.reason && last.weight === result.weight)
      return;
    const failures = good ? 0 : standing.failures + 1;
    this.#conclude(
      check,
      { ...standing, up: good, succeeded: standing.succeeded || good, failures },
      result,
      now,
    );
  }

  #conclude(check: Check, standing: Standing, result: CheckResult, now: Instant): void {
    const changed = standing.up !== check.standing.up;
    if (changed) check.since = now;
    check.standing = standing;
    check.record.add(result, now);
    if (result.verdict !== 'unknown') check.last = result;
    const logAll = isProbed(check.settings) && check.settings.logAll === true;
    this.#effects.push({ type: 'result', check: check.name, logAll, result, standing });
    const { settings } = check;
    const firstBad = result.verdict === 'bad' && standing.failures === 1 && !standing.succeeded;
    if (firstBad && 'alpha' in settings && settings.alpha) {
      for (const { name } of check.servers)
        this.#effects.push({ type: 'confirmed', server: name, cause: causeOf(check) });
    }
    for (const server of check.servers) {
      const { up } = server.health;
      this.#reconsider(server, check, now);
      if (changed) this.#alert(server, check, server.health.up !== up);
    }
  }

  #alert({ name: server, health: { up } }: ServerState, check: Check, turned: boolean): void {
    const text = alertText(check.settings, check.standing.up, check.last?.reason ?? '');
    this.#effects.push({ type: 'alert', server, up, turned, text, cause: causeOf(check) });
  }

  /** What a result of `check` changes for the server. */
  #reconsider(state: ServerState, check: Check, now: Instant): void {
    const { name: server, health: before } = state;
    const up = state.checks.every(({ standing }) => standing.up);
    const weight = weigh(state.weight, state.checks);
    if (up === before.up && weight === before.weight) return;
    const { cause } = judgeServer(state.weight, state.checks);
    state.health = { up, weight, cause };
    if (weight !== before.weight)
      this.#effects.push({ type: 'weight', server, weight, cause: causeOf(check) });
    if (up === before.up) return;
    state.since = now;
    this.#effects.push({ type: 'health', server, up, cause: up ? causeOf(check) : cause });
  }

  #forward(): void {
    for (const effect of this.#probes.take()) this.#effects.push(this.#toProbe(effect));
    for (const effect of this.#scripts.take()) this.#effects.push(this.#toProbe(effect));
  }

  #toProbe(effect: ScheduleEffect): CheckerEffect {
    if (effect.type === 'abort') return effect;
    const check = this.#checks.get(effect.id);
    assert(check !== undefined && isProbed(check.settings), `a start of ${effect.id}, which is no probe`);
    return { type: 'probe', id: effect.id, check: check.settings, part: check.standing.part };
  }
}

const causeOf = ({ name, last }: Check): string =>
  last === undefined ? `${name}: not checked yet` : `${name}: ${inWords(last)}`;

function judgeServer(configured: number, checks: readonly Check[]): Health {
  const failed = checks.find(({ standing }) => !standing.up);
  const shown = failed ?? checks.at(-1);
  const cause = shown === undefined ? 'not checked' : causeOf(shown);
  return { up: failed === undefined, cause, weight: weigh(configured, checks) };
}

/** keepalived's sum: each check adds the difference that it makes to the configured weight. */
function weigh(configured: number, checks: readonly Check[]): number {
  let weight = configured;
  for (const { settings, standing, last } of checks) {
    if (last?.weight === undefined || !standing.up) continue;
    weight += settings.kind === 'file' ? last.weight : last.weight - configured;
  }
  return Math.max(0, Math.min(WEIGHT_MAX, weight));
}

const statusOf = ({ name, settings, standing, since, record }: Check): CheckStatus => ({
  check: name,
  kind: settings.kind,
  up: standing.up,
  since,
  failures: standing.failures,
  latency: record.latency ?? null,
  results: record.runs(),
  latencies: record.latencies(),
});
