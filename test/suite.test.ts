import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { compiled } from './lab/engine/root.ts';
import { judge } from './run-file.ts';
import { suite } from './suite.ts';

const test = suite('the suite around that of uvu');

/** Runs a file of these tests as the runner does. */
function run(code: string): { passed: number; failed: number; output: string } {
  const head = `import { suite } from '${compiled('test/suite.ts')}';
    import { showOnFailure } from '${compiled('test/failure.ts')}';
    const test = suite('inner');`;
  const argv = ['--input-type=module', '-e', `${head}\n${code}\ntest.run();`];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  const output = stdout + stderr;
  return { ...judge('x', output, status === 0 ? undefined : `exit status ${status}`, 0), output };
}

function shows(output: string, ...texts: readonly string[]): void {
  for (const text of texts) assert.match(output, text);
}

test('a hook that fails after a test that failed: both errors are printed, and the next tests run', () => {
  const { passed, failed, output } = run(`
    test.after.each(() => { throw new Error('not put away'); });
    test('one', () => { throw new Error('the first is wrong'); });
    test('two', () => { throw new Error('the second is wrong'); });`);
  assert.equal([passed, failed], [0, 2]);
  shows(output, 'the first is wrong', 'the second is wrong', 'in a hook (after.each): not put away');
});

test('every after.each runs, although one has failed', () => {
  const { output } = run(`
    test.after.each(() => { throw new Error('not put away'); });
    test.after.each(() => console.log('the second hook ran'));
    test('one', () => {});`);
  shows(output, 'the second hook ran', 'not put away');
});

test('a before.each that fails fails its test, which does not run; what comes after each does', () => {
  const { passed, failed, output } = run(`
    let times = 0;
    test.before.each(() => { if (times++ === 0) throw new Error('not set up'); });
    test.after.each(() => console.log('put away ' + times));
    test('one', () => console.log('one ran'));
    test('two', () => {});`);
  assert.equal([passed, failed], [1, 1]);
  shows(output, 'in a hook (before.each): not set up', 'put away 1', 'put away 2');
  assert.not.match(output, 'one ran');
});

test('a before that fails fails every test, with the reason; after runs', () => {
  const { passed, failed, output } = run(`
    test.before(async () => { throw new Error('no stage'); });
    test.after(() => console.log('the end ran'));
    test('one', () => {});
    test('two', () => {});`);
  assert.equal([passed, failed], [0, 2]);
  shows(output, 'in a hook (before): no stage', 'the end ran');
});

test('an after that fails is printed and counts, and the suites that follow run', () => {
  const { passed, failed, output } = run(`
    test.after(() => { throw new Error('left behind'); });
    test('one', () => {});
    const next = suite('next');
    next('two', () => console.log('two ran'));
    test.run();
    next.run();`);
  assert.equal([passed, failed], [2, 1]);
  shows(output, 'in a hook (after): left behind', 'two ran');
});

test('a failure shows the logs, of a test, a hook, and what is no error', () => {
  const { failed, output } = run(`
    showOnFailure(() => 'log of the daemon');
    test('one', () => { showOnFailure(() => 'log of one'); throw 'a text'; });
    test('two', () => { throw undefined; });`);
  assert.is(failed, 2);
  shows(output, 'thrown: a text', 'thrown: undefined');
  assert.is(output.split('log of the daemon').length - 1, 2);
  assert.is(output.split('log of one').length - 1, 1, 'what a test began to show ends with it');
});

test('a file that ends before its tests have tells of the failures until then', () => {
  const { failed, output } = run(`
    test('one', () => { throw new Error('the first is wrong'); });
    test('two', () => new Promise(() => {}));`);
  assert.is(failed, 1);
  shows(output, 'the first is wrong', 'Exiting early');
});

test.run();
