import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { isAlive, ROUTER, Stage, until } from './stage.ts';

/** A daemon with bad scripts: what it does must not notice. */
await enclose();

const test = suite('a daemon with bad scripts');
const stage = new Stage();
test.after(() => stage.close());

const inFolder = (name: string): string => join(stage.folder, name);
function script(name: string, text: string): string {
  writeFileSync(inFolder(name), `#!/bin/sh\n${text}\n`);
  chmodSync(inFolder(name), 0o755);
  return inFolder(name);
}
const read = (name: string): string =>
  existsSync(inFolder(name)) ? readFileSync(inFolder(name), 'utf8') : '';
const sent = (): number => stage.router().statistics?.advertsSent ?? 0;

test('scripts that hang and flood hold up no advert, and the end of the daemon is the end of all', () => {
  const hangs = script(
    'hangs',
    `trap '' TERM; sleep 1000 & echo $$ $! >>${inFolder('pids')}; while :; do wait; done`,
  );
  const floods = script('floods', `echo $$ >>${inFolder('pids')}; exec yes`);
  const stop = script('stop', `echo stopped >>${inFolder('out')}`);
  const own = `notify_master ${hangs}\n  notify ${floods}\n  notify_stop ${stop}`;
  const startup = script('startup', `echo started >>${inFolder('out')}`);
  const shutdown = script('shutdown', `echo ended >>${inFolder('out')}`);
  stage.start(
    `child_wait_time 2
global_defs {
  script_user root
  startup_script ${startup}
  shutdown_script ${shutdown}
}
${ROUTER.replace('interface lan', `interface lan\n  ${own}`).replace('advert_int 1', 'version 3\n  advert_int 0.05')}`,
  );
  until(() => stage.holdsVip(), 'it is master');
  until(() => read('pids').split('\n').length >= 3, 'both run');
  const before = sent();
  until(() => sent() > before + 20, 'adverts go on');
  stage.stop();
  const pids = read('pids').split(/\s+/).filter(Boolean).map(Number);
  until(() => !pids.some(isAlive), `none of ${pids.join()} is left`);
  assert.equal(read('out').split('\n').filter(Boolean), ['started', 'stopped', 'ended']);
});

test.run();
