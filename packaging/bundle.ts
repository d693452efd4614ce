import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { lateBuiltins } from './builtins.ts';
import { licences } from './licences.ts';

/**
 * bundle.js [FOLDER [RUNTIME]]: makes one file of each program and each process of the daemon, in FOLDER (`build`),
 * beside the addon. FOLDER is also what is packed for npm. The programs run on the Node RUNTIME where it is there, else
 * on that of PATH.
 */

const ROOT = join(import.meta.dirname, '../..');
const [folder = join(ROOT, 'build'), runtime] = process.argv.slice(2);
const { name, version, description, license, bin, engines, os } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);
/** Parts of programs. */
const NO_ENTRIES = ['program.ts', 'child.ts'];
const entries = readdirSync(join(ROOT, 'src/main')).filter((file) => !NO_ENTRIES.includes(file));
const nameOf = (file: string): string => file.replace(/\.ts$/, '');
const isProgram = (entry: string): boolean => Object.hasOwn(bin, entry);

/** The package's Node has its own cache of compiled code, which only root writes. */
const NODE =
  runtime === undefined
    ? 'node=node'
    : `node=${runtime}; [ -x $node ] || node=/usr/bin/node; export NODE_COMPILE_CACHE=/var/cache/vipkeeper`;

/**
 * A program is a shell script whose second line executes Node with the same file, which is JavaScript to it: without
 * the variables that Node listens to, and with a port for the debugger that it can't have (src/io/node.ts). The first
 * statement: Node's own answer to this signal is to open its debugger.
 */
const LAUNCHER = `#!/bin/sh
':' //; unset NODE_OPTIONS NODE_V8_COVERAGE NODE_REDIRECT_WARNINGS NODE_DEBUG; ${NODE}
':' //; exec "$node" '--inspect-port=[ff00::]' "$0" "$@"
`;
const BEGIN = `'use strict';
process.on('SIGUSR1', () => undefined);
const bundleUrl = require('node:url').pathToFileURL(__filename).href;
`;

async function bundle(file: string): Promise<Metafile> {
  const entry = nameOf(file);
  const { metafile } = await build({
    entryPoints: [join(ROOT, 'src/main', file)],
    outfile: join(folder, entry),
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    // A script starts in less time than a module.
    format: 'cjs',
    target: 'node20',
    banner: { js: (isProgram(entry) ? LAUNCHER : '') + BEGIN },
    // What a module knows of itself.
    define: { 'import.meta.url': 'bundleUrl', 'import.meta.dirname': '__dirname' },
    // A start reads all of it. Names stay, and lines are short: a defect is told with its place.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 120,
    // What the process of VRRP uses is there before it works.
    plugins: entry === 'vrrp' ? [] : [lateBuiltins],
    logLevel: 'warning',
    legalComments: 'none',
    metafile: true,
  });
  if (isProgram(entry)) chmodSync(join(folder, entry), 0o755);
  return metafile;
}

mkdirSync(folder, { recursive: true });
const metafiles = await Promise.all(entries.map(bundle));
writeFileSync(join(folder, 'LICENSES'), licences(ROOT, metafiles));
// Node reads it: what lies here are no modules, and how old it may be (src/io/required.ts). npm reads the rest.
const programs = Object.fromEntries(Object.keys(bin).map((program) => [program, program]));
const about = {
  name,
  version,
  description,
  license,
  type: 'commonjs',
  bin: programs,
  engines,
  os,
  cpu: [process.arch],
};
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, undefined, 2)}\n`);
