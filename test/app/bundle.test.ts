import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { VERSION } from '../../src/app/version.ts';
import { ROOT } from '../lab/engine/root.ts';
import { suite } from '../suite.ts';

/** What is shipped: a folder with a file for each program and process, and the addon; nothing else is needed. */
const test = suite('bundles');
const folder = mkdtempSync(join(tmpdir(), 'vipkeeper-'));
const shipped = join(folder, 'shipped');
test.after(() => rmSync(folder, { recursive: true }));

const run = (program: string, words: readonly string[], env: Record<string, string> = {}) =>
  spawnSync(program, words, { encoding: 'utf8', cwd: '/', env: { ...process.env, ...env } });

test('the folder works anywhere, by links too', () => {
  cpSync(join(ROOT, 'build'), shipped, { recursive: true });
  for (const program of readdirSync(join(ROOT, 'bin'))) {
    const link = join(folder, program);
    symlinkSync(join(shipped, program), link);
    // Its own words, or that this kernel has no IPVS: it has come as far as the addon's sockets.
    const { stdout, stderr } = run(link, program === 'lvsadm-restore' ? [] : ['--help']);
    assert.match(stdout + stderr, new RegExp(`^(Usage: )?${program}|Can't initialize ipvs`, 'm'));
  }
  assert.match(run(join(folder, 'vipkeeperd'), ['--version']).stdout, VERSION);
});

test('a program that is called by another name says that name', () => {
  symlinkSync(join(shipped, 'lvsadm'), join(folder, 'ipvsadm'));
  assert.match(run(join(folder, 'ipvsadm'), ['-h']).stdout, /^ipvsadm v/);
});

test('npm packs and installs it, with no compiler and no network', () => {
  const npm = (...words: string[]): void => {
    const { status, stdout, stderr } = spawnSync('npm', [...words, '--cache', join(folder, 'cache')], {
      encoding: 'utf8',
      cwd: folder,
      env: { ...process.env, PATH: `${join(process.execPath, '..')}:/bin:/usr/bin`, CC: '/bin/false' },
    });
    assert.is(status, 0, stdout + stderr);
  };
  npm('pack', shipped);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  npm('install', '--global', '--offline', '--prefix', join(folder, 'global'), join(folder, archive));
  for (const program of readdirSync(join(ROOT, 'bin')))
    assert.ok(readdirSync(join(folder, 'global/bin')).includes(program), program);
  assert.match(run(join(folder, 'global/bin/vipkeeperd'), ['--version']).stdout, VERSION);
  assert.match(run(join(folder, 'global/bin/lvsadm'), ['-h']).stdout, /^lvsadm v/);
});

test('a part of the daemon says that the daemon starts it', () => {
  for (const role of ['vrrp', 'check', 'sync']) {
    const { status, stderr } = run(process.execPath, [join(shipped, role)]);
    assert.is(status, 2);
    assert.match(stderr, /start vipkeeperd/);
  }
});

test('without the addon a program says which file is not there', () => {
  const alone = mkdtempSync(join(folder, 'alone-'));
  copyFileSync(join(shipped, 'lvsadm'), join(alone, 'lvsadm'));
  const { status, stderr } = run(join(alone, 'lvsadm'), ['-h']);
  assert.is(status, 1);
  assert.ok(stderr.includes(`cannot load the native addon ${join(alone, 'rawio.node')}`), stderr);
});

test('the licences of all packages of npm that are in it are shipped with it', () => {
  const text = readFileSync(join(shipped, 'LICENSES'), 'utf8');
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(dependencies))
    assert.ok(text.includes(`\n${name} ${version} (`), name);
});

test.run();
