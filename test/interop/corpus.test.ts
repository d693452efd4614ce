import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { load } from '../../src/core/config/load.ts';
import { fileReader } from '../../src/io/files.ts';
import { hostFacts } from '../../src/io/host.ts';
import { generated } from '../core/config/generated.ts';
import { enclose } from '../lab/engine/enclosed.ts';
import { ip } from '../lab/scene/run.ts';
import { suite } from '../suite.ts';

/**
 * What keepalived runs with is not refused: configurations of packages, and ones made from the keyword tables, with
 * keepalived as the judge.
 */
await enclose();

const GENERATED = process.env.VIPKEEPER_LONG === '1' ? 3000 : 300;
/** Where packages put theirs; what is not installed is not there. */
const FOLDERS = ['/usr/share/doc/keepalived/samples', '/etc/keepalived', '/usr/share/doc/keepalived'];

/** What is an error although keepalived goes on, and why. */
const EXCEPTIONS: readonly (readonly [error: RegExp, reason: string])[] = [
  [/^unknown keyword '/, 'a misspelt word: what it was to do is not done'],
  [/: expected .*, found '/, 'a misspelt value: the same'],
  [/: needs /, 'a value that is missing: the same'],
  [
    /^there is no (vrrp_|track_|bfd_|virtual_)/,
    'a name that nothing has: what it was to watch or serve is not',
  ],
  [/'[{}]'|never closed/, 'braces that do not match: lines count for other blocks than their own'],
  [/ is defined twice /, 'two blocks for one service: which settings it gets is chance'],
  [/has no (url|misc_path) /, 'a check that checks nothing: its server would count as up for ever'],
  [/: there is no peer /, 'unicast_fault_no_peer without a peer: it would be in FAULT for ever'],
  [/^there is no (user|group) /, 'neither may another user run a check, nor may its server count as up'],
];

let folder: string;

const errorsOf = (file: string): string[] =>
  load({ file, reader: fileReader, facts: hostFacts, configId: 'h1' }).diagnostics.flatMap(
    ({ severity, message, at }) => (severity === 'error' ? [`${message} (line ${at.line})`] : []),
  );

/** Whether keepalived runs with a file. Its checkers need IPVS, so only their reading is tried. */
async function runs(file: string): Promise<boolean> {
  const { status } = spawnSync('keepalived', ['-t', '-i', 'h1', '-f', file], { stdio: 'ignore' });
  if (status !== 0 && status !== 5 && status !== 6) return false;
  if (!readFileSync(file, 'utf8').includes('vrrp_instance')) return true;
  const pids = ['-p', join(folder, 'p'), '-r', join(folder, 'r')];
  const child = spawn('keepalived', ['-nlGP', '-i', 'h1', '-f', file, ...pids], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  return await new Promise((resolve) => {
    let said = '';
    child.on('exit', () => resolve(false));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!/Startup complete|Entering BACKUP STATE/.test(said)) return;
      resolve(true);
      child.kill('SIGKILL');
    });
  });
}

/** The errors of a file that keepalived runs with, but for those that have a reason. */
async function wronglyRefused(file: string): Promise<string[]> {
  const errors = errorsOf(file).filter((error) => !EXCEPTIONS.some(([known]) => known.test(error)));
  return errors.length > 0 && (await runs(file)) ? errors : [];
}

const test = suite('what keepalived runs with is not refused');

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'corpus-'));
  for (const name of ['eth0', 'eth1']) {
    ip(
      undefined,
      `link add ${name} type veth peer name ${name}p`,
      `link set ${name} up`,
      `link set ${name}p up`,
    );
  }
  ip(undefined, 'address add 192.0.2.1/24 dev eth0', 'address add 198.51.100.1/24 dev eth1');
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

test('configurations of packages', async () => {
  const files = FOLDERS.filter(existsSync).flatMap((path) =>
    readdirSync(path)
      .filter((name) => /^keepalived\.conf/.test(name) && !name.endsWith('SYNOPSIS'))
      .map((name) => join(path, name)),
  );
  assert.ok(files.length >= 25, `${files.length} files`);
  const refused: string[] = [];
  for (const file of files) {
    for (const error of await wronglyRefused(file)) refused.push(`${file}: ${error}`);
  }
  assert.equal(refused, []);
});

test(`${GENERATED} that are made from the keyword tables`, async () => {
  const refused: string[] = [];
  for (let seed = 1; seed <= GENERATED; seed++) {
    const file = join(folder, `${seed}.conf`);
    writeFileSync(file, generated(seed));
    for (const error of await wronglyRefused(file)) refused.push(`seed ${seed}: ${error}`);
  }
  assert.equal(refused, []);
});

test.run();
