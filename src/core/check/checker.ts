import { assert } from '../assert.ts';
import type { Machine } from '../machine.ts';
import type { Instant } from '../time.ts';
import { type BfdNews, describeBfd, judgeBfd } from './bfd.ts';
import type { ScheduleEffect } from './schedule.ts';
import { Schedule } from './schedule.ts';
import type { CheckSettings, ProbeSettings } from './settings.ts';
import type { ConnectOutcome } from './tcp.ts';
import { describeTcp, judgeConnect } from './tcp.ts';
import type { CheckResult, Standing } from './verdict.ts';
import { initialStanding, judge } from './verdict.ts';

/** A real server of one virtual server, by a name of the caller's, and what must be good for it to be up. */
export interface Target {
  readonly server: string;
  readonly checks: readonly CheckSettings[];
}

export type CheckerEvent =
  /** All targets from now on. What was there before keeps its standing and its phase. */
  | { readonly type: 'configure'; readonly targets: readonly Target[] }
  | { readonly type: 'outcome'; readonly id: string; readonly outcome: ConnectOutcome }
  /** How BFD sessions stand now. */
  | { readonly type: 'bfd'; readonly sessions: readonly BfdNews[] };

export type CheckerEffect =
  | { readonly type: 'probe'; readonly id: string; readonly check: ProbeSettings }
  | { readonly type: 'abort'; readonly id: string }
  /** One result, with the standing of its check afterwards. */
  | {
      readonly type: 'result';
      readonly id: string;
      readonly server: string;
      readonly result: CheckResult;
      readonly standing: Standing;
    }
  /** The server as a whole went up or down. */
  | { readonly type: 'health'; readonly server: string; readonly up: boolean; readonly cause: string };

/** Up or down, and why. */
export interface Health {
  readonly up: boolean;
  readonly cause: string;
}

interface Check {
  readonly server: string;
  readonly settings: CheckSettings;
  standing: Standing;
  reason: string;
}

interface ServerState {
  readonly checks: readonly string[];
  health: Health;
}

/**
 * All checks of all real servers: when to probe, what a probe's outcome means, and whether each server is up.
 * A server is up when all of its checks are; one without checks always is.
 */
export class Checker implements Machine<CheckerEvent, CheckerEffect> {
  readonly #schedule: Schedule;
  #checks = new Map<string, Check>();
  #servers = new Map<string, ServerState>();
  /** The last news of each BFD session, for checks that come later. */
  readonly #sessions = new Map<string, BfdNews>();
  #effects: CheckerEffect[] = [];

  constructor(schedule = new Schedule()) {
    this.#schedule = schedule;
  }

  /** How a server stands, by the latest result of each check; `undefined` for one that is not configured. */
  health(server: string): Health | undefined {
    const state = this.#servers.get(server);
    return state && this.#judgeServer(state.checks);
  }

  handle(event: CheckerEvent, now: Instant): void {
    if (event.type === 'configure') this.#configure(event.targets, now);
    else if (event.type === 'outcome') this.#outcome(event.id, event.outcome, now);
    else this.#hear(event.sessions);
    this.#forward();
  }

  deadline(): Instant | undefined {
    return this.#schedule.deadline();
  }

  timeout(now: Instant): void {
    this.#schedule.timeout(now);
    this.#forward();
  }

