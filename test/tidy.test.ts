import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from './suite.ts';

/**
 * The architecture as a test: directions of imports, what the pure core may not touch, sizes, and that every
 * test file runs. It reads the sources as text; biome checks what needs a parser.
 */
const ROOT = findRoot(import.meta.dirname);
/** The formatter breaks code at 110; a comment may take a little more. */
const MAX_COLUMNS = 120;

const LEAVES = ['machine', 'time', 'bytes', 'ip', 'checksum', 'assert', 'counted', 'prng', 'sealed', 'bpf'];
const DOMAINS = [
  'vrrp',
  'track',
  'bfd',
  'check',
  'balance',
  'sync',
  'fence',
  'netlink',
  'notify',
  'supervision',
];
/** npm packages that the core may use: pure, without dependencies. */
const PURE_PACKAGES = ['ipaddr.js'];
/** What the core may not contain, and what to use instead. */
const BANNED_IN_CORE: readonly (readonly [RegExp, string])[] = [
  [/\bDate\b/, '`now`, which the shell passes in'],
  [/\bperformance\b/, '`now`, which the shell passes in'],
  [/\bset(Timeout|Interval|Immediate)\b/, 'deadline() and timeout(now)'],
  [/\bMath\.random\b/, 'Prng'],
  [/\bprocess\./, 'an event that carries the value'],
  [/\bBuffer\b/, 'Uint8Array, Reader and Writer'],
  [/\basync\b|\bawait\b|\bPromise\b/, 'an effect, and its result as an event'],
  [/\bconsole\./, 'an effect or a returned value'],
];
/**
 * Folders of src/app, and whose code each uses beside its own. What processes say to each other is in messages.ts;
 * the operator's program knows the answers of the supervisor.
 */
const APP_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  supervisor: ['notify', 'track'],
  track: ['notify'],
  notify: [],
  vrrp: [],
  check: [],
  sync: [],
  operator: ['supervisor'],
  lvsadm: [],
};
/** The real-time process loads nothing from npm but what is pure. */
const VRRP_PROCESS = 'src/app/vrrp/process.ts';
/** Where programs begin; everything else in src must be reachable from here. */
const ENTRIES = filesBelow('src/main', '.ts');

/**
 * Fields that follow from the settings, which are restored as such, and those that are empty between two events
 * (effects) or only save work (`#made`).
 */
const NOT_REMEMBERED = [
  '#effects',
  '#changes',
  '#settings',
  '#lines',
  '#made',
  '#lease',
  '#announcing',
  '#addresses',
  '#elsewhere',
  '#key',
  '#keys',
  '#marksKept',
  '#header',
  '#trailer',
  '#wire',
  // These follow from what is remembered.
  'check #place',
  'reconcile #byDevice',
  'reconcile #alike',
  'check #scheduleOf',
  'serving #servers',
  'serving #owners',
  'reconcile #steps',
  // Routers are made again by whom they are configured by, and groups by their names.
  'director #routers',
  'director #groups',
];
/** Where all that changes is part of a recording. */
const RECORDED_FOLDERS = ['director', 'vrrp', 'bfd', 'fence', 'reconcile', 'serving', 'balance', 'check'];
/**
 * What is in these does not outlive an event, or no machine decides by it: dialogues are led by the shell; or it is in
 * another process than those that record.
 */
const UNRECORDED_CLASSES = [
  'Ensemble',
  'Wire',
  'Choice',
  'HttpDialogue',
  'SmtpDialogue',
  'Translation',
  'Stalls',
  'LeaseRequests',
  'EtcdVoter',
  'Fencing',
  'DeviceHealth',
  'Witness',
];

interface Import {
  readonly from: string;
  /** A path from the root for our own files, a package's name, or `node:...`. */
  readonly to: string;
}

function findRoot(start: string): string {
  let folder = start;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
/** The text with comments and the contents of strings blanked, so that words in them are not code. */
const codeOf = (file: string): string =>
  read(file)
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''");

function importsOf(file: string): Import[] {
  const found = read(file).matchAll(
    /^(?:import|export)\b[^'";]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm,
  );
  return Array.from(found, (match) => {
    const to = match[1] ?? match[2] ?? match[3] ?? '';
    return { from: file, to: to.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), to)) : to };
  });
}

const SOURCES = filesBelow('src', '.ts');
const TESTS = [...filesBelow('test', '.ts'), ...filesBelow('packaging', '.ts')];
const IMPORTS = SOURCES.flatMap(importsOf);
const isOurs = (to: string): boolean => to.startsWith('src/');
const isNpm = (to: string): boolean => !isOurs(to) && !to.startsWith('node:');

