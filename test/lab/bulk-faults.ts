import * as assert from 'uvu/assert';
import { suite } from '../suite.ts';
import { bulkOf, completeOn, IDLE, KEY, losePower, playBulk } from './scene/bulk-story.ts';
import { operator } from './scene/director.ts';
import { Failover } from './scene/failover.ts';

/**
 * A copy of the whole connection table on a bad day: with two datagrams in a hundred lost, with a backup that is
 * started again and again, and with a master that dies half way through: what was there survives, and that it was not
 * all is said.
 */
export const needs = 'kernel';
export const limitSeconds = 1500;
export const long = true;

/** So that a copy takes a while: of 13 kB of records and as much of lists. */
const SLOW = 'rate 30kbit';

const story = suite('bulk copies on a bad day');

story('two datagrams in a hundred are lost', () => playBulk('with 2 % loss', { method: 'NAT' }, 'loss 2%'));

story('the backup is started three times, and killed in between', async () => {
  const act = await Failover.stage({ method: 'NAT', keyFile: KEY });
  try {
    const [one, two] = act.pair.directors;
    act.pair.start(one);
    await act.masterIs(one);
    await act.idle(IDLE);
    for (let n = 1; n <= 3; n++) {
      if (n > 1) {
        // Its kernel forgets as well: each time all is to be copied.
        two.kill('SIGKILL');
        two.run('ipvsadm', '-C');
      }
      act.pair.start(two);
      await act.backupIs(two);
      await completeOn(act, two);
    }
    const alive = await losePower(act);
    console.log(`  a backup started three times: ${alive} of ${IDLE} idle connections go on`);
    assert.is(alive, IDLE);
  } finally {
    act.close();
  }
});

story('the master dies half way: what was there survives, and it is said that it is not all', async () => {
  const act = await Failover.stage({ method: 'NAT', keyFile: KEY });
  try {
    const [one, two] = act.pair.directors;
    act.pair.start(one);
    await act.masterIs(one);
    await act.idle(IDLE);
    const rack = act.pair.links[1];
    rack?.impair(two, SLOW);
    const daemon = act.pair.start(two);
    await act.until('a part has come', () => act.pair.connections(two) > 0);
    one.kill('SIGKILL');
    // What waits in the network's queue is lost with it.
    rack?.impair(two, '');
    const alive = await losePower(act);
    const copied = act.pair.connections(two);
    await act.until('the end of the copy is told', () =>
      /bulk copy of the connection table from/.test(daemon.log),
    );
    const said = daemon.log.split('\n').find((line) => /bulk copy of the connection table from/.test(line));
    console.log(`  the master died half way: ${alive} of ${IDLE} idle connections go on; ${said?.trim()}`);
    if (/: complete: /.test(said ?? '')) {
      // This process was slower than the copy: all was there.
      assert.is(alive, IDLE);
      return;
    }
    assert.ok(alive > 0 && alive < IDLE, `${alive}`);
    assert.ok(alive <= copied, `${alive} of ${copied}`);
    assert.match(said ?? '', /\(what had come until then is here, the rest is not\)/);
    assert.is.not((await bulkOf(two))?.got?.outcome, 'complete');
    assert.not.match(operator(two, 'sync', 'status'), /from director1.*: complete/);
  } finally {
    act.close();
  }
});

story.run();