  take(): CheckerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #configure(targets: readonly Target[], now: Instant): void {
    const before = this.#checks;
    this.#checks = new Map();
    const servers = new Map<string, ServerState>();
    for (const { server, checks } of targets) {
      const ids: string[] = [];
      for (const settings of checks) {
        const id = this.#freeId(`${server}: ${describeCheck(settings)}`);
        const known = before.get(id) ?? this.#fresh(server, settings);
        this.#checks.set(id, { ...known, settings });
        ids.push(id);
      }
      const health = this.#judgeServer(ids);
      servers.set(server, { checks: ids, health });
      const old = this.#servers.get(server)?.health;
      if (old !== undefined && old.up !== health.up)
        this.#effects.push({ type: 'health', server, ...health, cause: `${health.cause} (reload)` });
    }
    this.#servers = servers;
    const timings = Array.from(this.#checks).flatMap(([id, { settings }]) =>
      settings.kind === 'bfd' ? [] : [[id, settings] as const],
    );
    this.#schedule.handle({ type: 'configure', checks: new Map(timings) }, now);
  }

  /** A check that has no result yet, but for what is known of a BFD session. */
  #fresh(server: string, settings: CheckSettings): Check {
    const reason = `${describeCheck(settings)}: not checked yet`;
    const check = { server, settings, standing: initialStanding(settings), reason };
    const news = settings.kind === 'bfd' ? this.#sessions.get(settings.session) : undefined;
    if (news !== undefined) follow(check, news);
    return check;
  }

  #hear(sessions: readonly BfdNews[]): void {
    this.#sessions.clear();
    for (const news of sessions) this.#sessions.set(news.name, news);
    for (const [id, check] of this.#checks) {
      const { settings, standing } = check;
      const news = settings.kind === 'bfd' ? this.#sessions.get(settings.session) : undefined;
      if (news === undefined) continue;
      const before = check.reason;
      follow(check, news);
      if (standing.up === news.up && check.reason === before) continue;
      this.#report(id, check, judgeBfd(news));
    }
  }

  /** Two checks of a server may look alike; the second gets a number. */
  #freeId(wanted: string): string {
    let id = wanted;
    for (let n = 2; this.#checks.has(id); n++) id = `${wanted} (${n})`;
    return id;
  }

  #outcome(id: string, outcome: ConnectOutcome, now: Instant): void {
    const check = this.#checks.get(id);
    // A probe that ended while its abort was on the way.
    if (check === undefined || !this.#schedule.isRunning(id)) return;
    const { settings } = check;
    assert(settings.kind !== 'bfd', `a probe of ${id}`);
    const result = judgeOutcome(settings, outcome);
    const [standing, again] = judge(check.standing, result, settings);
    check.standing = standing;
    if (result.verdict !== 'unknown') check.reason = `${describeCheck(settings)}: ${result.reason}`;
    this.#schedule.handle({ type: 'ended', id, again }, now);
    this.#report(id, check, result);
  }

  /** Says what a check found, and what that makes of its server. */
  #report(id: string, check: Check, result: CheckResult): void {
    const { server, standing } = check;
    this.#effects.push({ type: 'result', id, server, result, standing });
    const state = this.#servers.get(server);
    assert(state !== undefined, `check ${id} belongs to no server`);
    const { up, cause } = this.#judgeServer(state.checks);
    if (up === state.health.up) return;
    state.health = { up, cause: up ? check.reason : cause };
    this.#effects.push({ type: 'health', server, ...state.health });
  }

  #judgeServer(ids: readonly string[]): Health {
    let cause = 'not checked';
    for (const id of ids) {
      const check = this.#checks.get(id);
      assert(check !== undefined, `no check ${id}`);
      if (!check.standing.up) return { up: false, cause: check.reason };
      cause = check.reason;
    }
    return { up: true, cause };
  }

  #forward(): void {
    for (const effect of this.#schedule.take()) this.#effects.push(this.#toProbe(effect));
  }

  #toProbe(effect: ScheduleEffect): CheckerEffect {
    if (effect.type === 'abort') return effect;
    const check = this.#checks.get(effect.id);
    assert(
      check !== undefined && check.settings.kind !== 'bfd',
      `a start of ${effect.id}, which has no turns`,
    );
    return { type: 'probe', id: effect.id, check: check.settings };
  }
}

/** A BFD session decides alone and at once: it has counted missed packets itself. */
function follow(check: Check, news: BfdNews): void {
  const failures = news.up ? 0 : check.standing.failures + 1;
  check.standing = { up: news.up, succeeded: check.standing.succeeded || news.up, failures };
  check.reason = `${describeCheck(check.settings)}: ${news.why}`;
}

const describeCheck = (check: CheckSettings): string =>
  check.kind === 'bfd' ? describeBfd(check) : describeTcp(check);
const judgeOutcome = (check: ProbeSettings, outcome: ConnectOutcome): CheckResult =>
  judgeConnect(check, outcome);
