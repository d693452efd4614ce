import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { enclose } from '../lab/engine/enclosed.ts';
import { suite } from '../suite.ts';
import { isAlive, ROUTER, Stage, until, VIP } from './stage.ts';

/** A virtual address that the host has by itself, and what an earlier life left. */
await enclose();

const test = suite("a host's own address");
const stage = new Stage();
test.after.each(() => {
  if (stage.runs) stage.stop();
  execFileSync('ip', ['address', 'flush', 'dev', 'lan', 'to', VIP]);
});
test.after(() => stage.close());

const ip = (...words: readonly string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
/** What the interface has of the address, in ip(8)'s words. */
const shown = (): string => ip('-o', 'address', 'show', 'dev', 'lan', 'to', VIP);
const logFile = join(stage.folder, 'log');
const log = (): string => readFileSync(logFile, 'utf8');
const start = (text: string): void => stage.start(text, '-g', logFile, '-D');
const lesser = ROUTER.replace('priority 255', 'priority 100');

for (const [role, text, state] of [
  ['the owner of the address', ROUTER, 'MASTER'],
  ['a backup by mistake', lesser, 'BACKUP'],
] as const) {
  test(`${role}: it is there as it was, while the daemon runs and after it`, () => {
    ip('address', 'add', `${VIP}/24`, 'dev', 'lan');
    start(text);
    until(() => stage.router().state === state, 'it stands');
    until(() => /is an address of lan itself/.test(log()), 'it is said');
    until(
      () => (stage.router().statistics?.advertsSent ?? 0) > 2 || state === 'BACKUP',
      'adverts renew what is leased',
    );
    assert.match(shown(), /valid_lft forever/);
    stage.stop();
    assert.match(shown(), /valid_lft forever/);
  });
}

test('what a life that was killed left is removed at the next start, with another prefix length too', () => {
  start(ROUTER.replace('advert_int 1', 'advert_int 1\n  vip_lease off').replace(`${VIP}/24`, `${VIP}/32`));
  until(() => shown() !== '', 'it is master');
  const [parent, child] = [stage.pid('vipkeeperd'), stage.pid('vrrp')];
  process.kill(parent, 'SIGSTOP');
  for (const pid of [child, parent]) process.kill(pid, 'SIGKILL');
  until(() => !isAlive(parent) && !isAlive(child), 'both are dead');
  assert.match(shown(), /valid_lft forever/);
  start(lesser);
  until(() => shown() === '', 'it is gone');
  until(() => /10\.9\.0\.100\/32 on lan was left by an earlier life: removed/.test(log()), 'it is said');
});

test.run();
