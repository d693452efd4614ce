import * as assert from 'uvu/assert';
import { compiled } from './lab/engine/root.ts';
import { judge, runFile, startFile } from './run-file.ts';
import { suite } from './suite.ts';

const runner = suite('the runner of tests');

const totals = (total: number, passed: number): string => `\n  Total:     ${total}\n  Passed:    ${passed}\n`;
const counts = (output: string, problem?: string): number[] => {
  const { passed, failed } = judge('x', output, problem, 0);
  return [passed, failed];
};

runner("counts by uvu's totals, coloured or not", () => {
  assert.equal(counts(totals(3, 3)), [3, 0]);
  assert.equal(counts(totals(3, 1)), [1, 2]);
  assert.equal(counts('\u001b[32m  Total:     4\u001b[39m\n\u001b[1m  Passed:    4\u001b[0m\n'), [4, 0]);
});

runner('a file that ran no test, or printed no totals, has failed', () => {
  assert.equal(counts(totals(0, 0)), [0, 1]);
  assert.equal(counts('hello\n'), [0, 1]);
  assert.is(judge('x', '', undefined, 0).problem, 'ran no test');
});

runner('a file that passed its tests and then crashed has failed', () => {
  assert.equal(counts(totals(3, 3), 'exit status 1'), [3, 1]);
});

runner('a file that hangs is ended at its limit, with what it started', async () => {
  const hang =
    'require("child_process").spawn("sleep", ["600"], { stdio: "inherit" }); setInterval(() => {}, 1e6)';
  const start = () => startFile(process.execPath, '-e', {}, [hang]);
  const outcome = await runFile({ name: 'hang', limitSeconds: 1, start });
  assert.is(outcome.problem, 'took longer than its limit of 1 s');
  assert.is(outcome.failed, 1);
});

runner('a file that is not there has failed', async () => {
  const start = () => startFile(process.execPath, compiled('test/nothing.ts'), {});
  const outcome = await runFile({ name: 'nothing', limitSeconds: 60, start });
  assert.is(outcome.problem, 'exit status 1');
  assert.match(outcome.output, 'Cannot find module');
});

runner.run();
