import * as assert from 'uvu/assert';
import { seconds } from '../../../src/core/time.ts';
import { Gathering } from '../../../src/core/track/gathering.ts';
import { Numbers } from '../../../src/core/track/numbers.ts';
import { scriptChanges } from '../../../src/core/track/scripts.ts';
import type { ScriptSettings } from '../../../src/core/track/settings.ts';
import { suite } from '../../suite.ts';

const script = (name: string, more: Partial<ScriptSettings> = {}): ScriptSettings => ({
  name,
  command: ['/bin/true'],
  interval: seconds(1),
  timeout: seconds(1),
  rise: 1,
  fall: 1,
  ...more,
});
const byName = (...all: readonly ScriptSettings[]): Map<string, ScriptSettings> =>
  new Map(all.map((each) => [each.name, each]));

const track = suite('tracked scripts, processes, numbers');

track('a script with the same command and user goes on, any other begins anew', () => {
  const other = { command: ['/bin/false'] };
  const user = { user: { uid: 1, gid: 1 } };
  const known = byName(...['same', 'slower', 'other', 'user', 'gone'].map((name) => script(name)));
  const slower = script('slower', { interval: seconds(2) });
  const configured = [script('same'), slower, script('other', other), script('user', user), script('new')];
  assert.equal(scriptChanges(known, configured), {
    ended: ['other', 'user', 'gone'],
    changed: [slower],
    begun: [script('other', other), script('user', user), script('new')],
  });
});

track('of a process the last news is looked at, and once', () => {
  const gathering = new Gathering();
  gathering.add(1, 'changed');
  gathering.add(2, 'changed');
  gathering.add(1, 'ended');
  assert.equal(gathering.take(), [
    [1, 'ended'],
    [2, 'changed'],
  ]);
  assert.equal(gathering.take(), []);
});

track('of too many processes all are looked at', () => {
  const gathering = new Gathering();
  for (let pid = 1; pid < 500; pid++) gathering.add(pid, 'changed');
  assert.is(gathering.take().length, 499);
  for (let pid = 1; pid <= 600; pid++) gathering.add(pid, 'changed');
  assert.is(gathering.take(), 'all');
  for (let pid = 1; pid <= 600; pid++) gathering.add(pid, 'changed');
  gathering.clear();
  assert.equal(gathering.take(), []);
});

track('a number stays over a reload, and while its file has none that fits', () => {
  const numbers = new Numbers();
  numbers.configure(['a', 'b']);
  assert.equal(numbers.read('a', '7\n'), { before: 0, value: 7 });
  assert.is(numbers.read('a', '7'), undefined);
  assert.is(numbers.read('a', '99999999999'), undefined, 'too large');
  numbers.configure(['a']);
  assert.equal(numbers.all(), [{ name: 'a', value: 7 }]);
  assert.equal(numbers.read('a', undefined), { before: 7, value: 0 }, 'no file');
  assert.is(numbers.read('b', '1'), undefined, 'not configured any more');
});

track.run();
