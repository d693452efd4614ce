import { setTimeout as wait } from 'node:timers/promises';
import type { BulkFacts } from '../../core/sync/bulk/facts.ts';
import { gotText } from '../../core/sync/bulk/lines.ts';
import { ask, type CommonOptions, fail } from './ask.ts';
import { look } from './look.ts';

/** How often the daemon is asked how far it is. */
const LOOK_MS = 500;
/** A master answers within a second; the sync process asks so often that it tells it is alone. */
const UNANSWERED_AFTER = 10;

/** `vipkeeper sync pull`: ends when the copy has, with 1 when it is not complete. */
export async function pull(options: CommonOptions): Promise<void> {
  const before = (await ask(options, { verb: 'pull' })) as BulkFacts;
  const progress = options.json === true || !process.stderr.isTTY ? () => {} : showProgress;
  for (;;) {
    await wait(LOOK_MS);
    const { sync } = await look(options);
    if (sync === null) return fail('the sync process has ended');
    const { asking, got } = sync.bulk;
    progress(asking);
    if (got !== undefined && got.at !== before.got?.at && got.outcome !== 'stopped') {
      progress(undefined);
      const text = `copy of the connection table from ${got.from}: ${gotText(got)}`;
      process.stdout.write(`${options.json === true ? JSON.stringify(got, null, 2) : text}\n`);
      if (got.outcome !== 'complete') process.exitCode = 1;
      return;
    }
    if (asking !== undefined && asking.from === undefined && asking.requests >= UNANSWERED_AFTER) {
      progress(undefined);
      return fail('no director answers: none is master, another daemon runs there, or nothing arrives');
    }
    if (!sync.running.some(({ role }) => role === 'backup'))
      return fail('this director is not backup any more');
  }
}

/** One line that is written over. */
function showProgress(asking: BulkFacts['asking']): void {
  const { from, records = 0, requests = 0 } = asking ?? {};
  const text =
    asking === undefined
      ? ''
      : from === undefined
        ? `asked ${requests} times`
        : `${records} records from ${from}`;
  process.stderr.write(`\r\x1b[K${text}`);
}
