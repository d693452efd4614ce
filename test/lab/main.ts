import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { runFile } from '../run-file.ts';
import { Report } from '../run-report.ts';
import { ROOT } from './engine/root.ts';
import { startScenario } from './engine/run-scenario.ts';
import { allScenarios, DEFAULT_LIMIT_SECONDS, type Scenario } from './engine/scenarios.ts';

/**
 * `npm run lab -- test/lab/failover.ts ...`: runs scenarios by name, one after the other; without names,
 * lists them.
 */
const names = process.argv.slice(2);
if (names.length === 0) list();
else await runAll(names.map((name) => find(name)));

function list(): void {
  const scenarios = allScenarios();
  const width = Math.max(...scenarios.map(({ file }) => file.length));
  console.log('Scenarios, what they run on, and what they show. Run one: npm run lab -- FILE\n');
  for (const { file, need, about } of scenarios)
    console.log(`${file.padEnd(width)}  ${need.padEnd(15)}  ${about}`);
}

/** A scenario by its path, from here or from the project's folder; the name alone does too. */
function find(name: string): Scenario {
  const all = allScenarios();
  const paths = [relative(ROOT, resolve(name)), name, `test/lab/${name}`, `test/lab/${name}.ts`];
  const found = all.find(({ file }) => paths.includes(file));
  if (found !== undefined) return found;
  const interop = paths.find((path) => /^test\/interop\/.*\.ts$/.test(path) && existsSync(join(ROOT, path)));
  if (interop !== undefined)
    return { file: interop, need: 'host', about: '', limitSeconds: DEFAULT_LIMIT_SECONDS, long: false };
  console.error(`no scenario ${name}; there are:\n${all.map(({ file }) => `  ${file}`).join('\n')}`);
  process.exit(2);
}

async function runAll(scenarios: readonly Scenario[]): Promise<void> {
  const report = new Report(process.stdout);
  for (const scenario of scenarios) {
    const { file } = scenario;
    report.say(`${file}, on ${scenario.need}`);
    const start = (env: Record<string, string>) => startScenario(scenario, env);
    const echo = (text: string): void => void process.stdout.write(text);
    report.add(await runFile({ name: file, limitSeconds: scenario.limitSeconds, start, echo }));
  }
  process.exitCode = report.finish();
}
