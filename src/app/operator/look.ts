import { resolve } from 'node:path';
import type { DaemonStatus } from '../../core/status/facts.ts';
import {
  routerReport,
  SCHEMA,
  type Seen,
  type StatusReport,
  statusReport,
} from '../../core/status/report.ts';
import { type Instant, toMillis } from '../../core/time.ts';
import { childrenOf } from '../../io/children.ts';
import { isStopped, presentAddresses } from '../../io/claims.ts';
import { monotonicOrigin, now } from '../../io/clock.ts';
import { readPid, runs } from '../../io/pidfile.ts';
import { type LastKnown, readLastKnown } from '../lastknown.ts';
import { ROLES } from '../messages.ts';
import { PROGRAM } from '../options.ts';
import { type CommonOptions, fail, runDir, type Trouble, tryAsk } from './ask.ts';

/** ISO 8601 times of moments, from the origin of the monotonic clock in milliseconds since 1970. */
export const isoFrom =
  (origin: number): Seen['iso'] =>
  (at: Instant): string =>
    new Date(origin + toMillis((at - 0) as never)).toISOString();

/** ISO 8601 times of moments by our own clock. */
export const iso: Seen['iso'] = (at) => isoFrom(monotonicOrigin())(at);

/**
 * What the daemon says, with what the kernel has; where nobody answers but processes of the daemon live, what is seen
 * of those. The trouble when there is nothing to see.
 */
export async function tryLook(
  options: CommonOptions,
): Promise<{ readonly report: StatusReport } | { readonly trouble: Trouble }> {
  const found = await tryAsk(options, { verb: 'status' });
  if ('trouble' in found) {
    const report =
      found.trouble.kind === 'down' || found.trouble.kind === 'silent' ? orphans(options) : undefined;
    return report === undefined ? found : { report };
  }
  const status = found.answer as DaemonStatus;
  const seen = {
    now: now(),
    iso: isoFrom(status.epoch),
    present: presentAddresses(status.pid),
    stopped: isStopped,
  };
  return { report: statusReport(status, seen) };
}

/** The same; ends the program when there is nothing to see. */
export async function look(options: CommonOptions): Promise<StatusReport> {
  const found = await tryLook(options);
  return 'report' in found ? found.report : fail(found.trouble.message);
}

/** The processes that a supervisor left which is gone, or frozen; undefined when there are none. */
function orphans(options: CommonOptions): StatusReport | undefined {
  const folder = runDir(options);
  const alive = ROLES.flatMap((role) => childrenOf(role, resolve(folder)).map((pid) => ({ role, pid })));
  const [first] = alive;
  if (first === undefined) return undefined;
  const supervisor = readPid(`${folder}/${PROGRAM}.pid`);
  const known: Partial<LastKnown> = readLastKnown(folder) ?? {};
  const seen = { now: now(), iso, present: presentAddresses(first.pid) };
  return {
    schema: SCHEMA,
    time: iso(seen.now),
    running: false,
    version: known.version ?? '',
    pid: supervisor !== undefined && runs(supervisor, PROGRAM) ? supervisor : null,
    since: null,
    uptime: null,
    configuration: known.configuration ?? null,
    maintenance: null,
    troubles: [],
    refusedRequests: 0,
    processes: alive.map(({ role, pid }) => ({
      ...{ role, pid, restarts: 0, silent: null, stopped: isStopped(pid), dropped: 0, refused: 0 },
    })),
    vrrp: {
      instances: (known.routers ?? []).map((router) => routerReport(router, undefined, seen)),
      groups: [],
      bfd: [],
      bfdDiscarded: {},
      malformed: 0,
      votes: null,
      watchdog: null,
      unknownVrids: 0,
    },
    check: null,
    fencing: null,
    sync: null,
  };
}
