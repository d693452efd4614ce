import * as assert from 'uvu/assert';
import { suite } from '../../suite.ts';
import { allScenarios, DEFAULT_LIMIT_SECONDS, scenarioOf } from './scenarios.ts';

const scenarios = suite('scenarios of the lab');

scenarios('a source says what it needs, what it is about and how long it may take', () => {
  const source = "import x;\n\n/** Two directors:\n * one dies. */\nexport const needs = 'kernel';\n";
  assert.equal(scenarioOf('a.ts', source), {
    file: 'a.ts',
    need: 'kernel',
    about: 'Two directors: one dies.',
    limitSeconds: DEFAULT_LIMIT_SECONDS,
    long: false,
  });
  assert.is(scenarioOf('a.ts', `${source}export const limitSeconds = 30;\n`).limitSeconds, 30);
  assert.ok(scenarioOf('a.ts', `${source}export const long = true;\n`).long);
});

scenarios('one that does not say it, or says something else, is refused with the choices', () => {
  const choices = /a\.ts does not say.*'host', 'kernel', 'pair of kernels', 'systemd'/;
  assert.throws(() => scenarioOf('a.ts', ''), choices);
  assert.throws(() => scenarioOf('a.ts', "\nexport const needs = 'moon';\n"), choices);
});

scenarios('every file of test/lab is one', () => {
  assert.ok(allScenarios().length > 0);
  for (const { file, about } of allScenarios()) assert.ok(about.length > 0, `${file} has no doc comment`);
});

scenarios.run();
