import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { spawnEnclosed } from './enclosure.ts';
import { compiled, ROOT } from './root.ts';
import type { Scenario } from './scenarios.ts';

/** Whether the running kernel has IPVS itself, so that no other needs to be booted. */
const runningKernelHasIpvs = (): boolean => existsSync('/proc/net/ip_vs');

/** Where a scenario leaves captures and consoles. */
export const resultsOf = (scenario: Scenario): string =>
  join(ROOT, 'dist/lab', basename(scenario.file).replace(/\.ts$/, ''));

/** Starts a scenario on what it needs. Killing the process (SIGKILL) ends and removes everything of it. */
export function startScenario(scenario: Scenario, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const results = resultsOf(scenario);
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const file = compiled(scenario.file);
  const boots = scenario.need === 'kernel' && !runningKernelHasIpvs();
  const program = boots ? [compiled('test/lab/engine/inside.ts'), results, file] : [file];
  return spawnEnclosed([process.execPath, ...program], { env: { ...env, LAB_RESULTS: results } });
}