/** `core`, `io`, `app` or `main`. */
const layerOf = (file: string): string => file.split('/')[1] ?? '';
/** Within the core: the folder or the file's own name. */
const partOf = (file: string): string => (file.split('/')[2] ?? '').replace(/\.ts$/, '');

const tidy = suite('tidy');

tidy('layers: core <- io <- app <- main', () => {
  const mayImport: Record<string, string[]> = {
    core: ['core'],
    io: ['core', 'io'],
    app: ['core', 'io', 'app'],
    main: ['core', 'io', 'app', 'main'],
  };
  const wrong = IMPORTS.filter(
    ({ from, to }) => isOurs(to) && !mayImport[layerOf(from)]?.includes(layerOf(to)),
  );
  assert.equal(wrong, []);
});

tidy('app: what runs in one process imports nothing of another', () => {
  const folderOf = (file: string): string | undefined =>
    file.startsWith('src/app/') ? /^src\/app\/([^/]+)\//.exec(file)?.[1] : undefined;
  assert.equal(
    [...new Set(SOURCES.flatMap((file) => folderOf(file) ?? []))].sort(),
    Object.keys(APP_FOLDERS).sort(),
  );
  const wrong = IMPORTS.filter(({ from, to }) => {
    const [a, b] = [folderOf(from), folderOf(to)];
    return a !== undefined && b !== undefined && a !== b && !APP_FOLDERS[a]?.includes(b);
  });
  assert.equal(wrong, []);
});

tidy('core: leaves <- domains <- the rest, and no domain imports another', () => {
  const wrong = IMPORTS.filter(({ from, to }) => {
    if (layerOf(from) !== 'core' || !isOurs(to)) return false;
    const [a, b] = [partOf(from), partOf(to)];
    if (a === b || LEAVES.includes(b)) return false;
    return LEAVES.includes(a) || DOMAINS.includes(a);
  });
  assert.equal(wrong, []);
});

tidy('core: only pure packages, nothing of node', () => {
  const wrong = IMPORTS.filter(
    ({ from, to }) => layerOf(from) === 'core' && !isOurs(to) && !PURE_PACKAGES.includes(to),
  );
  assert.equal(wrong, []);
});

tidy('core: no clock, timer, randomness, promise, log', () => {
  const wrong = SOURCES.filter((file) => layerOf(file) === 'core').flatMap((file) =>
    codeOf(file)
      .split('\n')
      .flatMap((line, i) =>
        BANNED_IN_CORE.filter(([pattern]) => pattern.test(line)).map(
          ([pattern, instead]) => `${file}:${i + 1}: ${pattern.source}: use ${instead}`,
        ),
      ),
  );
  assert.equal(wrong, []);
});

tidy('each npm package is imported in one file', () => {
  const importers = new Map<string, Set<string>>();
  for (const { from, to } of IMPORTS) {
    if (isNpm(to)) importers.set(to, (importers.get(to) ?? new Set()).add(from));
  }
  const wrong = [...importers].filter(([, files]) => files.size > 1).map(([name, files]) => [name, ...files]);
  assert.equal(wrong, []);
});

/** Every file reachable from the entries by imports, static or lazy. */
function reachable(entries: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { from, to } of IMPORTS) if (from === file && isOurs(to)) queue.push(to);
  }
  return seen;
}

tidy('the vrrp process loads no npm package that is not pure', () => {
  const files = reachable([VRRP_PROCESS]);
  const wrong = IMPORTS.filter(({ from, to }) => files.has(from) && isNpm(to) && !PURE_PACKAGES.includes(to));
  assert.equal(wrong, []);
});

tidy('every source file is used by a program', () => {
  const files = reachable(ENTRIES);
  assert.equal(
    SOURCES.filter((file) => !files.has(file)),
    [],
  );
});

/** A way from a file back to itself by imports, those of types among them; `undefined` when there is none. */
function circleOf(file: string): string[] | undefined {
  const from = new Map<string, string>();
  const queue = [file];
  for (let each = queue.shift(); each !== undefined; each = queue.shift()) {
    for (const { to } of IMPORTS.filter((one) => one.from === each)) {
      if (to === file) {
        const way = [file];
        for (let back: string | undefined = each; back !== undefined; back = from.get(back))
          way.unshift(back);
        return way;
      }
      if (!from.has(to)) {
        from.set(to, each);
        queue.push(to);
      }
    }
  }
  return undefined;
}

