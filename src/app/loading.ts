import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { formatDiagnostic, type Paint, summary } from '../core/config/diagnostics.ts';
import { type Loaded, load, testExitCode } from '../core/config/load.ts';
import type { Configuration } from '../core/config/model.ts';
import { print } from '../core/config/print.ts';
import { Remembered } from '../core/config/reuse.ts';
import { withoutSecrets } from '../core/config/secrets.ts';
import { fileReader } from '../io/files.ts';
import { hostFacts } from '../io/host.ts';
import { writeRegular } from '../io/regular.ts';
import { paintError } from '../io/screen.ts';
import type { DaemonOptions, GivenOptions } from './options.ts';

const STYLES = {
  place: 'bold',
  error: 'red',
  warning: 'yellow',
  message: 'bold',
  caret: 'green',
  hint: 'cyan',
} as const;
const coloured: Paint = (text, part) => (part === 'source' ? text : paintError(STYLES[part], text));

/**
 * What `${_RANDOM}` draws is another thing in each process, and the same after a reload: that is to change nothing.
 * No secret: to load Node's cryptography for it takes 8 ms.
 */
const SEED = Math.floor(Math.random() * 2 ** 31);

function read(file: string, configId: string | undefined, remembered?: Remembered): Loaded {
  return load({
    ...(remembered && { remembered }),
    file,
    reader: fileReader,
    facts: hostFacts,
    configId: configId ?? hostname().replace(/\..*/, ''),
    folder: process.cwd(),
    variable: (name) => process.env[name],
    seed: SEED,
  });
}

/** All findings, and a line that counts them; empty when there are none. */
function report({ diagnostics, dropped }: Loaded, paint?: Paint): string {
  if (diagnostics.length === 0) return '';
  const texts = diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, paint));
  return `${[...texts, summary(diagnostics, dropped)].join('\n')}\n`;
}

/** Of the daemon's file, for its reloads. */
const remembered = new Remembered();

/** The configuration, or `undefined` when it has errors. `findings` gets each finding as plain text. */
export function loadFile(
  options: DaemonOptions,
  finding: (severity: 'error' | 'warning', text: string) => void,
): Configuration | undefined {
  const { configuration, diagnostics } = read(options.useFile, options.configId, remembered);
  for (const diagnostic of diagnostics) finding(diagnostic.severity, formatDiagnostic(diagnostic));
  return configuration;
}

/** The configuration, with what is wrong with it. */
export const readConfiguration = ({ useFile, configId, configTest }: GivenOptions): Loaded =>
  read(useFile, configId, configTest === undefined ? remembered : undefined);

/** Tells somebody who looks at standard error what is wrong. */
export function showFindings(loaded: Loaded): void {
  process.stderr.write(report(loaded, coloured));
}

/** `vipkeeperd -t`: reports to standard error or the file, and gives the exit status. */
export function testConfiguration({ configTest }: GivenOptions, loaded: Loaded): number {
  if (configTest === undefined || configTest === true) showFindings(loaded);
  else if (configTest.startsWith('/dev/')) writeFileSync(configTest, report(loaded));
  else writeRegular(configTest, report(loaded), 'replace', 0o644);
  return testExitCode(loaded);
}

export interface CheckOptions {
  /** The findings as data on standard output. */
  readonly json?: boolean;
  /** Warnings count as errors. */
  readonly strict?: boolean;
  /** What the file means, in canonical form on standard output. */
  readonly print?: boolean;
  /** With its passwords and keys. */
  readonly secrets?: boolean;
}

/** `vipkeeper check`: as `-t`, and gives its exit status. */
export function checkFile(file: string, { json, strict, print: canonical, secrets }: CheckOptions): number {
  const loaded = read(file, undefined);
  if (json) process.stdout.write(`${JSON.stringify(loaded.diagnostics, null, 2)}\n`);
  else process.stderr.write(report(loaded, coloured) || `${file}: nothing to complain about\n`);
  const { configuration } = loaded;
  if (canonical && configuration !== undefined)
    process.stdout.write(print(secrets ? configuration : withoutSecrets(configuration)));
  return testExitCode(loaded, strict);
}
