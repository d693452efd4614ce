import { namespacesOf } from './build/global.ts';
import { build } from './build.ts';
import { type Expanded, expand, type MainFile } from './expand.ts';
import { askedOnce, type Facts, NO_HOST } from './facts.ts';
import { Findings } from './findings.ts';
import { root } from './grammar/root.ts';
import type { Reader } from './include.ts';
import type { Configuration, Diagnostic, Namespaces } from './model.ts';
import { parse } from './parse.ts';
import type { Remembered, Understood } from './reuse.ts';
import { hideSecrets } from './secrets.ts';
import type { Line } from './source.ts';
import { Section } from './tree.ts';

export interface LoadOptions {
  /** The main file's path, or a glob pattern (`-f`). */
  readonly file: string;
  readonly reader: Reader;
  /** What is known of this host; nothing when absent. */
  readonly facts?: Facts;
  /** `-i`, or the node's name up to its first dot. */
  readonly configId: string;
  /** The working folder, absolute, for `${_PWD}` of files whose names are not. */
  readonly folder?: string;
  /** Environment variables, for `${_ENV NAME}`; none when absent. */
  readonly variable?: (name: string) => string | undefined;
  /** Seed of `${_RANDOM}`. */
  readonly seed?: number;
  /** `-e`: every include must succeed. */
  readonly allIncludes?: boolean;
  /** What was read last by whoever reads again and again. */
  readonly remembered?: Remembered;
}

export interface Loaded {
  /** Absent when there is any error: a configuration is used whole or not at all. */
  readonly configuration?: Configuration;
  /** Errors and warnings, file by file in the order of the lines. */
  readonly diagnostics: readonly Diagnostic[];
  /** How many more there were than `diagnostics` holds. */
  readonly dropped: number;
  /** The main file could not be read. */
  readonly unreadable: boolean;
  /** The network namespaces that it names, also where something else is wrong with it. */
  readonly namespaces: Namespaces;
}

/** Reads, expands, parses and checks a configuration. Bad input gives diagnostics, never an exception. */
export function load(given: LoadOptions): Loaded {
  const options = { ...given, facts: askedOnce(given.facts ?? NO_HOST) };
  let findings = new Findings();
  const { files, unreadable } = readFiles(options, findings);
  const { isCutShort, ...expanded } = expandFiles(files, options, findings);
  let { lines } = expanded;
  let { statements, configuration } = understandAgain(lines, options, findings);
  if (isCutShort && findings.errors > 0) {
    const mended = new Findings();
    const again = expandFiles(files, options, mended, true);
    const understood = understand(again.lines, options, mended);
    if (mended.errors < findings.errors) {
      findings = mended;
      ({ lines } = again);
      ({ statements, configuration } = understood);
    }
  }
  if (findings.errors === 0) checkPresent(configuration, files, findings);
  const diagnostics = inFileOrder(hideSecrets(findings.all(), lines));
  return {
    ...(findings.errors === 0 ? { configuration } : {}),
    diagnostics,
    dropped: findings.dropped,
    unreadable,
    namespaces: namespacesOf(new Section(statements)),
  };
}

/** All files that the configuration begins with. */
function readFiles(
  { file, reader }: LoadOptions,
  findings: Findings,
): { files: readonly MainFile[]; unreadable: boolean } {
  const paths = /[*?[]/.test(file) ? reader.glob(file) : [file];
  const files: MainFile[] = [];
  for (const name of paths) {
    const read = reader.read(name);
    if (read.kind === 'text') files.push({ name, text: read.text });
    else findings.error(nowhere(name), `the configuration cannot be read: ${name} ${read.problem}`);
  }
  if (paths.length === 0)
    findings.error(nowhere(file), `the configuration cannot be read: no file matches ${file}`);
  return { files, unreadable: files.length < Math.max(1, paths.length) };
}

function expandFiles(
  files: readonly MainFile[],
  options: LoadOptions,
  findings: Findings,
  isMending = false,
): Expanded {
  const { reader, configId, folder, variable = () => undefined, seed = 1, allIncludes = false } = options;
  const environment = { configId, variable, seed, ...(folder !== undefined && { folder }) };
  return expand(files, { reader, environment, allIncludes, isMending }, findings);
}

/** A file of comments, or one whose includes match nothing, is no fault: but nothing would be served. */
function checkPresent(
  { instances, virtualServers, bfd }: Configuration,
  files: readonly MainFile[],
  findings: Findings,
): void {
  if (instances.length + virtualServers.length + bfd.length > 0) return;
  const message = 'the configuration has no vrrp_instance and no virtual_server: there is nothing to do';
  findings.warning(nowhere(files[0]?.name ?? ''), message);
}

/** With what is remembered, where that is the same. */
function understandAgain(lines: readonly Line[], options: LoadOptions, findings: Findings): Understood {
  const { remembered } = options;
  if (remembered === undefined) return understand(lines, options, findings);
  const isClean = findings.all().length === 0;
  const again = isClean && remembered.reuse(lines, (some) => understandCleanly(some, options));
  if (again) return again;
  const understood = understand(lines, options, findings);
  remembered.keep(lines, findings.all().length === 0 ? understood : undefined);
  return understood;
}

/** Nothing where there is anything to be said. */
function understandCleanly(lines: readonly Line[], options: LoadOptions): Understood | undefined {
  const findings = new Findings();
  const understood = understand(lines, options, findings);
  return findings.all().length === 0 ? understood : undefined;
}

function understand(
  lines: readonly Line[],
  { facts = NO_HOST, reader }: LoadOptions,
  findings: Findings,
): Understood {
  const statements = parse(lines, root, findings);
  return { statements, configuration: build(statements, { findings, facts, reader }) };
}

/** By file, in the order in which the files first came up, then by line and column. */
function inFileOrder(found: readonly Diagnostic[]): Diagnostic[] {
  const files = Array.from(new Set(found.map(({ at }) => at.file)));
  const rank = new Map(files.map((file, i) => [file, i]));
  const fileOf = ({ at }: Diagnostic): number => rank.get(at.file) ?? 0;
  return [...found].sort(
    (a, b) => fileOf(a) - fileOf(b) || a.at.line - b.at.line || a.at.column - b.at.column,
  );
}

const nowhere = (name: string) => {
  const line: Line = { file: { name }, number: 1, written: '', text: '', pieces: [] };
  return { line, start: 0, end: 0 };
};

/**
 * The exit code of `-t`: 0 when the configuration can be used, 4 when its file cannot be read, 5 when it has
 * errors, 6 when one of them is that root would run a script that others can write. keepalived gives 5 for warnings
 * too, and lets the largest number hide the worst finding. Its warnings are not ours (it is silent about most of
 * them), so warnings alone are 0 here and 5 or 6 with `--strict`, and the worst finding decides.
 */
export function testExitCode(loaded: Loaded, strict = false): 0 | 4 | 5 | 6 {
  if (loaded.unreadable) return 4;
  const bad = loaded.diagnostics.filter(({ severity }) => strict || severity === 'error');
  if (bad.some(({ security }) => security === true)) return 6;
  return bad.length > 0 ? 5 : 0;
}

/** The exit code of a daemon that does not start because of its configuration, as keepalived's. */
export const REFUSED_EXIT_CODE = 2;
