import { setTimeout as wait } from 'node:timers/promises';
import type { RouterReport, StatusReport } from '../../core/status/report.ts';
import { mastersOf, patience, type Takeover, takeovers } from '../../core/status/takeover.ts';
import { paint, paintError } from '../../io/screen.ts';
import type { CommonOptions } from './ask.ts';
import { look } from './look.ts';

const LOOK_MS = 200;

/** What this director is master of, of virtual routers and sync groups with these names. */
export const mastersAmong = (before: StatusReport, names: readonly string[]): RouterReport[] =>
  mastersOf(before).filter(({ name, group }) => names.includes(name) || names.includes(group ?? name));

/**
 * Waits until others are master of what this director gave up, or for as long as one that lives would take; says
 * who it is, or that nobody is. `masters`: those of before.
 */
export async function follow(
  options: CommonOptions,
  before: StatusReport,
  masters = mastersOf(before),
): Promise<void> {
  const limit = patience(masters);
  let now = before;
  let found: readonly Takeover[] = masters.map((router) => ({ router, by: undefined }));
  for (let looks = 0; found.some(({ by }) => by === undefined) && looks * LOOK_MS < limit * 1000; looks++) {
    await wait(LOOK_MS);
    now = await look(options);
    found = takeovers(masters, before.time, now);
  }
  const isSilent = now.processes.some(
    ({ role, pid, silent }) => role === 'vrrp' && (pid === null || silent !== null),
  );
  for (const { router, by } of found) {
    if (by !== undefined) process.stdout.write(`${router.name}: ${paint('green', `${by} has taken over`)}\n`);
  }
  for (const { router, by } of found) {
    if (by !== undefined) continue;
    const addresses = router.addresses.map(({ address }) => address);
    const which = `${addresses.join(', ') || 'it'} ${addresses.length > 1 ? 'are' : 'is'}`;
    const lost = isSilent
      ? 'who has taken over is not known: the vrrp process says nothing'
      : `nobody has taken over within ${limit} s: ${which} nowhere`;
    process.stderr.write(`vipkeeper: ${router.name}: ${paintError('red', lost)}\n`);
  }
}
