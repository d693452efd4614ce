import { readFileSync } from 'node:fs';
import { installed } from './installed.ts';

/**
 * Says what Node is needed and ends the program, where another one runs it. Loaded by the programs before anything
 * else: an older Node fails in the rest (node:util has no styleText there). Nothing is imported here that Node 18 does
 * not have. What is needed stands in package.json.
 */

/** Whether version `20.11.1` is older than `>=20.12` wants. */
export function isTooOld(version: string, wanted: string): boolean {
  const parts = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
  const [have, need] = [parts(version), parts(wanted)];
  const differs = need.findIndex((part, i) => part !== (have[i] ?? 0));
  return differs >= 0 && (have[differs] ?? 0) < (need[differs] ?? 0);
}

function wantedVersion(): string | undefined {
  try {
    return JSON.parse(readFileSync(installed('package.json'), 'utf8')).engines?.node;
  } catch {
    // Without the file nobody knows.
    return undefined;
  }
}

const wanted = wantedVersion();
if (wanted !== undefined && isTooOld(process.versions.node, wanted)) {
  process.stderr.write(
    `this needs Node ${wanted.replace('>=', '')} or later, and ${process.execPath} is ${process.versions.node}\n`,
  );
  process.exit(1);
}