tidy('no file imports itself by way of others', () => {
  const circles = SOURCES.flatMap((file) => circleOf(file)?.join(' -> ') ?? []);
  assert.equal(circles, []);
});

tidy('tests have our suite, in which no error is lost (suite.ts)', () => {
  const importers = TESTS.flatMap(importsOf).filter(({ to }) => to === 'uvu');
  assert.equal(
    importers.map(({ from }) => from),
    ['test/suite.ts'],
  );
});

tidy('no line is wider than the screen', () => {
  const wrong = [...SOURCES, ...TESTS].flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (line.length > MAX_COLUMNS ? [`${file}:${i + 1}: ${line.length} columns`] : [])),
  );
  assert.equal(wrong, []);
});

tidy('one native addon', () => {
  assert.equal(filesBelow('src', '.c'), ['src/io/native/rawio.c', 'src/io/native/streams.c']);
});

tidy('programs: what starts Node, and their first statement, shut its debugger', () => {
  for (const program of readdirSync(join(ROOT, 'bin'))) {
    const [shell, variables, node, strict, first] = read(`bin/${program}`).split('\n');
    assert.equal([shell, strict], ['#!/bin/sh', "'use strict';"], program);
    assert.match(variables ?? '', /^':' \/\/; unset NODE_OPTIONS /, program);
    assert.match(node ?? '', /^':' \/\/; exec "\$node" '--inspect-port=\[ff00::\]' /, program);
    assert.is(first, "process.on('SIGUSR1', () => undefined);", program);
  }
});

tidy('names say what a thing is', () => {
  const vague = /(^|[/.-])(utils?|helpers?|common|misc|manager|data2)([/.-]|$)/i;
  assert.equal(
    [...SOURCES, ...TESTS].filter((file) => vague.test(file)),
    [],
  );
});

/** What a class keeps beside what it was made with: its fields that are no constants, and collections that it fills. */
function changingFields(code: string): string[] {
  const changing = code.matchAll(
    /^ {2}(#\w+)(?=[:=! ;])(?! ?\()|^ {2}readonly (#\w+) = new (?:Map|Set|Uint32Array)\b/gm,
  );
  return Array.from(changing, (match) => match[1] ?? match[2] ?? '');
}

tidy('what a machine remembers is all in its recordings', () => {
  const wrong = SOURCES.filter((file) => layerOf(file) === 'core').flatMap((file) =>
    read(file)
      .split(/^(?=export class |class )/m)
      .filter((code) => /^ {2}memory\(\)/m.test(code) && /^ {2}recall\(/m.test(code))
      .flatMap((code) => {
        const bodyOf = (method: string): string =>
          new RegExp(`^ {2}${method}\\([\\s\\S]*?^ {2}}`, 'm').exec(code)?.[0] ?? '';
        const absent = changingFields(code).filter(
          (field) =>
            !NOT_REMEMBERED.includes(field) &&
            !NOT_REMEMBERED.includes(`${partOf(file)} ${field}`) &&
            !(bodyOf('memory').includes(field) && bodyOf('recall').includes(field)),
        );
        return absent.map((field) => `${file}: ${field} is not in memory() and recall()`);
      }),
  );
  assert.equal(wrong, []);
});

tidy('whatever decides and is recorded has a memory', () => {
  const wrong = SOURCES.filter((file) => RECORDED_FOLDERS.includes(partOf(file)) && layerOf(file) === 'core')
    .flatMap((file) =>
      read(file)
        .split(/^(?=export class |class )/m)
        .slice(1)
        .map((code) => [file, code] as const),
    )
    .flatMap(([file, code]) => {
      const name = /class (\w+)/.exec(code)?.[1] ?? '';
      const remembers = /^ {2}memory\(\)/m.test(code) && /^ {2}recall\(/m.test(code);
      const exempt = remembers || UNRECORDED_CLASSES.includes(name);
      return exempt
        ? []
        : changingFields(code)
            .slice(0, 1)
            .map((field) => `${file}: ${name} has ${field}, and no memory() and recall()`);
    });
  assert.equal(wrong, []);
});

tidy('every test file runs its tests, and none is left out', () => {
  const wrong = filesBelow('test', '.test.ts').filter((file) => {
    const code = codeOf(file);
    return !/\b\w+\.run\(\)/.test(code) || /\.(skip|only)\(/.test(code);
  });
  assert.equal(wrong, []);
});

tidy.run();
